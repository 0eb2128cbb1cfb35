// Which rules a prefix has, and in what order: a list through the records, the highest priority first, and those of
// one priority as they came. The prefix's tag in the trie is the number of the first.

import type { ServiceID, ServicePrefix } from '../wire/service-id';
import type { KeptTargets } from './kept-targets';
import { NOT_FOUND, PrefixTrie } from './prefix-trie';
import { NO_RULE, RuleField, type RuleNumber, type RuleRecords } from './rule-records';

export class PrefixRules {
  private readonly trie = new PrefixTrie();

  constructor(
    private readonly records: RuleRecords,
    /** Told when the rules of a prefix change. */
    private readonly targets: Pick<KeptTargets, 'forget'>,
  ) {}

  /** Finds the prefixes that contain `id` and returns how many; `firstMatched(count - 1)` is of the longest. */
  match(id: ServiceID): number {
    return this.trie.match(id);
  }

  firstMatched(index: number): RuleNumber {
    return this.trie.tag(this.trie.matched(index));
  }

  /** As PrefixTrie.readAhead, and of each prefix found the first rule. */
  readAhead(ids: Uint32Array, count: number): void {
    const ahead = this.trie.readAhead(ids, count);
    for (let index = 0; index < count; index++) {
      const slot = ahead.slot(index);
      if (slot >= 0) ahead.touched ^= this.records.touch(this.trie.tag(slot));
    }
  }

  /** The first rule of exactly this prefix. */
  first(prefix: ServicePrefix): RuleNumber {
    const slot = this.trie.find(prefix);
    return slot === NOT_FOUND ? NO_RULE : this.trie.tag(slot);
  }

  /** The first rule of the prefix at this slot of the trie. */
  firstOf(slot: number): RuleNumber {
    return this.trie.tag(slot);
  }

  next(rule: RuleNumber): RuleNumber {
    return this.records.field(rule, RuleField.next);
  }

  priority(rule: RuleNumber): number {
    return this.records.field(rule, RuleField.priority);
  }

  prefixOf(rule: RuleNumber): ServicePrefix {
    return this.trie.prefix(this.records.field(rule, RuleField.slot));
  }

  /** Gives a new rule to the prefix. */
  add(prefix: ServicePrefix, rule: RuleNumber): void {
    this.records.setField(rule, RuleField.slot, this.trie.insert(prefix));
    this.attach(rule);
  }

  /** Takes the rule away, and the prefix with the last of its rules. */
  remove(rule: RuleNumber): void {
    const slot = this.records.field(rule, RuleField.slot);
    this.detach(rule);
    if (this.trie.tag(slot) === NO_RULE) this.trie.remove(slot);
  }

  /** `change` may give the rule another priority: its place follows. */
  reorder(rule: RuleNumber, change: () => void): void {
    this.detach(rule);
    change();
    this.attach(rule);
  }

  private attach(rule: RuleNumber): void {
    const slot = this.records.field(rule, RuleField.slot);
    const priority = this.priority(rule);
    let before = NO_RULE;
    let behind = this.trie.tag(slot);
    while (behind !== NO_RULE && this.priority(behind) >= priority) {
      before = behind;
      behind = this.next(behind);
    }
    this.records.setField(rule, RuleField.next, behind);
    this.setNext(slot, before, rule);
  }

  private detach(rule: RuleNumber): void {
    const slot = this.records.field(rule, RuleField.slot);
    let before = NO_RULE;
    for (let each = this.trie.tag(slot); each !== rule; each = this.next(each)) before = each;
    this.setNext(slot, before, this.next(rule));
  }

  private setNext(slot: number, before: RuleNumber, rule: RuleNumber): void {
    if (before === NO_RULE) this.trie.setTag(slot, rule);
    else this.records.setField(before, RuleField.next, rule);
    this.targets.forget(slot);
  }
}
