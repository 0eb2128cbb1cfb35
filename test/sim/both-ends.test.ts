// Both ends of a stream move at the same time, and nothing is left of either where it was: they find each other through
// the service router that their first packet passed (§4.4).

import { describe, expect, it } from 'vitest';
import { MIGRATION_LIFETIME, MIGRATION_TIMEOUT_MINIMUM } from '../../lib/limits';
import { Delay } from '../../lib/sim/elements/delay';
import { type Duration, milliseconds } from '../../lib/time/instant';
import { ServicePrefix } from '../../lib/wire/service-id';
import { DatagramActor, Post } from './datagram-actor';
import { type MeetingOptions, MeetingWorld } from './meeting-world';
import { Firewall } from './nat';
import { Story } from './story';

/** From host to host; the router is in the middle. */
const ROUND_TRIP = 20;
const between = () => [new Delay(milliseconds(ROUND_TRIP / 4))];
const plan = { holds: true, chunk: 1000, every: milliseconds(2) };

/** The first RSYNs go to where the peer was; those that the router pairs, 50 ms later; then a round trip, and the data. */
const UNTIL_BOTH_HEAR = 50 + 2.5 * ROUND_TRIP;

function scene(seed: number, tell: (meeting: MeetingWorld) => void, options: MeetingOptions = {}): void {
  const story = new Story(seed);
  story.world.tell(() => {
    const meeting = new MeetingWorld(story, { between, plan, length: 200_000, ...options });
    story.world.run({ for: milliseconds(200) });
    tell(meeting);
    story.settle();
    story.agree();
    story.release();
    if (options.known === undefined) story.end();
    else meeting.end();
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

const NONE = milliseconds(0);

describe('both ends at once', () => {
  it('find each other through the router, and nothing is lost', () => {
    scene(1, (meeting) => {
      expect(moveBoth(meeting, [NONE, NONE])).toBeLessThanOrEqual(UNTIL_BOTH_HEAR);
      expect(meeting.router.stack.sal.counters.value('resyncRelayed')).toBe(1);
    });
  });

  it.each([
    ['client', [NONE, milliseconds(1500)]],
    ['server', [milliseconds(1500), NONE]],
  ] as const)('find each other when the %s has an address long before the other', (_who, dark) => {
    scene(2, (meeting) => {
      expect(moveBoth(meeting, dark)).toBeLessThanOrEqual(UNTIL_BOTH_HEAR);
    });
  });

  it('find each other over IPv6', () => {
    scene(
      3,
      (meeting) => {
        expect(moveBoth(meeting, [NONE, NONE])).toBeLessThanOrEqual(UNTIL_BOTH_HEAR);
        expect(meeting.ends.map(({ handle }) => handle!.remoteAddress!.family)).toEqual([6, 6]);
      },
      { families: [6] },
    );
  });

  it('find each other through firewalls that let in only who has been sent to', () => {
    const walls: Firewall[] = [];
    const firewall = (): Firewall => {
      walls.push(new Firewall());
      return walls.at(-1)!;
    };
    scene(
      13,
      (meeting) => {
        for (const wall of walls) wall.isShut = true;
        // Either has to be told of the other, and one of the first packets between them opens the way for the next.
        const each = MIGRATION_TIMEOUT_MINIMUM + ROUND_TRIP;
        expect(moveBoth(meeting, [NONE, NONE])).toBeLessThanOrEqual(UNTIL_BOTH_HEAR + each);
        expect(Math.max(...walls.map(({ dropped }) => dropped))).toBeGreaterThan(0);
      },
      { firewall },
    );
  });

  it('find each other when either has moved again before they do', () => {
    scene(4, (meeting) => {
      const { client, server, story } = meeting;
      for (let time = 0; time < 4; time++) {
        for (const host of [client, server]) meeting.move(host, NONE);
        story.world.run({ for: milliseconds(55) });
      }
      expect(moveBoth(meeting, [NONE, NONE])).toBeLessThanOrEqual(UNTIL_BOTH_HEAR);
    });
  });

  it('find each other through a router that has just been started again, and knows nobody', () => {
    scene(5, (meeting) => {
      meeting.router.crash();
      meeting.router.start();
      expect(moveBoth(meeting, [NONE, NONE])).toBeLessThanOrEqual(UNTIL_BOTH_HEAR);
    });
  });

  it('find each other as soon as there is a router again', () => {
    scene(6, (meeting) => {
      const { router, story } = meeting;
      router.crash();
      story.world.in(milliseconds(10_000), () => router.start());
      // RSYNs are two seconds apart by then.
      const late = moveBoth(meeting, [NONE, NONE]) - 10_000;
      expect(late).toBeGreaterThan(0);
      expect(late).toBeLessThanOrEqual(2 * 2000);
    });
  });

  it('end in good order when that is all they have left to say', () => {
    scene(7, (meeting) => {
      meeting.story.settle();
      for (const host of [meeting.client, meeting.server]) meeting.move(host, NONE);
      meeting.story.release();
      meeting.story.world.run({ until: () => meeting.ends.every(({ isEnded }) => isEnded) });
      expect(meeting.ends.map(({ isEnded }) => isEnded)).toEqual([true, true]);
    });
  });

  it.each([
    ['client', [4, 6]],
    ['server', [4]],
  ] as const)('find each other through a router that only the %s knew, which has told of it', (known, families) => {
    scene(
      12,
      (meeting) => {
        expect(moveBoth(meeting, [NONE, NONE])).toBeLessThanOrEqual(UNTIL_BOTH_HEAR);
        expect(meeting.router.stack.sal.counters.value('resyncRelayed')).toBeGreaterThanOrEqual(1);
      },
      { known, families },
    );
  });

  it('ask no router while the other one answers', () => {
    scene(8, (meeting) => {
      const { client, server, router, story } = meeting;
      for (const host of [client, server]) {
        meeting.move(host, NONE);
        story.world.run({ for: milliseconds(500) });
      }
      const { counters } = router.stack.sal;
      expect(counters.value('resyncAlone') + counters.value('resyncRelayed')).toBe(0);
    });
  });

  it('end with ETIMEDOUT after two minutes where there is no router', () => {
    const story = new Story(9);
    story.world.tell(() => {
      const meeting = new MeetingWorld(story, { between, plan, length: 200_000 });
      story.world.run({ for: milliseconds(200) });
      meeting.router.crash();
      for (const host of [meeting.client, meeting.server]) meeting.move(host, NONE);
      story.world.run({ for: MIGRATION_LIFETIME });
      expect(meeting.ends.map(({ error }) => error?.code)).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
      story.world.run();
      for (const { stack } of [meeting.client, meeting.server]) expect(stack.sal.flowTable.size).toBe(0);
    });
  });
});

describe('both ends', () => {
  it('of connected datagram sockets find each other, too', () => {
    const story = new Story(10);
    story.world.tell(() => {
      const meeting = new MeetingWorld(story, { between, plan: {}, length: 8 });
      const { client, server, router } = meeting;
      const post = new Post();
      const service = story.service(7);
      const far = new DatagramActor('far', server, ServicePrefix.of(service), post, true);
      router.forward(server.address(), ServicePrefix.of(service));
      const near = new DatagramActor('near', client, undefined, post);
      near.handle.connect(service, {});
      story.world.run({ for: milliseconds(200) });
      for (const host of [client, server]) meeting.move(host, NONE);
      story.world.run({ for: milliseconds(UNTIL_BOTH_HEAR) });
      near.send(100, service, true);
      story.world.run({ for: milliseconds(2 * ROUND_TRIP) });
      expect([far.arrived.length, near.arrived.length]).toEqual([1, 1]);
      for (const { handle } of [near, far]) handle.close();
      story.end();
    });
  });

  it('of each flow of a connection do', () => {
    scene(
      11,
      (meeting) => {
        const [client] = meeting.ends;
        const flows = (): number[] => client!.handle!.flows.map(({ localFlowID }) => localFlowID);
        const before = flows();
        expect(before).toHaveLength(2);
        moveBoth(meeting, [NONE, NONE]);
        meeting.story.world.run({ for: milliseconds(1000) });
        expect(flows()).toEqual(expect.arrayContaining(before));
        expect(meeting.router.stack.sal.counters.value('resyncRelayed')).toBeGreaterThanOrEqual(2);
      },
      { interfaces: 2 },
    );
  });
});
