// A directory in virtual time: the lookup policy of a host, and who answers it after a while. No promises, so that a
// story is the same each time.

import type { LookupAnswer, LookupInstance } from '../../lib/controller/policies/on-demand-lookup';
import { OnDemandLookup, type OnDemandOptions } from '../../lib/controller/policies/on-demand-lookup';
import type { ServiceController } from '../../lib/controller/service-controller';
import type { ServiceCommand, ServiceEvent } from '../../lib/stack/control-interface';
import { after, type Duration, earlier, type Instant, NEVER, seconds } from '../../lib/time/instant';
import type { NetworkAddress } from '../../lib/wire/network-address';
import { type ServiceID, ServicePrefix } from '../../lib/wire/service-id';

interface Pending {
  readonly question: number;
  readonly serviceID: ServiceID;
  readonly at: Instant;
}

export class Directory implements ServiceController {
  readonly policy: OnDemandLookup;
  readonly asked: ServiceID[] = [];
  aborted = 0;
  /** How long an answer takes, and holds. */
  delay: Duration = seconds(0.01);
  lifetime: Duration = seconds(30);
  /** Until then it answers nothing. */
  private silentUntil = 0 as Instant;
  private readonly entries = new Map<string, LookupInstance[]>();
  private pending: Pending[] = [];

  constructor(options: OnDemandOptions) {
    this.policy = new OnDemandLookup(options);
  }

  /** From now on the service is there. Nowhere: it does not exist. */
  say(serviceID: ServiceID, ...addresses: NetworkAddress[]): void {
    this.entries.set(
      serviceID.toString(),
      addresses.map((address) => ({ address, priority: 0, weight: 1 })),
    );
  }

  beSilent(until: Instant): void {
    this.silentUntil = until;
  }

  handleEvent(event: ServiceEvent, now: Instant): void {
    this.policy.handleEvent(event, now);
    this.takeRequests(now);
  }

  pollCommand(): ServiceCommand | undefined {
    return this.policy.pollCommand();
  }

  nextDeadline(): Instant {
    return this.pending.reduce((next, { at }) => earlier(next, at), this.policy.nextDeadline()) ?? NEVER;
  }

  handleDeadline(now: Instant): void {
    const due = this.pending.filter(({ at }) => at <= now);
    this.pending = this.pending.filter(({ at }) => at > now);
    for (const { question, serviceID } of due) this.policy.handleAnswer(question, this.answerFor(serviceID), now);
    this.policy.handleDeadline(now);
    this.takeRequests(now);
  }

  private takeRequests(now: Instant): void {
    for (let request = this.policy.pollRequest(); request; request = this.policy.pollRequest()) {
      const { question } = request;
      if (request.kind === 'abort') {
        this.aborted++;
        this.pending = this.pending.filter((each) => each.question !== question);
      } else {
        this.asked.push(request.serviceID);
        if (now >= this.silentUntil) {
          this.pending.push({ question, serviceID: request.serviceID, at: after(now, this.delay) });
        }
      }
    }
  }

  private answerFor(serviceID: ServiceID): LookupAnswer {
    const instances = this.entries.get(serviceID.toString()) ?? [];
    return { prefix: ServicePrefix.of(serviceID), instances, lifetime: this.lifetime };
  }
}
