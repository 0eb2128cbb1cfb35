// A flow of several fails (§4.4): what it had under way goes by the others at once. The goals are those of R3: 1.5 round
// trips when the host is told of it, and the longer of three probe timeouts and a second when nobody is.

import { describe, expect, it } from 'vitest';
import { connect, type FlowInformation, type Socket } from '../../lib/index';
import type { World } from '../../lib/sim/world';
import { milliseconds } from '../../lib/time/instant';
import { addressOf, opened, sink, twoHosts } from './several-paths';

const LINES = [
  { rate: 10, delay: 20 },
  { rate: 10, delay: 30 },
] as const;

/** As much as goes, or eight megabits a second. */
function feed(world: World, socket: Socket, load: Load): void {
  const speak = (): void => {
    socket.write(Buffer.alloc(10_000));
    world.in(milliseconds(10), speak);
  };
  if (load === 'speech') return speak();
  const fill = (): void => {
    while (socket.write(Buffer.alloc(65_536)));
  };
  socket.on('drain', fill);
  fill();
}

/** The longest time without a byte for the application, from now on. */
function watch(world: World, reader: Socket) {
  const watched = { longest: 0, bytes: 0, last: world.now as number };
  reader.on('data', (chunk: Buffer) => {
    watched.longest = Math.max(watched.longest, world.now - watched.last);
    watched.last = world.now;
    watched.bytes += chunk.length;
  });
  return watched;
}

type Load = 'speech' | 'bulk';
type Fault = 'sender loses its interface' | 'receiver loses its interface' | 'silence';

async function fail(load: Load, fault: Fault, line: 0 | 1, sends: 'client' | 'server', seed: number) {
  const { world, client, server, silence } = twoHosts(LINES, seed);
  const counted = sink(server);
  const socket = connect('test/sink', { host: client, multipath: true });
  await opened(socket, world, 2);
  await world.runAsync({ until: () => counted.socket!.flows.length === 2 });
  const [sender, reader] = sends === 'client' ? [socket, counted.socket!] : [counted.socket!, socket];
  feed(world, sender, load);
  reader.resume();
  await world.runAsync({ for: milliseconds(2500 + 7 * seed) });
  const hosts = sends === 'client' ? ([client, server] as const) : ([server, client] as const);
  const local = addressOf(hosts[0], line);
  const survivor = sender.flows.find(({ localAddress }) => localAddress!.ip !== local)!;
  const before = retransmitted(sender);
  const watched = watch(world, reader);
  if (fault === 'silence') silence(line);
  else hosts[fault === 'sender loses its interface' ? 0 : 1].interfaces[line]!.down();
  await world.runAsync({ for: milliseconds(4000) });
  return { watched, survivor, more: retransmitted(sender) - before, world };
}

const retransmitted = ({ flows }: Socket): number => flows[0]!.retransmittedBytes;

/** RFC 9002 6.2.1, from the smoothed round trip alone: its variation would only make it longer. */
function probeTimeout({ roundTripTime }: FlowInformation): number {
  return 2 * roundTripTime!;
}

/** What ten megabits a second carry of what 4 s have for it, less the failure and what is repaired; and of the speech. */
const GOODPUT = { bulk: 0.65 * 4 * 1.25e6, speech: 0.9 * 4e6 };
/** Two windows of one flow: nothing is sent again and again. */
const REPAIRED = 700_000;
/** Round trips. A sender that fills every queue has what it sends again wait behind what it had sent. */
const LIMIT = { bulk: 1.7, speech: 1.5 };

describe.each([
  ['client', 'bulk'],
  ['server', 'bulk'],
  ['client', 'speech'],
  ['server', 'speech'],
] as const)('a flow of two fails while the %s sends: %s', (sends, load) => {
  const cases = [1, 2, 3].flatMap((seed) => [0, 1].map((line) => [seed, line as 0 | 1] as const));

  it.each(cases)('its interface is gone: seed %i, line %i', async (seed, line) => {
    const { watched, survivor, more } = await fail(load, 'sender loses its interface', line, sends, seed);
    expect(watched.longest).toBeLessThan(LIMIT[load] * survivor.roundTripTime!);
    expect(watched.bytes).toBeGreaterThan(GOODPUT[load]);
    expect(more).toBeLessThan(REPAIRED);
  });

  it.each(cases)('that of the receiver is: seed %i, line %i', async (seed, line) => {
    const { watched, survivor, more } = await fail(load, 'receiver loses its interface', line, sends, seed);
    expect(watched.longest).toBeLessThan(LIMIT[load] * survivor.roundTripTime!);
    expect(watched.bytes).toBeGreaterThan(GOODPUT[load]);
    expect(more).toBeLessThan(REPAIRED);
  });

  it.each(cases)('nobody is told: three probe timeouts or a second, seed %i, line %i', async (seed, line) => {
    const { watched, survivor, more } = await fail(load, 'silence', line, sends, seed);
    const limit = Math.max(3 * probeTimeout(survivor), 1000);
    expect(watched.longest).toBeLessThan(limit);
    expect(watched.bytes).toBeGreaterThan(GOODPUT[load] - (1.25e6 * limit) / 1000);
    expect(more).toBeLessThan(REPAIRED);
  });
});
