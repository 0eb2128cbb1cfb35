// Connections over several paths at once (§4.4), from `connect(name, { multipath: true })` to the wire.

import { describe, expect, it } from 'vitest';
import { connect } from '../../lib/index';
import { Delay } from '../../lib/sim/elements/delay';
import { Rate } from '../../lib/sim/elements/rate';
import { path } from '../../lib/sim/path';
import { milliseconds } from '../../lib/time/instant';
import { MEBIBYTE, opened, sink, twoHosts } from './several-paths';

describe('connect with multipath', () => {
  it('opens a flow on every path, and carries one stream over all of them', async () => {
    const { world, client, server } = twoHosts([
      { rate: 10, delay: 5 },
      { rate: 10, delay: 20 },
      { rate: 10, delay: 10 },
    ]);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 3);
    await world.runAsync({ until: () => counted.socket!.flows.length === 3 });
    expect(new Set(socket.flows.map(({ localAddress }) => localAddress!.ip)).size).toBe(3);
    expect(new Set(socket.flows.map(({ remoteAddress }) => remoteAddress.ip)).size).toBe(3);
    const start = world.now;
    socket.end(Buffer.alloc(8 * MEBIBYTE));
    await world.runAsync({ until: () => socket.closed });
    expect(counted).toMatchObject({ bytes: 8 * MEBIBYTE, ended: true });
    // One path would need 6.7 s.
    expect(world.now - start).toBeLessThan(3500);
    await world.runAsync({ for: milliseconds(5000) });
    for (const host of [client, server]) {
      expect(host.stack.connections.size).toBe(0);
      expect([...host.stack.sal.flowTable.values()]).toEqual([]);
    }
  });

  it.each([1, 2, 3, 4, 5, 6])('opens them whatever is lost: seed %i', async (seed) => {
    const { world, client, server } = twoHosts(
      [
        { delay: 5, loss: 0.2 },
        { delay: 20, loss: 0.2 },
      ],
      seed,
    );
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    socket.end(Buffer.alloc(MEBIBYTE));
    await world.runAsync({ until: () => socket.closed });
    expect(counted).toMatchObject({ bytes: MEBIBYTE, ended: true });
  });

  it('goes on over the others when an interface goes down, and uses it again when it is up', async () => {
    const { world, client, server } = twoHosts([
      { rate: 10, delay: 10 },
      { rate: 10, delay: 10 },
    ]);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    const feed = (): void => {
      while (socket.write(Buffer.alloc(65_536)));
    };
    socket.on('drain', feed);
    feed();
    await world.runAsync({ for: milliseconds(2000) });
    client.interfaces[0]!.down();
    await world.runAsync({ for: milliseconds(200) });
    const before = counted.bytes;
    await world.runAsync({ for: milliseconds(2000) });
    expect(counted.bytes - before).toBeGreaterThan(0.8 * 2.5e6);
    client.interfaces[0]!.up();
    await world.runAsync({ for: milliseconds(4000) });
    const again = counted.bytes;
    await world.runAsync({ for: milliseconds(2000) });
    expect(counted.bytes - again).toBeGreaterThan(0.8 * 5e6);
  });

  it('finds a path that is added while data runs', async () => {
    const { world, client, server } = twoHosts([{ rate: 10, delay: 10 }]);
    sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await world.runAsync({ for: milliseconds(1000) });
    expect(socket.flows.length).toBe(1);
    world.connect(client, server, path(new Rate(10e6), new Delay(milliseconds(10))));
    await opened(socket, world, 2);
  });

  it('has one flow where the peer takes no more, and where nobody asked for several', async () => {
    for (const [listening, connecting] of [
      [{ multipath: false }, { multipath: true }],
      [{}, {}],
    ] as const) {
      const { world, client, server } = twoHosts([{ delay: 10 }, { delay: 10 }]);
      const counted = sink(server, listening);
      const socket = connect('test/sink', { host: client, ...connecting });
      await world.runAsync({ for: milliseconds(10_000) });
      expect([socket.flows.length, counted.socket!.flows.length]).toEqual([1, 1]);
    }
  });
});
