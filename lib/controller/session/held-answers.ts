// Answers that wait for the router above: who hears that a service is registered may tell the whole world, and must find
// it known along the whole way. None waits longer than `listen` would.

import { after, type Instant, NEVER } from '../../time/instant';
import { REGISTRATION_WAIT_MAXIMUM } from './session-limits';

interface HeldAnswer {
  readonly until: Instant;
  readonly give: () => void;
  isGiven: boolean;
}

export class HeldAnswers {
  private readonly byKey = new Map<string, HeldAnswer[]>();
  /** In the order in which they are due; given ones among them, until their time comes. */
  private queue: HeldAnswer[] = [];
  private head = 0;

  /** `key`: what the router above has to know first. */
  hold(key: string, give: () => void, now: Instant): void {
    const answer = { until: after(now, REGISTRATION_WAIT_MAXIMUM), give, isGiven: false };
    this.queue.push(answer);
    const others = this.byKey.get(key);
    if (others === undefined) this.byKey.set(key, [answer]);
    else others.push(answer);
  }

  /** The router above knows it now. */
  release(key: string): void {
    const answers = this.byKey.get(key);
    this.byKey.delete(key);
    for (const answer of answers ?? []) giveOnce(answer);
  }

  /** There is no router above to wait for. */
  releaseAll(): void {
    const { queue, head } = this;
    this.queue = [];
    this.head = 0;
    this.byKey.clear();
    for (let index = head; index < queue.length; index++) giveOnce(queue[index]!);
  }

  nextDeadline(): Instant {
    return this.queue[this.head]?.until ?? NEVER;
  }

  handleDeadline(now: Instant): void {
    while (this.nextDeadline() <= now) giveOnce(this.queue[this.head++]!);
    if (this.head < this.queue.length) return;
    this.queue = [];
    this.head = 0;
    this.byKey.clear();
  }
}

function giveOnce(answer: HeldAnswer): void {
  if (answer.isGiven) return;
  answer.isGiven = true;
  answer.give();
}
