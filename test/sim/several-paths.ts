// Two hosts with several wires between them, and a server that counts: what the tests of several flows begin with.

import { expect } from 'vitest';
import { createServer, type ListenOptions, type Socket } from '../../lib/index';
import { Corruption } from '../../lib/sim/elements/corruption';
import { Delay } from '../../lib/sim/elements/delay';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import { Rate } from '../../lib/sim/elements/rate';
import { TailDropQueue } from '../../lib/sim/elements/tail-drop-queue';
import type { ElementSite, NetworkElement, PacketSink } from '../../lib/sim/network-element';
import { path } from '../../lib/sim/path';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { World } from '../../lib/sim/world';
import { milliseconds } from '../../lib/time/instant';

export const MEBIBYTE = 1024 * 1024;

export interface Line {
  readonly rate?: number;
  readonly delay: number;
  readonly loss?: number;
  readonly families?: readonly (4 | 6)[];
  readonly corruption?: number;
}

/** A client and a server with a wire of their own for each line; megabits a second, milliseconds one way. */
export function twoHosts(lines: readonly Line[], seed = 1) {
  const world = new World({ seed });
  const [client, server] = [world.host('client'), world.host('server')] as const;
  const counts: Count[] = [];
  for (const { rate = 100, delay, loss = 0, corruption = 0, families } of lines) {
    const queue = new TailDropQueue({ bytes: 100_000 });
    const count = new Count();
    counts.push(count);
    const faults = [new RandomLoss(loss), new Corruption(corruption)];
    const elements = [count, new Rate(rate * 1e6, queue), new Delay(milliseconds(delay)), ...faults];
    world.connect(client, server, path(...elements), families === undefined ? {} : { families });
  }
  /** Bytes that were sent on that line so far, in both directions. */
  const carried = (line: number): number => counts[line]!.bytes;
  /** Nothing arrives by that line from now on, and nobody is told; or all does again. */
  const silence = (line: number, isSilent = true): void => {
    counts[line]!.isSilent = isSilent;
  };
  return { world, client, server, carried, silence };
}

class Count implements NetworkElement {
  bytes = 0;
  isSilent = false;

  attach({ next }: ElementSite): PacketSink {
    return (packet) => {
      if (this.isSilent) return;
      this.bytes += packet.bytes.length;
      next(packet);
    };
  }
}

/** A server that counts what it reads, and its one connection. */
export function sink(host: SimulatedHost, options: ListenOptions = {}) {
  const counted = { bytes: 0, socket: undefined as Socket | undefined, ended: false };
  createServer('test/sink', { host }, (socket: Socket) => {
    counted.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      counted.bytes += chunk.length;
    });
    socket.on('end', () => {
      counted.ended = true;
      socket.end();
    });
  }).listen(options);
  return counted;
}

export async function opened(socket: Socket, world: World, flows: number): Promise<void> {
  await world.runAsync({ until: () => socket.flows.length === flows || world.now > 20_000 });
  expect(socket.flows.length).toBe(flows);
}

/** The address of the host's interface of that number. */
export function addressOf(host: SimulatedHost, index: number): string {
  return host.interfaces[index]!.addresses[0]!.address.ip;
}
