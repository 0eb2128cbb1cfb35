// Every byte by every flow (§4.4): the least delay that any of the paths has, and no gap when one of them fails.

import { describe, expect, it } from 'vitest';
import { connect, type MultipathOptions, type Socket } from '../../lib/index';
import type { World } from '../../lib/sim/world';
import { type Duration, milliseconds } from '../../lib/time/instant';
import { type Line, MEBIBYTE, opened, sink, twoHosts } from './several-paths';

const MESSAGE = 200;
const INTERVAL = milliseconds(20);

function start(lines: readonly Line[], scheduler: MultipathOptions['scheduler'], seed = 1) {
  const hosts = twoHosts(lines, seed);
  const counted = sink(hosts.server);
  const socket = connect('test/sink', { host: hosts.client, multipath: { scheduler }, noDelay: true });
  return { ...hosts, counted, socket };
}

/** Sends a message each 20 ms; milliseconds that each of them took to the application. */
async function speak(world: World, socket: Socket, far: Socket, count: number): Promise<number[]> {
  const sentAt: number[] = [];
  const took: number[] = [];
  let bytes = 0;
  far.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    while (took.length < Math.floor(bytes / MESSAGE)) took.push(world.now - sentAt[took.length]!);
  });
  for (let number = 0; number < count; number++) {
    world.in((number * INTERVAL) as Duration, () => {
      sentAt.push(world.now);
      socket.write(Buffer.alloc(MESSAGE));
    });
  }
  await world.runAsync({ for: milliseconds(count * INTERVAL + 5000) });
  expect(took).toHaveLength(count);
  return took;
}

const late = (took: readonly number[], limit: number): number => took.filter((each) => each > limit).length;

describe('a stream whose every byte goes by every flow', () => {
  it('is late a tenth as often where each path loses a packet of ten', async () => {
    const lossy = [
      { rate: 10, delay: 20, loss: 0.1 },
      { rate: 10, delay: 25, loss: 0.1 },
    ];
    const lateness = { once: 0, redundant: 0 };
    for (const seed of [1, 2, 3]) {
      for (const [name, scheduler] of [
        ['once', 'lowest-round-trip'],
        ['redundant', 'redundant'],
      ] as const) {
        const { world, counted, socket } = start(lossy, scheduler, seed);
        await opened(socket, world, 2);
        await world.runAsync({ until: () => counted.socket!.flows.length === 2 });
        lateness[name] += late(await speak(world, socket, counted.socket!, 500), 30);
      }
    }
    expect(lateness.once).toBeGreaterThan(150);
    expect(lateness.redundant).toBeLessThan(lateness.once / 5);
  });

  it('goes by both, and by the reserve only when it has to', async () => {
    const lines = [
      { rate: 10, delay: 10 },
      { rate: 10, delay: 12 },
    ];
    const { world, counted, socket, carried } = start(lines, 'redundant');
    await opened(socket, world, 2);
    await speak(world, socket, counted.socket!, 500);
    for (const line of [0, 1]) expect(carried(line)).toBeGreaterThan(500 * MESSAGE);
    socket.flows[1]!.setBackup(true);
    await world.runAsync({ for: milliseconds(500) });
    const before = [carried(0), carried(1)];
    await speak(world, socket, counted.socket!, 500);
    const more = [0, 1].map((line) => carried(line) - before[line]!).sort((a, b) => a - b);
    expect(more[0]).toBeLessThan(5000);
  });

  it('has no gap when a path falls silent', async () => {
    const lines = [
      { rate: 10, delay: 10 },
      { rate: 10, delay: 12 },
    ];
    for (const dead of [0, 1]) {
      const { world, counted, socket, silence } = start(lines, 'redundant');
      await opened(socket, world, 2);
      await world.runAsync({ until: () => counted.socket!.flows.length === 2 });
      world.in(milliseconds(2000), () => silence(dead));
      const took = await speak(world, socket, counted.socket!, 500);
      expect(Math.max(...took)).toBeLessThan(25);
    }
  });

  it('is as fast as the best path, and does not flood the narrow one', async () => {
    const lines = [
      { rate: 50, delay: 5 },
      { rate: 1, delay: 40 },
    ];
    const { world, counted, socket, carried } = start(lines, 'redundant');
    await opened(socket, world, 2);
    const from = world.now;
    socket.end(Buffer.alloc(16 * MEBIBYTE));
    await world.runAsync({ until: () => counted.ended });
    const took = world.now - from;
    expect(counted.bytes).toBe(16 * MEBIBYTE);
    // The best alone needs 2.8 s, and the loss that ends its slow start.
    expect(took).toBeLessThan(3400);
    // What it has room for in that time is 125 bytes a millisecond; its queue holds 100 kB.
    expect(carried(1)).toBeLessThan(125 * took + 100_000);
  });

  it.each([1, 2, 3, 4, 5, 6])('arrives as it was sent, whatever is lost: seed %i', async (seed) => {
    const bad = [
      { rate: 20, delay: 5, loss: 0.03 },
      { rate: 10, delay: 30, loss: 0.03 },
      { rate: 5, delay: 60, loss: 0.03 },
    ];
    const { world, client, server, counted, socket } = start(bad, 'redundant', seed);
    await opened(socket, world, 3);
    socket.end(Buffer.alloc(2 * MEBIBYTE));
    await world.runAsync({ until: () => socket.closed && counted.ended });
    expect(counted.bytes).toBe(2 * MEBIBYTE);
    await world.runAsync({ for: milliseconds(60_000) });
    for (const host of [client, server]) expect(host.stack.connections.size).toBe(0);
  });
});
