// What the kernel's mptcp_join.sh tries and the other tests of several flows do not (docs/multipath.md lists them all).

import { describe, expect, it } from 'vitest';
import { connect, type Socket, servicePrefix } from '../../lib/index';
import { FLOWS_PER_STREAM_MAXIMUM } from '../../lib/limits';
import { World } from '../../lib/sim/world';
import { milliseconds } from '../../lib/time/instant';
import { addressOf, MEBIBYTE, opened, sink, twoHosts } from './several-paths';

const LINE = { rate: 10, delay: 10 };

function pairs(socket: Socket): string[] {
  return socket.flows.map(({ localAddress, remoteAddress }) => `${localAddress!.ip} ${remoteAddress.ip}`);
}

async function finish(world: World, socket: Socket, counted: { bytes: number; ended: boolean }): Promise<void> {
  socket.end(Buffer.alloc(2 * MEBIBYTE));
  await world.runAsync({ until: () => socket.closed && counted.ended });
  expect(counted.bytes).toBe(2 * MEBIBYTE);
}

describe('subflows error', () => {
  it('a SYN that is dropped is tried again later, and the path used when it works', async () => {
    const { world, client, server, silence } = twoHosts([LINE, { ...LINE, delay: 20 }]);
    const counted = sink(server);
    silence(1);
    const socket = connect('test/sink', { host: client, multipath: true });
    await world.runAsync({ for: milliseconds(6000) });
    expect(socket.flows.length).toBe(1);
    silence(1, false);
    await world.runAsync({ until: () => socket.flows.length === 2 || world.now > 30_000 });
    expect(socket.flows.length).toBe(2);
    await finish(world, socket, counted);
  });
});

describe('signal address', () => {
  it('one that nobody can reach is of no harm, and no flow', async () => {
    const { world, client, server } = twoHosts([LINE, LINE]);
    world.attach(server, world.segment('elsewhere'));
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    await finish(world, socket, counted);
  });

  it('4 of each end at once: no way twice, and no more flows than may be', async () => {
    const { world, client, server } = twoHosts([LINE, LINE, LINE, LINE]);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 4);
    await world.runAsync({ for: milliseconds(10_000) });
    expect(new Set(pairs(socket)).size).toBe(socket.flows.length);
    expect(socket.flows.length).toBeLessThanOrEqual(FLOWS_PER_STREAM_MAXIMUM);
    await finish(world, socket, counted);
  });
});

describe('remove', () => {
  it('all but one, in either order, while data runs', async () => {
    for (const order of [1, -1]) {
      const { world, client, server } = twoHosts([LINE, LINE, LINE, LINE]);
      const counted = sink(server);
      const socket = connect('test/sink', { host: client, multipath: true });
      await opened(socket, world, 4);
      socket.write(Buffer.alloc(MEBIBYTE));
      await world.runAsync({ for: milliseconds(200) });
      for (const flow of socket.flows.slice(0, 4 - 1).sort(() => order)) expect(flow.close()).toBe(true);
      expect(socket.flows[0]!.close()).toBe(false);
      await world.runAsync({ for: milliseconds(200) });
      expect(counted.socket!.flows.length).toBe(1);
      socket.end(Buffer.alloc(MEBIBYTE));
      await world.runAsync({ until: () => socket.closed && counted.ended });
      expect(counted.bytes).toBe(2 * MEBIBYTE);
    }
  });
});

describe('IPv6 and mixed families', () => {
  it.each([
    ['6 and 6', [6], [6]],
    ['4 and 6', [4], [6]],
    ['6 and 4', [6], [4]],
    ['both and 4', [4, 6], [4]],
    ['both and 6', [4, 6], [6]],
  ] as const)('%s', async (_name, first, second) => {
    const { world, client, server } = twoHosts([
      { ...LINE, families: first },
      { ...LINE, families: second },
    ]);
    const counted = sink(server);
    // A service is asked for in IPv4 networks only.
    if (!(first as readonly number[]).includes(4)) client.forward(server.address(6), servicePrefix('test/sink'));
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    const from = world.now;
    await finish(world, socket, counted);
    // One line would need 1.7 s.
    expect(world.now - from).toBeLessThan(1500);
  });
});

describe('full mesh', () => {
  it('each address of one end with each of the other, opened by hand', async () => {
    const world = new World({ seed: 1 });
    const [client, server] = [world.host('client'), world.host('server')] as const;
    const lan = world.segment('lan');
    for (const host of [client, server]) for (let count = 0; count < 2; count++) world.attach(host, lan);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client });
    await world.runAsync({ for: milliseconds(500) });
    const wanted = [0, 1].flatMap((near) => [0, 1].map((far) => [addressOf(client, near), addressOf(server, far)]));
    for (const [address, remoteAddress] of wanted) {
      if (pairs(socket).includes(`${address} ${remoteAddress}`)) continue;
      const opening = socket.openFlow({ address: address!, remoteAddress: remoteAddress! });
      await world.runAsync({ for: milliseconds(100) });
      await opening;
    }
    expect(pairs(socket).sort()).toEqual(wanted.map((pair) => pair.join(' ')).sort());
    await finish(world, socket, counted);
  });
});

describe('fast close', () => {
  it.each(['client', 'server'] as const)('by the %s ends every flow at both ends', async (who) => {
    const { world, client, server } = twoHosts([LINE, LINE]);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    await world.runAsync({ until: () => counted.socket!.flows.length === 2 });
    const [closer, other] = who === 'client' ? [socket, counted.socket!] : [counted.socket!, socket];
    let code: string | undefined;
    other.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    other.write(Buffer.alloc(MEBIBYTE));
    await world.runAsync({ for: milliseconds(100) });
    closer.resetAndDestroy();
    await world.runAsync({ for: milliseconds(100) });
    expect(code).toBe('ECONNRESET');
    await world.runAsync({ for: milliseconds(5000) });
    for (const { stack } of [client, server])
      expect([stack.sal.flowTable.size, stack.connections.size]).toEqual([0, 0]);
  });
});

describe('data corruption', () => {
  it.each([1, 2, 3])('damaged packets are lost packets: seed %i', async (seed) => {
    const { world, client, server } = twoHosts([LINE, { ...LINE, corruption: 0.03 }], seed);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    await finish(world, socket, counted);
  });
});
