// Service lookup on demand (§4.3): first packets for a prefix wait behind a DELAY rule while a directory is asked; its
// answer becomes FORWARD rules for as long as it holds, and what waits is released. What the directory does not know
// is refused, as long as that answer holds. Who the directory is, and how it is asked, is the caller's matter: it
// polls requests and hands in answers.

import type { ServiceCommand, ServiceEvent } from '../../stack/control-interface';
import { DEFAULT_RULE_WEIGHT, type DelayRule, type RuleScope, type ServiceRule } from '../../table/service-rule';
import type { Duration, Instant } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { type ServiceID, ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import type { ServiceController } from '../service-controller';
import { LOOKUP_ADDRESSES_MAXIMUM, LOOKUP_ANSWERS_MAXIMUM, LOOKUP_RETRY_MINIMUM } from './discovery-limits';
import { type AnswerInForce, isSameRule, LookupAnswers } from './lookup-answers';
import { LookupQuestions, type LookupRequest } from './lookup-questions';

/**
 * Above the ways to any router, the host's own included: who configures a directory wants it asked. Below the wait of
 * a process that has just started: what it does not know yet need not be asked for.
 */
export const LOOKUP_DELAY_PRIORITY = 250;
/** Above the DELAY rule, should an answer be for the whole prefix; an instance's own priority is added to the second. */
export const LOOKUP_REFUSAL_PRIORITY = 255;
export const LOOKUP_ANSWER_PRIORITY = 260;

export interface OnDemandOptions {
  readonly prefix: ServicePrefix;
  /** Longer prefixes inside it that other directories are asked for. */
  readonly except?: readonly ServicePrefix[];
  /** Index of the link that the FORWARD rules send by, as the stack numbered it. */
  readonly link: number;
  /** 'host': also for what others on the segment ask by broadcast, as its router does. Default 'network'. */
  readonly scope?: RuleScope;
  /** Who may know of what the directory does not: the process that has the services of this host. */
  readonly otherwise?: () => NetworkAddress | undefined;
}

export interface LookupInstance {
  readonly address: NetworkAddress;
  /** Of the instances, those of the highest priority are used. 0 or more. */
  readonly priority: number;
  readonly weight: number;
}

export interface LookupAnswer {
  /** What the answer is for: the service asked for, or more. */
  readonly prefix: ServicePrefix;
  /** None: there is no such service. */
  readonly instances: readonly LookupInstance[];
  /** It may be used for so long. */
  readonly lifetime: Duration;
  /** It ends earlier when nobody has used it for so long. */
  readonly idleTimeout?: Duration | undefined;
}

export class OnDemandLookup implements ServiceController {
  readonly counts = { positive: 0, negative: 0, failed: 0, abandoned: 0, refused: 0, evicted: 0 };
  private readonly commands = new CommandQueue();
  private readonly questions = new LookupQuestions();
  private readonly positive = new LookupAnswers(LOOKUP_ANSWERS_MAXIMUM);
  private readonly negative = new LookupAnswers(LOOKUP_ANSWERS_MAXIMUM);
  private readonly scope: RuleScope;

  constructor(private readonly options: OnDemandOptions) {
    this.scope = options.scope ?? 'network';
    this.commands.push({ kind: 'addRule', rule: this.delayRule() });
  }

  handleEvent(event: ServiceEvent, now: Instant): void {
    if (event.kind === 'delayed') this.handleDelayed(event.serviceID, now);
    else if (event.kind === 'abandoned') this.handleAbandoned(event.serviceID, now);
    else if (event.kind === 'ruleExpired') this.handleExpired(event.rule);
    // What is offered here now need not be in the directory.
    else if (event.kind === 'registered') this.forget(this.negative, event.prefix);
  }

  /** What the directory says to the question of that number. An answer to a question that was given up is ignored. */
  handleAnswer(question: number, answer: LookupAnswer, now: Instant): void {
    if (this.questions.answer(question, now) === undefined) return;
    if (answer.instances.length > 0) this.handlePositive(answer, now);
    else this.handleNegative(answer, now);
    this.commands.push({ kind: 'releaseDelayed', prefix: answer.prefix });
  }

  /** The directory cannot say. What waits goes on waiting, within its bounds. */
  handleFailure(question: number, now: Instant): void {
    if (this.questions.fail(question, now)) this.counts.failed++;
    this.giveUp();
  }

  /** The directory has changed what it says of `prefix`: it is asked anew when somebody wants to know. */
  handleChanged(prefix: ServicePrefix): void {
    for (const answers of [this.positive, this.negative]) this.forget(answers, prefix);
  }

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  /** Whom to ask what, and which question is no longer one. Drain it after every input. */
  pollRequest(): LookupRequest | undefined {
    return this.questions.pollRequest();
  }

  nextDeadline(): Instant {
    return this.questions.nextDeadline();
  }

  handleDeadline(now: Instant): void {
    this.counts.failed += this.questions.handleDeadline(now);
    this.giveUp();
  }

  private handleDelayed(serviceID: ServiceID, now: Instant): void {
    if (!this.isOurs(serviceID)) return;
    if (this.hasJustAnswered(serviceID, now) || !this.questions.add(serviceID, now)) this.discard(serviceID);
  }

  private giveUp(): void {
    for (let service = this.questions.pollHopeless(); service; service = this.questions.pollHopeless()) {
      this.discard(service);
    }
  }

  private discard(serviceID: ServiceID): void {
    this.counts.refused++;
    this.commands.push({ kind: 'discardDelayed', prefix: ServicePrefix.of(serviceID) });
  }

  private handleAbandoned(serviceID: ServiceID, now: Instant): void {
    if (this.questions.abandon(serviceID, now)) this.counts.abandoned++;
  }

  private handleExpired(rule: ServiceRule): void {
    if (rule.action !== 'forward' && rule.action !== 'drop') return;
    this.positive.handleExpired(rule);
    this.negative.handleExpired(rule);
  }

  private isOurs(serviceID: ServiceID): boolean {
    const { prefix, except = [] } = this.options;
    return prefix.contains(serviceID) && !except.some((other) => other.contains(serviceID));
  }

  /** And yet it waits: the rules did not take effect, and asking again would go round and round. */
  private hasJustAnswered(serviceID: ServiceID, now: Instant): boolean {
    const since = now - LOOKUP_RETRY_MINIMUM;
    return this.positive.hasFor(serviceID, since) || this.negative.hasFor(serviceID, since);
  }

  private handlePositive(answer: LookupAnswer, now: Instant): void {
    this.counts.positive++;
    const instances = answer.instances.slice(0, LOOKUP_ADDRESSES_MAXIMUM);
    this.install(this.positive, this.rulesOf(answer, instances), answer.prefix, now);
  }

  private handleNegative(answer: LookupAnswer, now: Instant): void {
    this.counts.negative++;
    // Somebody else on this host may have it.
    const address = this.options.otherwise?.();
    const others = address === undefined ? [] : [{ address, priority: 0, weight: DEFAULT_RULE_WEIGHT }];
    this.install(this.negative, this.rulesOf(answer, others), answer.prefix, now);
  }

  /** The new rules go in before those of the former answer go out. */
  private install(answers: LookupAnswers, rules: readonly ServiceRule[], prefix: ServicePrefix, now: Instant): void {
    const former = [this.positive, this.negative].flatMap((each) => each.delete(prefix)?.rules ?? []);
    for (const rule of rules) this.commands.push({ kind: 'addRule', rule });
    this.deleteRules(former.filter((each) => !rules.some((rule) => isSameRule(each, rule))));
    const evicted = answers.add({ prefix, since: now, rules });
    if (evicted === undefined) return;
    this.counts.evicted++;
    this.deleteRules(evicted.rules);
  }

  private forget(answers: LookupAnswers, prefix: ServicePrefix): void {
    for (const answer of answers.takeOverlapping(prefix)) this.deleteRules(answer.rules);
  }

  private deleteRules(rules: AnswerInForce['rules']): void {
    for (const rule of rules) this.commands.push({ kind: 'deleteRule', rule });
  }

  private forwardRule(answer: LookupAnswer, { address, priority, weight }: LookupInstance): ServiceRule {
    const { link } = this.options;
    const terms = { ...this.terms(answer), priority: LOOKUP_ANSWER_PRIORITY + priority, weight };
    return { action: 'forward', address, link, broadcast: false, scope: this.scope, ...terms };
  }

  /** To the instances, and behind them a refusal: a connect that they have refused need not wait for another answer. */
  private rulesOf(answer: LookupAnswer, instances: readonly LookupInstance[]): ServiceRule[] {
    const refusal = {
      action: 'drop',
      refuses: true,
      ...this.terms(answer),
      priority: LOOKUP_REFUSAL_PRIORITY,
    } as const;
    return [...instances.map((instance) => this.forwardRule(answer, instance)), refusal];
  }

  private terms({ prefix, lifetime, idleTimeout }: LookupAnswer) {
    const timeouts = { hardTimeout: lifetime, ...(idleTimeout === undefined ? {} : { idleTimeout }) };
    return { prefix, weight: DEFAULT_RULE_WEIGHT, ...timeouts };
  }

  private delayRule(): DelayRule {
    const { prefix } = this.options;
    const terms = { priority: LOOKUP_DELAY_PRIORITY, weight: DEFAULT_RULE_WEIGHT };
    return { action: 'delay', prefix, scope: this.scope, ...terms };
  }
}
