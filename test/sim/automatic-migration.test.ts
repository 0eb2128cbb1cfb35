// Flows that move by themselves (§4.4): what happens to interfaces and paths is all that the story does.

import { describe, expect, it } from 'vitest';
import { AUTOMATIC_MIGRATION_SETTLE } from '../../lib/limits';
import { Delay } from '../../lib/sim/elements/delay';
import { path } from '../../lib/sim/path';
import type { SimulatedInterface } from '../../lib/sim/simulated-interface';
import { milliseconds } from '../../lib/time/instant';
import { MovingWorld } from './moving-world';
import { Story } from './story';
import type { StreamActor } from './stream-actor';

const ROUND_TRIP = 20;
const between = () => [new Delay(milliseconds(ROUND_TRIP / 2))];

/**
 * The longest pause that a move may make for what the mover sends: RSYN, RSYN-ACK, data; and for what it receives:
 * RSYN, RSYN-ACK, ACK, data. To these comes what the policy waits.
 */
const SENDING = 1.5 * ROUND_TRIP + 10;
const RECEIVING = 2 * ROUND_TRIP + 10;

interface Scene {
  readonly story: Story;
  readonly moving: MovingWorld;
  readonly end: StreamActor;
  readonly peer: StreamActor;
  /** The interface that the end uses. */
  readonly used: SimulatedInterface;
}

/** Both ends send a little all the time. */
function scene(seed: number, who: 'client' | 'server', tell: (scene: Scene) => void): void {
  const story = new Story(seed);
  story.world.tell(() => {
    const plan = { holds: true, chunk: 1000, every: milliseconds(2) };
    const moving = new MovingWorld(story, { between, plan, length: 1_000_000 });
    story.world.run({ for: milliseconds(300) });
    const end = moving.ends.find(({ name }) => name.startsWith(who))!;
    const peer = moving.ends.find((other) => other !== end)!;
    const used = end.host.interfaces.find((one) => one.has(end.handle!.localAddress!))!;
    tell({ story, moving, end, peer, used });
    story.settle();
    story.agree();
    story.release();
    story.end();
  });
}

/** How long until `end` has received something new. */
function untilData({ world }: Story, ends: readonly StreamActor[], limit = 10_000): number {
  const before = ends.map(({ received }) => received);
  const startedAt = world.now;
  const hasAll = (): boolean => ends.every((end, index) => end.received > before[index]!);
  world.run({ for: milliseconds(limit), until: hasAll });
  expect(hasAll()).toBe(true);
  return world.now - startedAt;
}

function drainWire({ world }: Story): void {
  world.run({ for: milliseconds(ROUND_TRIP) });
}

describe.each(['client', 'server'] as const)('the %s', (who) => {
  it('whose interface goes down goes on over another, at once', () => {
    scene(1, who, ({ story, end, peer, used }) => {
      used.down();
      // What had left arrives.
      story.world.run({ for: milliseconds(ROUND_TRIP / 2 + 1) });
      expect(untilData(story, [peer]) + ROUND_TRIP / 2 + 1).toBeLessThanOrEqual(SENDING);
      untilData(story, [end]);
      expect(used.has(end.handle!.localAddress!)).toBe(false);
    });
  });

  it('whose interface goes down receives what its peer sends over another, at once', () => {
    scene(6, who, ({ story, end, used }) => {
      used.down();
      expect(untilData(story, [end])).toBeLessThanOrEqual(RECEIVING);
    });
  });

  it('whose only address is replaced by one of another network goes on from there', () => {
    scene(2, who, ({ story, end, peer, used }) => {
      const other = end.host.interfaces.find((one) => one !== used)!;
      other.down();
      const [gone] = used.addresses;
      const foreign = story.world.segment('elsewhere');
      foreign.join(story.world.segment('core'), who === 'client' ? path(...between()) : path());
      used.down();
      story.world.run({ for: milliseconds(60) });
      const next = story.world.attach(end.host, foreign, { name: 'eth7' });
      const [far, near] = [untilData(story, [peer]), untilData(story, [end])];
      expect(far).toBeLessThanOrEqual(SENDING);
      expect(far + near).toBeLessThanOrEqual(RECEIVING);
      expect(next.has(end.handle!.localAddress!)).toBe(true);
      expect(gone!.address.sameIp(end.handle!.localAddress!)).toBe(false);
    });
  });

  it('whose address is gone for a while goes on when it is back', () => {
    scene(3, who, ({ story, end, peer, used }) => {
      for (const one of end.host.interfaces) if (one !== used) one.down();
      used.down();
      story.world.run({ for: milliseconds(30_000) });
      used.up();
      expect(untilData(story, [end, peer])).toBeLessThanOrEqual(RECEIVING);
      expect(used.has(end.handle!.localAddress!)).toBe(true);
    });
  });

  it('moves to a better interface when one comes up', () => {
    scene(4, who, ({ story, end }) => {
      const better = story.world.attach(end.host, story.world.segment('core'), { name: 'en0' });
      drainWire(story);
      story.world.run({ for: milliseconds(2 * ROUND_TRIP + AUTOMATIC_MIGRATION_SETTLE) });
      expect(better.has(end.handle!.localAddress!)).toBe(true);
    });
  });

  it('notices a path that has fallen silent within a second, and takes another', () => {
    scene(5, who, ({ story, moving, end, peer, used }) => {
      moving.silence(used);
      drainWire(story);
      const gap = untilData(story, [end, peer], 5000);
      expect(gap).toBeLessThanOrEqual(1000);
      expect(used.has(end.handle!.localAddress!)).toBe(false);
    });
  });
});
