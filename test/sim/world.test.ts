// The world itself: seeds that replay, runs that end, failures that tell, hosts to which things happen.

import { describe, expect, it } from 'vitest';
import type { StreamObserver } from '../../lib/driver/handles';
import {
  Delay,
  milliseconds,
  path,
  RandomLoss,
  ServiceID,
  ServicePrefix,
  SimulationError,
  seconds,
  World,
} from '../../lib/sim';
import { badPath } from './random-path';
import { Story } from './story';

const SERVICE = ServiceID.fromHex('ab'.repeat(32))!;

const SILENT: StreamObserver = {
  connected() {},
  data() {},
  ended() {},
  writable() {},
  finished() {},
  failed() {},
  closed() {},
};

function pair(seed = 1) {
  const world = new World({ seed });
  const [a, b] = [world.host('a'), world.host('b')];
  world.connect(a, b, path(new Delay(milliseconds(10)), new RandomLoss(0.1)));
  return { world, a, b };
}

/** A story with a good deal of chance in it, as its whole trace. */
function traceOf(seed: number): string {
  const story = new Story(seed);
  const { world, chance } = story;
  const [client, server] = [world.host('client'), world.host('server')];
  world.connect(client, server, badPath(chance));
  story.serve(server, SERVICE, () => story.plan(20_000));
  for (let count = 0; count < 3; count++) story.visit(client, SERVICE, story.plan(20_000), { timeout: 60_000 });
  story.end();
  return world.trace.format();
}

describe('a seed', () => {
  it('gives the same run, packet for packet, and another seed another', () => {
    const first = traceOf(77);
    expect(first.length).toBeGreaterThan(1000);
    expect(traceOf(77)).toBe(first);
    expect(traceOf(78)).not.toBe(first);
  });
});

describe('run', () => {
  it('ends when nothing is left, at a time, or on a condition', () => {
    const { world } = pair();
    const seen: number[] = [];
    for (const at of [1, 2, 3]) world.in(seconds(at), () => seen.push(at));
    expect(world.run({ until: () => seen.length === 1 })).toBe(true);
    expect(world.now).toBe(1000);
    expect(world.run({ for: milliseconds(500) })).toBe(true);
    expect([world.now, seen.length]).toEqual([1500, 1]);
    expect(world.run({ for: milliseconds(100), until: () => seen.length === 3 })).toBe(false);
    expect(world.run()).toBe(true);
    expect([world.now, seen]).toEqual([3000, [1, 2, 3]]);
    expect(world.run({ until: () => false })).toBe(false);
  });

  it('does not go on for ever', () => {
    const { world } = pair();
    const again = (): void => world.in(seconds(3600), again);
    again();
    expect(() => world.run()).toThrow(/does not come to rest\n {2}seed 1, at/);
  });

  it('lets promises and the event loop do their work, if asked to', async () => {
    const { world } = pair();
    const seen: string[] = [];
    world.in(seconds(1), () => {
      void Promise.resolve()
        .then(() => new Promise((resolve) => process.nextTick(resolve)))
        .then(() => world.in(seconds(1), () => seen.push('second')));
    });
    expect(await world.runAsync()).toBe(true);
    expect(seen).toEqual(['second']);
    expect(world.now).toBe(2000);
  });
});

describe('a failure', () => {
  it('is told with the seed, the time and the last packets', () => {
    const { world, a } = pair(99);
    a.connect(SERVICE, {}, { ...SILENT, failed: () => expect.fail('as expected') });
    const run = (): void => void world.run();
    expect(run).toThrow(SimulationError);
    expect(() => world.tell(() => expect(1).toBe(2))).toThrow(/seed 99, at \d+\.\d+ ms; the last packets:\n.* syn /);
  });

  it('keeps what was thrown as its cause', () => {
    const { world } = pair();
    const cause = new TypeError('it');
    try {
      world.tell(() => {
        throw cause;
      });
      expect.unreachable();
    } catch (error) {
      expect((error as SimulationError).cause).toBe(cause);
    }
  });
});

describe('a host', () => {
  it('finds a service by broadcast while its interface is up, and has no route otherwise', () => {
    const { world, a, b } = pair();
    b.listen(ServicePrefix.of(SERVICE), {}, { connection: (handle) => handle.close() });
    const outcomes: string[] = [];
    const observer = {
      ...SILENT,
      connected: () => void outcomes.push('connected'),
      failed: ({ code }: { code: string }) => void outcomes.push(code),
    };
    a.interfaces[0]!.down();
    a.connect(SERVICE, {}, observer);
    world.run();
    a.interfaces[0]!.up();
    const handle = a.connect(SERVICE, {}, observer);
    world.run({ for: seconds(3) });
    handle.close();
    expect(outcomes).toEqual(['EHOSTUNREACH', 'connected']);
  });

  it('does nothing while it is paused, and all of it afterwards', () => {
    const { world, a, b } = pair();
    b.listen(ServicePrefix.of(SERVICE), {}, { connection: () => {} });
    const connectedAt: number[] = [];
    b.pause();
    a.connect(SERVICE, {}, { ...SILENT, connected: () => void connectedAt.push(world.now) });
    world.run({ for: seconds(2) });
    expect(connectedAt).toEqual([]);
    b.resume();
    world.run({ for: seconds(3) });
    expect(connectedAt.length).toBe(1);
    expect(connectedAt[0]).toBeGreaterThan(2000);
    expect(connectedAt[0]).toBeLessThan(2500);
  });

  it('knows nothing of the past when it starts again', () => {
    const { world, a, b } = pair();
    const prefix = ServicePrefix.of(SERVICE);
    b.listen(prefix, {}, { connection: () => {} });
    b.crash();
    expect(b.isRunning).toBe(false);
    expect(() => b.listen(prefix, {}, { connection: () => {} })).toThrow(/crashed/);
    b.start();
    expect(() => b.start()).toThrow(/runs already/);
    b.listen(prefix, {}, { connection: () => {} });
    const connectedAt: number[] = [];
    a.connect(SERVICE, {}, { ...SILENT, connected: () => void connectedAt.push(world.now) });
    world.run({ for: seconds(5) });
    expect(connectedAt.length).toBe(1);
  });

  it('tells its controller of addresses that come and go', () => {
    const events: string[] = [];
    const world = new World({ seed: 1 });
    const controller = () => ({
      handleEvent: (event: { kind: string }) => void events.push(event.kind),
      pollCommand: () => undefined,
    });
    const host = world.host('a', { controller });
    const eth0 = world.attach(host, world.segment('lan'), { families: [4] });
    eth0.assign({ ...eth0.addresses[0]!, address: host.address().withPort(0) });
    eth0.down();
    eth0.up();
    eth0.renumber(world.segment('other').nextAddresses([4, 6]));
    world.segment('lan').detach(eth0);
    const [up, down] = ['interfaceUp', 'interfaceDown'];
    expect(events).toEqual([up, down, up, down, up, up, down, down]);
  });
});
