// What a resolver has answered and is in force: the rules of each answer, by the prefix it is for. Bounded: past the
// bound the oldest answer goes. When to ask, and what to do with an answer, is the lookup's matter.

import type { RuleKey } from '../../table/service-rule';
import type { Instant } from '../../time/instant';
import { type ServiceID, ServicePrefix } from '../../wire/service-id';

export interface AnswerInForce {
  readonly prefix: ServicePrefix;
  readonly since: Instant;
  readonly rules: readonly RuleKey[];
}

export class LookupAnswers {
  /** In the order in which they were given. */
  private readonly answers = new Map<string, AnswerInForce>();
  /** How many prefixes there are of each length. */
  private readonly lengths = new Map<number, number>();

  constructor(private readonly maximum: number) {}

  get size(): number {
    return this.answers.size;
  }

  find(prefix: ServicePrefix): AnswerInForce | undefined {
    return this.answers.get(prefix.toString());
  }

  /** Whether an answer that was given after `since` is for the service. */
  hasFor(serviceID: ServiceID, since: number): boolean {
    for (const bits of this.lengths.keys()) {
      const answer = this.find(ServicePrefix.of(serviceID, bits));
      if (answer !== undefined && answer.since > since) return true;
    }
    return false;
  }

  /** Gives the answer that has to go for it. */
  add(answer: AnswerInForce): AnswerInForce | undefined {
    this.delete(answer.prefix);
    this.answers.set(answer.prefix.toString(), answer);
    this.countLength(answer.prefix.bits, 1);
    if (this.answers.size <= this.maximum) return undefined;
    const [oldest] = this.answers.values();
    return this.delete(oldest!.prefix);
  }

  delete(prefix: ServicePrefix): AnswerInForce | undefined {
    const answer = this.find(prefix);
    if (this.answers.delete(prefix.toString())) this.countLength(prefix.bits, -1);
    return answer;
  }

  /** A rule of the table has ended by itself. */
  handleExpired(rule: RuleKey): void {
    const answer = this.find(rule.prefix);
    if (answer === undefined) return;
    const rules = answer.rules.filter((each) => !isSameRule(each, rule));
    if (rules.length === 0) this.delete(rule.prefix);
    // In its place: an answer does not grow younger by losing an address.
    else this.answers.set(rule.prefix.toString(), { ...answer, rules });
  }

  /** Takes out what says something about `prefix`, or about a part of it. */
  takeOverlapping(prefix: ServicePrefix): AnswerInForce[] {
    const taken = [...this.answers.values()].filter(
      (answer) => prefix.containsPrefix(answer.prefix) || answer.prefix.containsPrefix(prefix),
    );
    for (const answer of taken) this.delete(answer.prefix);
    return taken;
  }

  private countLength(bits: number, by: number): void {
    const count = (this.lengths.get(bits) ?? 0) + by;
    if (count === 0) this.lengths.delete(bits);
    else this.lengths.set(bits, count);
  }
}

/** Whether both name one rule, their prefixes being equal. */
export function isSameRule(one: RuleKey, other: RuleKey): boolean {
  if (one.action !== 'forward' || other.action !== 'forward') return one.action === other.action;
  return one.link === other.link && one.address.equals(other.address);
}
