// Both ends of a stream move at the same time, and nothing is left of either where it was: they find each other through
// the service router that their first packet passed (§4.4).

import { describe, expect, it } from 'vitest';
import { Delay } from '../../lib/sim/elements/delay';
import { type Duration, milliseconds } from '../../lib/time/instant';
import { MeetingWorld } from './meeting-world';
import { Story } from './story';

/** From host to host; the router is in the middle. */
const ROUND_TRIP = 20;
const between = () => [new Delay(milliseconds(ROUND_TRIP / 4))];
const plan = { holds: true, chunk: 1000, every: milliseconds(2) };

/** The first RSYNs go to where the peer was; those that the router pairs, 50 ms later; then a round trip, and the data. */
const UNTIL_BOTH_HEAR = 50 + 2.5 * ROUND_TRIP;

function scene(seed: number, tell: (meeting: MeetingWorld) => void, options = {}): void {
  const story = new Story(seed);
  story.world.tell(() => {
    const meeting = new MeetingWorld(story, { between, plan, length: 200_000, ...options });
    story.world.run({ for: milliseconds(200) });
    tell(meeting);
    story.settle();
    story.agree();
    story.release();
    story.end();
  });
}

/** How long until both ends hear each other again, from when both have an address. */
function moveBoth(meeting: MeetingWorld, dark: readonly [Duration, Duration]): number {
  const { client, server, story } = meeting;
  const back = Math.max(meeting.move(client, dark[0]), meeting.move(server, dark[1]));
  // What is on its way arrives.
  story.world.run({ for: milliseconds(ROUND_TRIP) });
  expect(meeting.untilBothHear(milliseconds(60_000))).toBe(true);
  return story.world.now - back;
}

describe('both ends at once', () => {
  it('find each other through the router, and nothing is lost', () => {
    scene(1, (meeting) => {
      const none = milliseconds(0);
      expect(moveBoth(meeting, [none, none])).toBeLessThanOrEqual(UNTIL_BOTH_HEAR);
      expect(meeting.router.stack.sal.counters.value('resyncRelayed')).toBe(1);
    });
  });
});
