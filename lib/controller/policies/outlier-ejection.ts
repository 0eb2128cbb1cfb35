// Passive ejection of instances that do not take connections (docs/choosing-instances.md has the rules). What is
// noticed is a reason to ask: an instance that is slow to answer our own probe, or has left a SYN of our own unanswered,
// is suspected and passed over until it answers; one that does not answer is, for a time that doubles, and comes back
// with the first probe that it answers. So whoever can send packets, but not take those of others off their way, makes
// us send two SYNs a second and eject nobody.

import {
  OUTLIER_EJECTION_FIRST,
  OUTLIER_EJECTION_MAXIMUM,
  OUTLIER_MEMORY,
  OUTLIER_PROBE_INTERVAL,
  OUTLIER_PROBE_TIMEOUT,
  OUTLIER_PROBES_PER_SERVICE,
  OUTLIER_SERVICES_MAXIMUM,
  OUTLIER_SHARE_MAXIMUM,
  OUTLIER_SUSPICION,
  OUTLIER_SUSPICION_SHARE,
  OUTLIERS_MAXIMUM,
} from '../../limits';
import type { ProbeOutcome, ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import type { ForwardRule, ServiceRule } from '../../table/service-rule';
import { DeadlineQueue, type HasQueuePosition, NOT_QUEUED } from '../../time/deadline-queue';
import { after, type Duration, type Instant, milliseconds } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { type ServiceID, ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';

/** What the policy asks of the service table. */
export interface EjectionView {
  /** Rules of exactly this prefix that lead somewhere, and how many of them are passed over. */
  ejectionOf(prefix: ServicePrefix): { readonly instances: number; readonly ejected: number };
  /** The rules of exactly this prefix. */
  rulesOf(prefix: ServicePrefix): readonly ServiceRule[];
  /** Whether the rule is passed over; `undefined` when there is none. */
  isEjected(rule: InstanceRule): boolean | undefined;
}

export interface OutlierEjectionOptions {
  readonly first?: Duration;
  readonly maximum?: Duration;
  /** Of the instances of a prefix, from 0 to 1. */
  readonly share?: number;
}

/** Names the FORWARD rule of one instance. */
export interface InstanceRule {
  readonly action: 'forward';
  readonly prefix: ServicePrefix;
  readonly address: NetworkAddress;
  readonly link: number;
}

type Failure = Extract<ServiceEvent, { kind: 'instanceFailed' }>;
type Probed = Extract<ServiceEvent, { kind: 'probed' }>;

/**
 * `suspected`: asked because something failed, and passed over from its deadline on. `well`: answered, and is not asked
 * again for a while. `ejected`: passed over until its deadline. `returning`: passed over, and asked.
 */
type Phase = 'suspected' | 'well' | 'ejected' | 'returning';

class Outlier implements HasQueuePosition {
  queuePosition = NOT_QUEUED;
  phase: Phase = 'suspected';
  /** Times in a row that it was passed over. */
  ejections = 0;
  /** Before, it is not asked again. */
  askableAt = 0 as Instant;

  constructor(
    readonly key: string,
    readonly rule: InstanceRule,
    readonly serviceID: ServiceID,
    /** ICMP said that nobody is at the address itself. */
    public isUnreachable: boolean,
  ) {}
}

export class OutlierEjection implements ServiceController {
  private readonly commands = new CommandQueue();
  private readonly outliers = new Map<string, Outlier>();
  private readonly deadlines = new DeadlineQueue<Outlier>();
  /** Services whose instances were asked in this interval, and how many intervals there were. */
  private readonly servicesAsked = new Set<string>();
  private turnEnd = Number.NEGATIVE_INFINITY as Instant;
  private turn = 0;
  private readonly first: Duration;
  private readonly maximum: Duration;
  private readonly share: number;

  constructor(
    private readonly table: EjectionView,
    options: OutlierEjectionOptions = {},
  ) {
    this.first = options.first ?? OUTLIER_EJECTION_FIRST;
    this.maximum = options.maximum ?? OUTLIER_EJECTION_MAXIMUM;
    this.share = options.share ?? OUTLIER_SHARE_MAXIMUM;
  }

  handleEvent(event: ServiceEvent, now: Instant): void {
    if (event.kind === 'instanceFailed') this.handleFailure(event, now);
    else if (event.kind === 'connectRetried') this.handleRetried(event.serviceID, now);
    else if (event.kind === 'probed') this.handleProbed(event, now);
  }

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  nextDeadline(): Instant {
    return this.deadlines.next();
  }

  handleDeadline(now: Instant): void {
    for (let due = this.deadlines.popDue(now); due !== undefined; due = this.deadlines.popDue(now)) {
      if (due.phase === 'suspected') this.passOver(due, OUTLIER_SUSPICION_SHARE);
      // Who did well for so long, and whose rule was taken out and perhaps came back, is nobody we know.
      else if (due.phase !== 'ejected' || this.table.isEjected(due.rule) !== true) this.forget(due);
      else this.ask(due, 'returning');
    }
  }

  private handleFailure({ prefix, address, link, serviceID, why }: Failure, now: Instant): void {
    if (!tellsOfInstance(prefix, why)) return;
    const key = `${prefix} ${address} ${link}`;
    const known = this.outliers.get(key);
    if (known === undefined && this.outliers.size >= OUTLIERS_MAXIMUM) return;
    const isUnreachable = why === 'unreachable';
    const outlier = known ?? new Outlier(key, { action: 'forward', prefix, address, link }, serviceID, isUnreachable);
    if (outlier.phase === 'ejected' && this.table.isEjected(outlier.rule) === false) outlier.phase = 'well';
    if (known !== undefined && (outlier.phase !== 'well' || now < outlier.askableAt)) return;
    outlier.isUnreachable = isUnreachable;
    this.outliers.set(key, outlier);
    // That a SYN of our own is not answered is nobody's say-so.
    if (why === 'unanswered') this.passOver(outlier, OUTLIER_SUSPICION_SHARE);
    this.ask(outlier, 'suspected');
    if (why !== 'unanswered') this.deadlines.set(outlier, after(now, OUTLIER_SUSPICION));
  }

  /** Some instance has failed somebody: all are asked, some at a time. */
  private handleRetried(serviceID: ServiceID, now: Instant): void {
    if (now >= this.turnEnd) {
      this.turnEnd = after(now, OUTLIER_PROBE_INTERVAL);
      this.servicesAsked.clear();
      this.turn++;
    }
    const key = serviceID.toString();
    if (this.servicesAsked.has(key) || this.servicesAsked.size >= OUTLIER_SERVICES_MAXIMUM) return;
    this.servicesAsked.add(key);
    const prefix = ServicePrefix.of(serviceID);
    const rules = this.table.rulesOf(prefix).filter(isInstance);
    for (let count = 0; count < Math.min(rules.length, OUTLIER_PROBES_PER_SERVICE); count++) {
      const { address, link } = rules[(this.turn * OUTLIER_PROBES_PER_SERVICE + count) % rules.length]!;
      this.handleFailure({ kind: 'instanceFailed', prefix, address, link, serviceID, why: 'retried' }, now);
    }
  }

  private ask(outlier: Outlier, phase: Phase): void {
    const { serviceID, rule } = outlier;
    outlier.phase = phase;
    this.deadlines.remove(outlier);
    const { address, link } = rule;
    this.commands.push({ kind: 'probe', serviceID, address, link, timeout: OUTLIER_PROBE_TIMEOUT });
  }

  private handleProbed({ serviceID, address, link, outcome }: Probed, now: Instant): void {
    for (const outlier of this.outliers.values()) {
      const isAsked = outlier.phase === 'suspected' || outlier.phase === 'returning';
      const { rule } = outlier;
      if (!isAsked || link !== rule.link || !address.equals(rule.address)) continue;
      if (outlier.serviceID.equals(serviceID)) this.conclude(outlier, outcome, now);
    }
  }

  private conclude(outlier: Outlier, outcome: ProbeOutcome, now: Instant): void {
    const isEjected = this.table.isEjected(outlier.rule);
    if (isEjected === undefined) this.forget(outlier);
    else if (outlier.phase === 'suspected') this.judge(outlier, outcome, isEjected, now);
    else if (fails(outlier, outcome)) this.eject(outlier, now);
    else if (outcome === 'skipped') this.wait(outlier, this.first, now);
    else this.readmit(outlier, now);
  }

  private judge(outlier: Outlier, outcome: ProbeOutcome, isPassedOver: boolean, now: Instant): void {
    if (!fails(outlier, outcome)) {
      if (isPassedOver) this.commands.push({ kind: 'readmitRule', rule: outlier.rule, wasWell: true });
      this.rest(outlier, now);
    } else if (!isPassedOver && !this.passOver(outlier, this.share)) this.rest(outlier, now);
    // Where everybody is busy, probes are lost like other packets, and who is passed over makes the others busier
    // still: who was silent is asked again at once, and back as soon as it answers.
    else if (outcome === 'unanswered') this.ask(outlier, 'returning');
    else this.eject(outlier, now);
  }

  /** False when so many are passed over that this one may not be. */
  private passOver({ rule, isUnreachable }: Outlier, share: number): boolean {
    if (rule.prefix.bits !== SERVICE_ID_BITS && !isUnreachable) return false;
    const { instances, ejected } = this.table.ejectionOf(rule.prefix);
    if (ejected + 1 > Math.max(1, Math.floor(Math.min(share, this.share) * instances))) return false;
    this.commands.push({ kind: 'ejectRule', rule });
    return true;
  }

  private eject(outlier: Outlier, now: Instant): void {
    const duration = Math.min(this.first * 2 ** outlier.ejections, this.maximum);
    outlier.ejections++;
    this.wait(outlier, milliseconds(duration), now);
  }

  private wait(outlier: Outlier, duration: Duration, now: Instant): void {
    outlier.phase = 'ejected';
    this.deadlines.set(outlier, after(now, duration));
  }

  private readmit(outlier: Outlier, now: Instant): void {
    this.commands.push({ kind: 'readmitRule', rule: outlier.rule });
    this.rest(outlier, now);
  }

  /** It is remembered while it has not been well for long, so that who fails again and again is away for longer. */
  private rest(outlier: Outlier, now: Instant): void {
    outlier.phase = 'well';
    outlier.askableAt = after(now, OUTLIER_PROBE_INTERVAL);
    this.deadlines.set(outlier, outlier.ejections === 0 ? outlier.askableAt : after(now, OUTLIER_MEMORY));
  }

  private forget(outlier: Outlier): void {
    this.deadlines.remove(outlier);
    this.outliers.delete(outlier.key);
  }
}

/**
 * A name that nobody has below a prefix is refused, or not answered by whoever is behind, and says nothing of the one
 * that has the prefix. Default rules lead to routers, which nothing stands in for.
 */
function tellsOfInstance(prefix: ServicePrefix, why: Failure['why']): boolean {
  return prefix.bits === SERVICE_ID_BITS || (why === 'unreachable' && prefix.bits > 0);
}

function isInstance(rule: ServiceRule): rule is ForwardRule {
  return rule.action === 'forward' && !rule.broadcast && rule.ejected !== true;
}

function fails({ rule, isUnreachable }: Outlier, outcome: ProbeOutcome): boolean {
  if (outcome === 'unanswered') return rule.prefix.bits === SERVICE_ID_BITS || isUnreachable;
  return outcome === 'refused' && rule.prefix.bits === SERVICE_ID_BITS;
}

const SERVICE_ID_BITS = 256;
