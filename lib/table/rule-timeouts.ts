// When rules end: idle and hard timeouts. A match costs no work here: the idle deadline that is queued may be too
// early, and is corrected from the rule's last match when it comes.

import { DeadlineQueue, type HasQueuePosition, NOT_QUEUED } from '../time/deadline-queue';
import { after, type Duration, earlier, type Instant, NEVER } from '../time/instant';
import { NO_RULE, type RuleNumber } from './rule-records';

/** Timeouts have numbers of their own, from 1: most rules have none. */
export const NO_TIMEOUTS = 0;

class TimedRule implements HasQueuePosition {
  queuePosition = NOT_QUEUED;
  rule: RuleNumber = NO_RULE;
  constructor(readonly number: number) {}
}

export class RuleTimeouts {
  private readonly queue = new DeadlineQueue<TimedRule>();
  private readonly timed: TimedRule[] = [new TimedRule(NO_TIMEOUTS)];
  private readonly free: TimedRule[] = [];
  // By number; NEVER where a rule has no such timeout.
  private readonly added: number[] = [NEVER];
  private readonly idle: number[] = [NEVER];
  private readonly hard: number[] = [NEVER];

  /** No rule ends before. */
  nextDeadline(): Instant {
    return this.queue.next();
  }

  idleTimeout(number: number): Duration | undefined {
    return number === NO_TIMEOUTS ? undefined : known(this.idle[number]!);
  }

  hardTimeout(number: number): Duration | undefined {
    return number === NO_TIMEOUTS ? undefined : known(this.hard[number]!);
  }

  /** Returns the number of the rule's timeouts, NO_TIMEOUTS when it has none. */
  add(rule: RuleNumber, idle: Duration | undefined, hard: Duration | undefined, now: Instant): number {
    if (idle === undefined && hard === undefined) return NO_TIMEOUTS;
    const timed = this.free.pop() ?? this.create();
    timed.rule = rule;
    this.added[timed.number] = now;
    this.idle[timed.number] = idle ?? NEVER;
    this.hard[timed.number] = hard ?? NEVER;
    this.queue.set(timed, this.deadline(timed.number, now));
    return timed.number;
  }

  remove(number: number): void {
    if (number === NO_TIMEOUTS) return;
    const timed = this.timed[number]!;
    this.queue.remove(timed);
    this.free.push(timed);
  }

  /** A rule that has ended, NO_RULE when no more have. The caller deletes it, and its timeouts with it. */
  popEnded(now: Instant, lastMatch: (rule: RuleNumber) => Instant): RuleNumber {
    for (let timed = this.queue.popDue(now); timed !== undefined; timed = this.queue.popDue(now)) {
      const deadline = this.deadline(timed.number, lastMatch(timed.rule));
      if (deadline <= now) return timed.rule;
      this.queue.set(timed, deadline);
    }
    return NO_RULE;
  }

  private deadline(number: number, lastMatch: Instant): Instant {
    const added = this.added[number]! as Instant;
    const active = lastMatch > added ? lastMatch : added;
    return earlier(after(active, this.idle[number]! as Duration), after(added, this.hard[number]! as Duration));
  }

  private create(): TimedRule {
    const timed = new TimedRule(this.timed.length);
    this.timed.push(timed);
    return timed;
  }
}

function known(timeout: number): Duration | undefined {
  return timeout === NEVER ? undefined : (timeout as Duration);
}
