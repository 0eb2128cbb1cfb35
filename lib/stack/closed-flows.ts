// Flows that an end of a connection has closed on purpose while others go on (§4.4): nobody opens one there again by
// itself, and the peer is told more than once, for a RST has no answer.

import { CLOSED_FLOW_REPEAT, CLOSED_FLOW_REPEATS, CLOSED_WAYS_MAXIMUM } from '../limits';
import type { Flow } from '../sal/flow';
import { repeatReset } from '../sal/signaling/teardown';
import { after, type Duration, earlier, type Instant, NEVER } from '../time/instant';
import { isSameWay, type Way } from './way';

interface Farewell {
  readonly flow: Flow;
  repeats: number;
  at: Instant;
}

export class ClosedFlows {
  ways: readonly Way[] = [];
  private farewells: Farewell[] = [];

  /** The peer has closed it. */
  add({ path }: Flow): void {
    if (path?.local === undefined) return;
    const way = { local: path.local, remote: path.remote };
    this.ways = [way, ...this.without(way)].slice(0, CLOSED_WAYS_MAXIMUM);
  }

  /** We do. */
  addOwn(flow: Flow, now: Instant): void {
    this.add(flow);
    this.farewells.push({ flow, repeats: 0, at: after(now, CLOSED_FLOW_REPEAT) });
  }

  /** It is wanted again. */
  forget(way: Way): void {
    this.ways = this.without(way);
  }

  nextDeadline(): Instant {
    let next = NEVER;
    for (const { at } of this.farewells) next = earlier(next, at);
    return next;
  }

  handleDeadline(now: Instant): void {
    for (const farewell of this.farewells) {
      if (farewell.at > now) continue;
      repeatReset(farewell.flow);
      farewell.repeats++;
      farewell.at = after(now, (CLOSED_FLOW_REPEAT * 2 ** farewell.repeats) as Duration);
    }
    this.farewells = this.farewells.filter(({ repeats }) => repeats < CLOSED_FLOW_REPEATS);
  }

  private without(way: Way): readonly Way[] {
    return this.ways.filter((each) => !isSameWay(each, way));
  }
}
