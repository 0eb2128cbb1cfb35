// A host's only uplink is replaced by another one, of the same family or families or of others (§4.4, goal R6): all 18
// cases of {client, server} x {IPv4, IPv6, both} -> {IPv4, IPv6, both}, on a path that loses packets.

import { describe, expect, it } from 'vitest';
import { Delay } from '../../lib/sim/elements/delay';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import { milliseconds } from '../../lib/time/instant';
import { Story } from './story';

const UPLINKS = { v4: [4], v6: [6], dual: [4, 6] } as const;
const KINDS = Object.keys(UPLINKS) as (keyof typeof UPLINKS)[];
const ROUND_TRIP = 20;
/** Without any uplink, milliseconds. */
const DARKNESS = 60;
/** From the new uplink to bytes in both directions, milliseconds: two round trips, and repeats of what is lost. */
const RECOVERY = 1000;
const line = () => [new Delay(milliseconds(ROUND_TRIP / 2)), new RandomLoss(0.02)];

const cases = (['client', 'server'] as const).flatMap((who) =>
  KINDS.flatMap((from) => KINDS.map((to) => [who, from, to] as const)),
);

describe('an uplink is replaced', () => {
  it.each(cases)('of the %s: %s -> %s', (who, from, to) => {
    for (const seed of SEEDS) {
      const story = new Story(seed);
      story.world.tell(() => replace(story, who, from, to));
    }
  });
});

function replace(story: Story, who: 'client' | 'server', from: keyof typeof UPLINKS, to: keyof typeof UPLINKS): void {
  const { world } = story;
  const [client, server] = [world.host('client'), world.host('server')];
  const core = world.segment('core');
  for (const host of [client, server]) {
    const segment = world.segment(`network of the ${host.name}`);
    segment.join(core, { forward: line(), backward: [] });
    world.attach(host, segment, { families: host.name === who ? UPLINKS[from] : [4, 6] });
  }
  client.forward(server.address(from === 'v6' ? 6 : 4));
  const plan = () => story.plan(200_000, { holds: true, chunk: 1000, every: milliseconds(5) });
  story.serve(server, story.service(1), plan);
  const encounter = story.visit(client, story.service(1), plan(), { timeout: 30_000 });
  world.run({ for: milliseconds(500) });
  const [end, peer] =
    who === 'client' ? [encounter.client, encounter.accepted[0]!] : [encounter.accepted[0]!, encounter.client];

  end.host.interfaces[0]!.down();
  world.run({ for: milliseconds(DARKNESS) });
  const next = world.segment('the other network');
  next.join(core, { forward: line(), backward: [] });
  const uplink = world.attach(end.host, next, { families: UPLINKS[to] });
  const received = [end.received, peer.received];
  const hasBoth = (): boolean => end.received > received[0]! && peer.received > received[1]!;
  world.run({ for: milliseconds(RECOVERY), until: hasBoth });
  expect(hasBoth(), `bytes in both directions: ${end.describe()}, ${peer.describe()}`).toBe(true);
  expect(uplink.has(end.handle!.localAddress!)).toBe(true);
  story.settle();
  story.agree();
  story.release();
  story.end();
}

const SEEDS = Array.from({ length: Number(process.env['SERVAL_STORIES'] ?? 1) }, (_, index) => 16_000 + index);
