// Flows for reserve (§4.4, RFC 8684 3.3.8): they carry data only while no other flow works, and both ends agree on which.

import { describe, expect, it } from 'vitest';
import { connect, type Socket } from '../../lib/index';
import type { World } from '../../lib/sim/world';
import { milliseconds } from '../../lib/time/instant';
import { addressOf, type Line, MEBIBYTE, opened, sink, twoHosts } from './several-paths';

const LINES: readonly Line[] = [
  { rate: 20, delay: 20 },
  { rate: 20, delay: 5 },
];
/** What a flow that is for reserve sends: its handshake, lists and signs of life. */
const LITTLE = 20_000;

function start(lines = LINES, seed = 1) {
  const { world, client, server, carried } = twoHosts(lines, seed);
  const counted = sink(server);
  const socket = connect('test/sink', { host: client, multipath: { backup: 'eth1' } });
  return { world, client, server, counted, socket, carried };
}

function feed(socket: Socket): void {
  const fill = (): void => {
    while (socket.write(Buffer.alloc(65_536)));
  };
  socket.on('drain', fill);
  fill();
}

async function run(world: World, duration: number): Promise<void> {
  await world.runAsync({ for: milliseconds(duration) });
}

type Hosts = Pick<ReturnType<typeof twoHosts>, 'client'>;

/** The flow over the client's interface of that number, as either end knows it. */
function flowOver({ client }: Hosts, socket: Socket, index: number) {
  const address = addressOf(client, index);
  const found = socket.flows.find((flow) => flow.localAddress?.ip === address || flow.remoteAddress.ip === address);
  if (found === undefined) throw new Error(`no flow over eth${index}`);
  return found;
}

/** Whether eth0 and eth1 are for reserve. */
function reserves(hosts: Hosts, socket: Socket): boolean[] {
  return [0, 1].map((index) => flowOver(hosts, socket, index).backup);
}

describe('a flow for reserve', () => {
  it('carries nothing while another one works, in either direction, though it is faster', async () => {
    const { world, client, counted, socket, carried } = start();
    await opened(socket, world, 2);
    await run(world, 200);
    expect(reserves({ client }, socket)).toEqual([false, true]);
    expect(reserves({ client }, counted.socket!)).toEqual([false, true]);
    counted.socket!.end(Buffer.alloc(2 * MEBIBYTE));
    socket.end(Buffer.alloc(2 * MEBIBYTE));
    socket.resume();
    await world.runAsync({ until: () => socket.closed && counted.ended });
    expect(counted.bytes).toBe(2 * MEBIBYTE);
    expect(carried(0)).toBeGreaterThan(4 * MEBIBYTE);
    expect(carried(1)).toBeLessThan(LITTLE);
  });

  it('takes over at once when the interface of the other goes down, and stops when it is up again', async () => {
    const { world, client, counted, socket, carried } = start();
    await opened(socket, world, 2);
    feed(socket);
    await run(world, 1000);
    client.interfaces[0]!.down();
    const before = counted.bytes;
    await run(world, 1000);
    expect(counted.bytes - before).toBeGreaterThan(0.8 * 2.5e6);
    client.interfaces[0]!.up();
    await run(world, 1500);
    const again = carried(1);
    await run(world, 1000);
    expect(carried(1) - again).toBeLessThan(LITTLE);
  });

  it('is one no more when an end says so, and again, while data runs', async () => {
    const { world, client, counted, socket, carried } = start();
    await opened(socket, world, 2);
    feed(socket);
    await run(world, 500);
    let told = 0;
    counted.socket!.on('flows', () => told++);
    expect(flowOver({ client }, socket, 1).setBackup(false)).toBe(true);
    await run(world, 200);
    expect(reserves({ client }, counted.socket!)).toEqual([false, false]);
    expect(told).toBe(1);
    const before = carried(1);
    await run(world, 1000);
    expect(carried(1) - before).toBeGreaterThan(1_000_000);
    flowOver({ client }, counted.socket!, 1).setBackup(true);
    await run(world, 200);
    expect(reserves({ client }, socket)).toEqual([false, true]);
    const again = carried(1);
    await run(world, 1000);
    expect(carried(1) - again).toBeLessThan(LITTLE);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 25])('is agreed on whatever is lost: seed %i', async (seed) => {
    const { world, client, counted, socket } = start(
      LINES.map((line) => ({ ...line, loss: 0.3 })),
      seed,
    );
    await opened(socket, world, 2);
    await run(world, 3000);
    expect(reserves({ client }, counted.socket!)).toEqual([false, true]);
    // Said in quick succession, on both: what comes late says nothing.
    flowOver({ client }, socket, 1).setBackup(false);
    flowOver({ client }, socket, 0).setBackup(true);
    await run(world, 5);
    flowOver({ client }, socket, 0).setBackup(false);
    flowOver({ client }, socket, 0).setBackup(true);
    await run(world, 10_000);
    expect([reserves({ client }, socket), reserves({ client }, counted.socket!)]).toEqual([
      [true, false],
      [true, false],
    ]);
  });

  it('may be all there is: then it carries', async () => {
    const { world, client, server } = twoHosts(LINES);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: { backup: ['eth0', 'eth1'] } });
    await opened(socket, world, 2);
    socket.end(Buffer.alloc(MEBIBYTE));
    await world.runAsync({ until: () => socket.closed });
    expect(counted.bytes).toBe(MEBIBYTE);
  });

  it('may be what an interface of the server says, or what is asked for by hand', async () => {
    const { world, client, server } = twoHosts([LINES[1]!, LINES[0]!]);
    const counted = sink(server, { multipath: { backup: ['eth1'] } });
    const socket = connect('test/sink', { host: client });
    await run(world, 500);
    const byServer = socket.openFlow({ interface: 'eth1', remoteAddress: addressOf(server, 1) });
    await opened(socket, world, 2);
    await byServer;
    await run(world, 300);
    expect([reserves({ client }, socket), reserves({ client }, counted.socket!)]).toEqual([
      [false, true],
      [false, true],
    ]);
    socket.flows[1]!.close();
    await run(world, 500);
    const byHand = socket.openFlow({ interface: 'eth1', remoteAddress: addressOf(server, 1), backup: true });
    await opened(socket, world, 2);
    await byHand;
    expect(reserves({ client }, socket)).toEqual([false, true]);
  });

  it('checks what it is given', () => {
    const { client } = twoHosts(LINES);
    for (const multipath of [{ backup: 1 }, { backup: [1] }, 'eth1', 7]) {
      expect(() => connect('test/sink', { host: client, multipath: multipath as never })).toThrow(TypeError);
    }
  });
});
