// Hostile peers (§3.2, §4.4; issue "Wire": a bad packet is counted and dropped, a peer can neither crash us nor make
// us amplify). Reliability S1, S2, S4, S5, S9 to S12.

import { describe, expect, it } from 'vitest';
import { Siege } from './siege';

const STEPS = 1200;

describe.each([
  ['encapsulated, end host', { link: {}, forwards: false }],
  ['encapsulated, router', { link: {}, forwards: true }],
  ['raw, end host', { link: { encapsulated: false }, forwards: false }],
  ['raw, router', { link: { encapsulated: false }, forwards: true }],
] as const)('any packet at any moment: %s', (_name, configuration) => {
  it.each([1, 2])(
    'neither breaks nor reaches what is not its own, and is never answered with more: seed %i',
    (seed) => {
      const siege = new Siege({ seed, ...configuration });
      for (let step = 0; step < STEPS; step++) siege.step();
      const counters = siege.counters;
      siege.end();
      siege.checkStreams();
      siege.checkEmpty();
      // The attack got as far as it should: otherwise this test shows little.
      expect(siege.provenAttackers).toBeGreaterThan(0);
      expect(siege.accepted).toBeGreaterThan(5);
      for (const name of EXPECTED) expect(counters[name], name).toBeGreaterThan(0);
      expect(siege.forwarded > 0).toBe(configuration.forwards);
    },
  );
});

const EXPECTED = ['badNonce', 'unknownFlow', 'offPath', 'sourceAddress', 'thirdAckElsewhere', 'badCheck'];
