// The questions that wait for a resolver's answer: one for each service, some of them asked, the others in line or in
// the pause after a failure. Whoever has the resolver polls what to ask and what to give up.

import { DeadlineQueue, NOT_QUEUED } from '../../time/deadline-queue';
import { after, type Instant, milliseconds } from '../../time/instant';
import type { ServiceID } from '../../wire/service-id';
import {
  LOOKUP_ATTEMPTS_MAXIMUM,
  LOOKUP_RETRY_MAXIMUM,
  LOOKUP_RETRY_MINIMUM,
  LOOKUP_TIMEOUT,
  LOOKUPS_IN_LINE_MAXIMUM,
  LOOKUPS_OUTSTANDING_MAXIMUM,
} from './discovery-limits';

/** What is to be done at the resolver. */
export type LookupRequest =
  | { readonly kind: 'ask'; readonly question: number; readonly serviceID: ServiceID }
  | { readonly kind: 'abort'; readonly question: number };

interface Question {
  readonly serviceID: ServiceID;
  /** Names this attempt towards the resolver; 0 while nobody is asked. */
  number: number;
  failures: number;
  queuePosition: number;
}

export class LookupQuestions {
  private readonly byService = new Map<string, Question>();
  private readonly asked = new Map<number, Question>();
  /** In the order in which they came. */
  private readonly inLine = new Set<Question>();
  /** Of those asked: when the resolver has failed. Of those that pause: when to ask again. */
  private readonly deadlines = new DeadlineQueue<Question>();
  private readonly requests: LookupRequest[] = [];
  private readonly hopeless: ServiceID[] = [];
  private lastNumber = 0;

  get outstanding(): number {
    return this.asked.size;
  }

  nextDeadline(): Instant {
    return this.deadlines.next();
  }

  pollRequest(): LookupRequest | undefined {
    return this.requests.shift();
  }

  /** A service that the resolver has failed to say anything about too often. */
  pollHopeless(): ServiceID | undefined {
    return this.hopeless.shift();
  }

  /** False when there are too many already. A service that is asked for is not asked for again. */
  add(serviceID: ServiceID, now: Instant): boolean {
    if (this.byService.has(serviceID.toString())) return true;
    if (this.byService.size >= LOOKUPS_OUTSTANDING_MAXIMUM + LOOKUPS_IN_LINE_MAXIMUM) return false;
    const question = { serviceID, number: 0, failures: 0, queuePosition: NOT_QUEUED };
    this.byService.set(serviceID.toString(), question);
    this.ask(question, now);
    return true;
  }

  /** Nobody wants to know any more. False when nobody had asked. */
  abandon(serviceID: ServiceID, now: Instant): boolean {
    const question = this.byService.get(serviceID.toString());
    if (question === undefined) return false;
    if (question.number !== 0) this.requests.push({ kind: 'abort', question: question.number });
    this.end(question, now);
    return true;
  }

  /** The resolver has answered: the service it was asked for, if the question still stands. */
  answer(number: number, now: Instant): ServiceID | undefined {
    const question = this.asked.get(number);
    if (question !== undefined) this.end(question, now);
    return question?.serviceID;
  }

  /** The resolver could not say: it is asked again, unless nobody waits by then. */
  fail(number: number, now: Instant): boolean {
    const question = this.asked.get(number);
    if (question === undefined) return false;
    this.pause(question, now);
    this.askNext(now);
    return true;
  }

  /** Asks again what has paused. Gives how many questions the resolver has left unanswered too long. */
  handleDeadline(now: Instant): number {
    let timeouts = 0;
    for (let question = this.deadlines.popDue(now); question; question = this.deadlines.popDue(now)) {
      if (question.number === 0) this.ask(question, now);
      else {
        timeouts++;
        this.requests.push({ kind: 'abort', question: question.number });
        this.pause(question, now);
      }
    }
    this.askNext(now);
    return timeouts;
  }

  private ask(question: Question, now: Instant): void {
    if (this.asked.size >= LOOKUPS_OUTSTANDING_MAXIMUM) {
      this.inLine.add(question);
      return;
    }
    this.lastNumber = (this.lastNumber % 0x7fffffff) + 1;
    question.number = this.lastNumber;
    this.asked.set(question.number, question);
    this.deadlines.set(question, after(now, LOOKUP_TIMEOUT));
    this.requests.push({ kind: 'ask', question: question.number, serviceID: question.serviceID });
  }

  private askNext(now: Instant): void {
    for (const question of this.inLine) {
      if (this.asked.size >= LOOKUPS_OUTSTANDING_MAXIMUM) return;
      this.inLine.delete(question);
      this.ask(question, now);
    }
  }

  private pause(question: Question, now: Instant): void {
    this.asked.delete(question.number);
    question.number = 0;
    if (question.failures + 1 >= LOOKUP_ATTEMPTS_MAXIMUM) {
      this.hopeless.push(question.serviceID);
      return this.end(question, now);
    }
    const pause = Math.min(LOOKUP_RETRY_MINIMUM * 2 ** question.failures++, LOOKUP_RETRY_MAXIMUM);
    this.deadlines.set(question, after(now, milliseconds(pause)));
  }

  private end(question: Question, now: Instant): void {
    this.byService.delete(question.serviceID.toString());
    this.asked.delete(question.number);
    this.inLine.delete(question);
    this.deadlines.remove(question);
    this.askNext(now);
  }
}
