// Randomized stories in which flows move among all the other troubles (§4.4): whatever happens to interfaces, paths and
// applications, every byte arrives once and in order, both ends come to their end, and nothing is left.

import { expect, it } from 'vitest';
import { milliseconds } from '../../lib/time/instant';
import { MovingWorld, otherInterface } from './moving-world';
import { badDirection } from './random-path';
import { type Story, stories } from './story';
import type { StreamActor, StreamPlan } from './stream-actor';
import { replayed } from './transitions';

/** Of all stories, so that one can see that they are about moves. */
let moves = 0;

stories('moves by hand on bad paths, by either end or both, while streams come and go', 6300, 60, (story) => {
  const { world, chance } = story;
  const moving = new MovingWorld(story, { ...setting(story), plan: plan(story), length: chance.magnitude(8, 200_000) });
  for (let at = 0; at < 6000; at += chance.integer(1, 800)) {
    world.in(milliseconds(at), () => {
      for (const end of moving.ends) if (chance.happens(0.5)) move(story, end);
    });
  }
  world.run({ for: milliseconds(6000) });
  story.end();
  moves += moving.counts.moves;
});

stories('moves in the very moment of the handshake and of the end', 6400, 60, (story) => {
  const { world, chance } = story;
  const length = chance.magnitude(8, 3000);
  const moving = new MovingWorld(story, { ...setting(story), plan: {}, length });
  const often = (): void => {
    for (const end of moving.ends) if (!end.isClosed && chance.happens(0.3)) move(story, end);
    if (moving.ends.some((end) => !end.isClosed) && world.now < 60_000) world.in(chance.duration(0, 60), often);
  };
  often();
  story.end();
  moves += moving.counts.moves;
});

stories('interfaces go down and come up, and change their networks, at both ends', 6500, 60, (story) => {
  const { world, chance } = story;
  const lingers = chance.duration(3000, 9000);
  const slow = {
    lingers,
    pauseEvery: chance.magnitude(500, 5000),
    pauseFor: chance.duration(50, 500),
    keepAlive: 3000,
  };
  const moving = new MovingWorld(story, { ...setting(story), plan: slow, length: chance.magnitude(1000, 40_000) });
  for (let at = 0; at < 8000; at += chance.integer(200, 2000)) {
    world.in(milliseconds(at), () => {
      // One at a time: where both are gone at once only a router can help.
      const host = chance.pick([moving.client, moving.server]);
      const one = chance.pick(host.interfaces);
      one.down();
      world.in(chance.duration(0, 150), () => one.up());
    });
  }
  world.run({ for: milliseconds(9000) });
  story.end();
  moves += moving.counts.moves;
});

it.skipIf(process.env.SERVAL_SEED !== undefined)('there were moves enough', () => {
  expect(moves).toBeGreaterThan(500);
  // Two transitions a move at least, each replayed against the table.
  expect(replayed.migration).toBeGreaterThan(1000);
});

function setting(story: Story): ConstructorParameters<typeof MovingWorld>[1] {
  const { chance } = story;
  const link = chance.pick(['udp', 'udp', 'raw'] as const);
  const family = link === 'raw' ? 4 : chance.pick([4, 6] as const);
  const isBad = chance.happens(0.7);
  return { link, family, interfaces: [chance.integer(2, 3), 2], between: () => (isBad ? badDirection(chance) : []) };
}

function plan({ chance }: Story): Partial<StreamPlan> {
  return chance.pick<() => Partial<StreamPlan>>([
    () => ({}),
    () => ({ lingers: chance.duration(0, 5000) }),
    () => ({ pauseEvery: chance.magnitude(1000, 20_000), pauseFor: chance.duration(1, 500) }),
  ])();
}

function move(story: Story, end: StreamActor): void {
  if (end.isClosed || end.handle!.flows.length === 0) return;
  end.handle!.migrate({ interface: otherInterface(story, end) });
}
