// Carries a policy's questions to a resolver, and its answers back: between the sans-IO policy and promises. What the
// resolver throws, or answers wrongly, is a failed question, never more.

import type { LookupRequest } from '../controller/policies/lookup-questions';
import type { OnDemandLookup } from '../controller/policies/on-demand-lookup';
import type { ServiceController } from '../controller/service-controller';
import type { Resolver } from '../resolver/resolver';
import type { ServiceCommand, ServiceEvent } from '../stack/control-interface';
import type { Instant } from '../time/instant';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import { lookupAnswerOf } from './lookup-answer';

export interface LookupContext {
  now(): Instant;
  /** The policy has been told something: carry out what it wants. */
  run(): void;
  /** The resolver failed; told once for each message in a row. */
  problem(error: Error): void;
}

export interface LookupOptions {
  readonly policy: OnDemandLookup;
  readonly resolver: Resolver;
  /** What the resolver may say something about. */
  readonly prefix: ServicePrefix;
  /** Of addresses without one; `undefined` on a link that has no ports. */
  readonly port: number | undefined;
}

export class Lookup implements ServiceController {
  private readonly asked = new Map<number, AbortController>();
  private readonly endWatching: (() => void) | undefined;
  private lastProblem: string | undefined;
  private isClosed = false;

  constructor(
    private readonly options: LookupOptions,
    private readonly context: LookupContext,
  ) {
    this.endWatching = options.resolver.onChange?.((prefix) => this.tell((policy) => policy.handleChanged(prefix)));
  }

  handleEvent(event: ServiceEvent, now: Instant): void {
    this.options.policy.handleEvent(event, now);
    this.carryOutRequests();
  }

  pollCommand(): ServiceCommand | undefined {
    return this.options.policy.pollCommand();
  }

  nextDeadline(): Instant {
    return this.options.policy.nextDeadline();
  }

  handleDeadline(now: Instant): void {
    this.options.policy.handleDeadline(now);
    this.carryOutRequests();
  }

  /** Whoever knows what is offered on this host is another process now: what was unknown may be known. */
  handleHolderChanged(): void {
    this.tell((policy) => policy.handleChanged(this.options.prefix));
  }

  /** Nobody asks any more. The rules stay: their host is about to go, too. */
  close(): void {
    this.isClosed = true;
    this.endWatching?.();
    for (const abort of this.asked.values()) abort.abort();
    this.asked.clear();
  }

  private carryOutRequests(): void {
    const { policy } = this.options;
    for (let request = policy.pollRequest(); request; request = policy.pollRequest()) this.carryOut(request);
  }

  private carryOut(request: LookupRequest): void {
    if (request.kind === 'ask') void this.ask(request.question, request.serviceID);
    else this.forget(request.question)?.abort();
  }

  private async ask(question: number, serviceID: ServiceID): Promise<void> {
    const abort = new AbortController();
    this.asked.set(question, abort);
    const { resolver, prefix: within, port } = this.options;
    try {
      const resolution = await resolver.resolve({ serviceID }, abort.signal);
      if (abort.signal.aborted) return;
      const answer = lookupAnswerOf(resolution, { serviceID, within, port });
      this.lastProblem = undefined;
      this.tell((policy, now) => policy.handleAnswer(question, answer, now));
    } catch (error) {
      if (abort.signal.aborted) return;
      this.handleProblem(error, serviceID);
      this.tell((policy, now) => policy.handleFailure(question, now));
    } finally {
      this.forget(question);
    }
  }

  private forget(question: number): AbortController | undefined {
    const abort = this.asked.get(question);
    this.asked.delete(question);
    return abort;
  }

  private tell(say: (policy: OnDemandLookup, now: Instant) => void): void {
    if (this.isClosed) return;
    say(this.options.policy, this.context.now());
    this.carryOutRequests();
    this.context.run();
  }

  private handleProblem(error: unknown, serviceID: ServiceID): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === this.lastProblem) return;
    this.lastProblem = reason;
    this.context.problem(new Error(`the resolver did not answer for ${serviceID}: ${reason}`, { cause: error }));
  }
}
