// FORWARD rules that resolution passes over for a while, because their instances do not answer. The mark is in the
// rule, and goes with it: nothing is remembered of a rule that its owner took out. Of a prefix one rule at least is
// left to resolution always - where none answers, one that does not is no worse than none.

import type { KeptTargets } from './kept-targets';
import type { PrefixRules } from './prefix-rules';
import { NO_RULE, RuleField, RuleFlag, type RuleNumber, type RuleRecords } from './rule-records';
import type { RuleStore } from './rule-store';

export class RuleEjection {
  private readonly records: RuleRecords;
  private count = 0;

  constructor(
    private readonly store: RuleStore,
    private readonly prefixes: PrefixRules,
    private readonly targets: Pick<KeptTargets, 'forget'>,
  ) {
    this.records = store.records;
  }

  /** Whether any rule is passed over. */
  get isAny(): boolean {
    return this.count > 0;
  }

  /** False for the last rule of its prefix that leads somewhere, and for one that is no instance's. */
  eject(rule: RuleNumber): boolean {
    if (this.store.isEjected(rule)) return true;
    const flags = this.records.field(rule, RuleField.flags);
    if ((flags & RuleFlag.forward) === 0 || (flags & RuleFlag.broadcast) !== 0) return false;
    if (!this.hasUsable(this.firstOf(rule), rule)) return false;
    this.mark(rule, true);
    return true;
  }

  /** False when it was not passed over. */
  readmit(rule: RuleNumber): boolean {
    if (!this.store.isEjected(rule)) return false;
    this.mark(rule, false);
    return true;
  }

  /** Rules of a prefix that lead to somebody, and how many of them are passed over. */
  countFrom(first: RuleNumber): { readonly instances: number; readonly ejected: number } {
    let instances = 0;
    let ejected = 0;
    for (let rule = first; rule !== NO_RULE; rule = this.prefixes.next(rule)) {
      const flags = this.records.field(rule, RuleField.flags);
      if ((flags & (RuleFlag.forward | RuleFlag.demux)) === 0 || (flags & RuleFlag.broadcast) !== 0) continue;
      instances++;
      if ((flags & RuleFlag.ejected) !== 0) ejected++;
    }
    return { instances, ejected };
  }

  /** The rule is about to be taken out: if only ejected ones are left of its prefix, they are tried again. */
  handleRemoval(rule: RuleNumber): void {
    if (this.count === 0) return;
    if (this.store.isEjected(rule)) this.count--;
    const first = this.firstOf(rule);
    if (this.hasUsable(first, rule)) return;
    for (let each = first; each !== NO_RULE; each = this.prefixes.next(each)) if (each !== rule) this.readmit(each);
  }

  private mark(rule: RuleNumber, isEjected: boolean): void {
    this.store.setEjected(rule, isEjected);
    this.count += isEjected ? 1 : -1;
    this.targets.forget(this.records.field(rule, RuleField.slot));
  }

  /** Whether a rule from `first` on, other than `except`, leads somewhere. */
  private hasUsable(first: RuleNumber, except: RuleNumber): boolean {
    for (let rule = first; rule !== NO_RULE; rule = this.prefixes.next(rule)) {
      const flags = this.records.field(rule, RuleField.flags);
      const leads = (flags & (RuleFlag.forward | RuleFlag.demux)) !== 0 && (flags & RuleFlag.ejected) === 0;
      if (leads && rule !== except) return true;
    }
    return false;
  }

  private firstOf(rule: RuleNumber): RuleNumber {
    return this.prefixes.firstOf(this.records.field(rule, RuleField.slot));
  }
}
