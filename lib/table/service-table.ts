// STOPGAP by the integrator so that the stack runs: the table engineer overwrites this file freely, keeping
// ResolutionReach and the method names used here (resolve/selectedSet take `{ protocol, reach }`).

import { type Instant, NEVER } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { ServiceID } from '../wire/service-id';
import { PrefixIndex } from './prefix-index';
import type { ForwardRule, RuleKey, ServiceRule } from './service-rule';

/** How far a first packet may go on from here. */
export const ResolutionReach = {
  /** Any rule. */
  any: 'any',
  /** Not to broadcast addresses: strangers cannot make us broadcast. */
  unicast: 'unicast',
  /** Only FORWARD rules of scope 'host': packets received by broadcast. */
  host: 'host',
  /** No FORWARD rules at all: a stack that is no router. */
  process: 'process',
} as const;
export type ResolutionReach = (typeof ResolutionReach)[keyof typeof ResolutionReach];

export interface ResolutionQuery {
  readonly protocol: 6 | 17;
  readonly reach: ResolutionReach;
}

export class ServiceTable {
  private readonly index = new PrefixIndex<ServiceRule[]>();

  addRule(rule: ServiceRule, _now: Instant): 'added' | 'exists' {
    const rules = this.index.get(rule.prefix) ?? [];
    if (rule.action === 'demux' && rules.some((each) => each.action === 'demux' && each.protocol === rule.protocol)) return 'exists';
    const kept = rules.filter((each) => !sameRule(each, rule));
    this.index.insert(rule.prefix, [...kept, rule]);
    return 'added';
  }

  deleteRule(key: RuleKey): boolean {
    const rules = this.index.get(key.prefix) ?? [];
    const kept = rules.filter((each) => !sameRule(each, key));
    if (kept.length === 0) this.index.delete(key.prefix);
    else this.index.insert(key.prefix, kept);
    return kept.length < rules.length;
  }

  modifyRule(_key: RuleKey, _change: { readonly priority?: number; readonly weight?: number }): boolean {
    return false;
  }

  resolve(id: ServiceID, query: ResolutionQuery, _now: Instant, random: RandomSource): ServiceRule | undefined {
    for (const rules of this.index.matches(id)) {
      const usable = rules.filter((rule) => isUsable(rule, query));
      if (usable.length === 0) continue;
      const highest = Math.max(...usable.map((rule) => rule.priority));
      const set = usable.filter((rule) => rule.priority === highest);
      let point = random.fraction() * set.reduce((sum, rule) => sum + rule.weight, 0);
      for (const rule of set) {
        point -= rule.weight;
        if (point < 0) return rule;
      }
      return set[0];
    }
    return undefined;
  }

  selectedSet(rule: ForwardRule, reach: ResolutionReach): readonly ForwardRule[] {
    const rules = this.index.get(rule.prefix) ?? [];
    return rules.filter(
      (each): each is ForwardRule =>
        each.action === 'forward' && each.priority === rule.priority && isUsable(each, { protocol: 6, reach }),
    );
  }

  recordMatch(_rule: ServiceRule, _bytes: number, _now: Instant): void {}
  recordDrop(_rule: ServiceRule, _bytes: number, _now: Instant): void {}

  nextDeadline(): Instant {
    return NEVER;
  }

  expire(_now: Instant): ServiceRule[] {
    return [];
  }
}

function isUsable(rule: ServiceRule, query: ResolutionQuery): boolean {
  if (rule.action === 'demux') return rule.protocol === query.protocol;
  if (rule.action !== 'forward') return true;
  if (query.reach === 'any') return true;
  if (query.reach === 'unicast') return !rule.broadcast;
  return query.reach === 'host' && rule.scope === 'host';
}

function sameRule(a: ServiceRule | RuleKey, b: ServiceRule | RuleKey): boolean {
  if (a.action !== b.action) return false;
  if (a.action === 'forward' && b.action === 'forward') return a.address.equals(b.address) && a.link === b.link;
  if (a.action === 'demux' && b.action === 'demux') return a.protocol === b.protocol && a.socket === b.socket;
  return true;
}
