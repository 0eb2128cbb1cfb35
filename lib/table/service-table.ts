// The service table (§4.2): which rule a packet that names a service meets - the longest prefix that has a usable
// rule, of its rules those of the highest priority, of those a weighted sample. It decides and counts; whoever
// asked delivers, forwards, delays or drops.
// Long because all that may be asked of a table, or done to it, stands in one place.

import { RULES_PER_PREFIX_MAXIMUM, SERVICE_RULES_MAXIMUM } from '../limits';
import type { Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { NetworkAddress } from '../wire/network-address';
import { type ServiceID, ServicePrefix } from '../wire/service-id';
import { Choice } from './choice';
import { type KeptSet, KeptTargets } from './kept-targets';
import { mixTwo } from './mix-bits';
import { type PickerName, pickerNamed } from './pickers/picker-names';
import { PickerWishes } from './pickers/picker-wishes';
import { weightedRandom } from './pickers/weighted-random';
import { PrefixPickers } from './prefix-pickers';
import { PrefixRules } from './prefix-rules';
import type { ResolvedForward, ResolvedRule, RuleIdentity } from './resolved-rule';
import { RuleEjection } from './rule-ejection';
import { NO_MATCH, NO_RULE, RuleCounter, RuleField, RuleFlag, type RuleNumber } from './rule-records';
import { RuleStore } from './rule-store';
import { checkTerms, type ForwardRule, type RuleKey, type ServiceRule } from './service-rule';
import { GatheredTargets, type TargetPicker } from './target-selection';

/** How far a first packet may go on from here. */
export const ResolutionReach = {
  /** Any rule. */
  any: 'any',
  /** Not to broadcast addresses: strangers cannot make us broadcast. */
  unicast: 'unicast',
  /** Only FORWARD rules of scope 'host', and no broadcast ones: packets received by broadcast, lest they storm. */
  host: 'host',
  /** No FORWARD rules at all: a stack that is no router. */
  process: 'process',
} as const;
export type ResolutionReach = (typeof ResolutionReach)[keyof typeof ResolutionReach];

export interface ResolutionQuery {
  readonly protocol: 6 | 17;
  readonly reach: ResolutionReach;
}

/**
 * What became of a rule to add. `replaced`: a FORWARD, DELAY or DROP rule of the same key was there; it has the new
 * terms, keeps its statistics, and its timeouts start anew. `exists`: a socket has the prefix and protocol
 * (EADDRINUSE). `full`: a bound of limits.ts is reached; DEMUX rules are never refused for that.
 */
export type AddResult = 'added' | 'replaced' | 'exists' | 'full';

export interface Statistics {
  readonly packetsResolved: number;
  readonly bytesResolved: number;
  readonly packetsDropped: number;
  readonly bytesDropped: number;
}

export interface RuleStatistics extends Statistics {
  /** `undefined` when nothing has matched yet. */
  readonly lastMatch: Instant | undefined;
}

/** Terms of a rule that may change while it stays. `picker: null`: its instance wishes none any more. */
export interface RuleChange {
  readonly priority?: number;
  readonly weight?: number;
  readonly picker?: PickerName | null;
}

export class ServiceTable {
  private readonly store = new RuleStore(this);
  private readonly records = this.store.records;
  private readonly targets = new KeptTargets();
  private readonly prefixes = new PrefixRules(this.records, this.targets);
  private readonly counted = { packetsResolved: 0, bytesResolved: 0, packetsDropped: 0, bytesDropped: 0 };

  /** Of the default rules; `undefined` after a change. */
  private broadcastTargets: readonly NetworkAddress[] | undefined;

  private readonly ejection = new RuleEjection(this.store, this.prefixes, this.targets);
  private readonly pickers = new PrefixPickers();
  private readonly wishes = new PickerWishes();
  /** Of packets that nobody has said anything of. */
  private readonly chance = new Choice();
  /** The rules that are left to a connect that failed elsewhere. */
  private readonly rest = new GatheredTargets();
  /** Each table draws another way: else the hops of one path would all draw alike. */
  private salt: number | undefined;

  /** `fallback` chooses where nobody has said how. */
  constructor(private readonly fallback: TargetPicker = weightedRandom) {}

  /** Rules in the table. */
  get size(): number {
    return this.records.size;
  }

  /** Of all rules that are or were in the table. */
  get totals(): Statistics {
    return { ...this.counted };
  }

  /** `undefined` when there is no such rule. */
  statistics(key: RuleKey): RuleStatistics | undefined {
    const number = this.find(key);
    if (number === NO_RULE) return undefined;
    const count = (counter: RuleCounter): number => this.records.counter(number, counter);
    const lastMatch = this.store.lastMatch(number);
    return {
      packetsResolved: count(RuleCounter.packetsResolved),
      bytesResolved: count(RuleCounter.bytesResolved),
      packetsDropped: count(RuleCounter.packetsDropped),
      bytesDropped: count(RuleCounter.bytesDropped),
      lastMatch: lastMatch === NO_MATCH ? undefined : lastMatch,
    };
  }

  /** All rules as plain data. The table may change meanwhile: a rule that stays is given once. */
  *rules(): Generator<ServiceRule> {
    for (let number = 1; number < this.records.limit; number++) {
      if (this.records.isLive(number)) yield this.read(number);
    }
  }

  /** The rules of exactly this prefix, highest priority first. */
  rulesOf(prefix: ServicePrefix): ServiceRule[] {
    const rules: ServiceRule[] = [];
    for (let number = this.prefixes.first(prefix); number !== NO_RULE; number = this.prefixes.next(number)) {
      rules.push(this.store.read(number, prefix));
    }
    return rules;
  }

  /** Whether a default rule broadcasts there. The interfaces' broadcast addresses look like any host's. */
  isBroadcastTarget(address: NetworkAddress): boolean {
    this.broadcastTargets ??= this.rulesOf(ServicePrefix.any).flatMap((rule) =>
      rule.action === 'forward' && rule.broadcast ? [rule.address] : [],
    );
    return this.broadcastTargets.some((each) => each.sameIp(address));
  }

  /** No rule times out before. */
  nextDeadline(): Instant {
    return this.store.timeouts.nextDeadline();
  }

  // ---- changes ----

  /** Throws RangeError when weight or priority is no number the table takes: weight 1 to 2^32 - 1, priority int32. */
  addRule(rule: ServiceRule, now: Instant): AddResult {
    checkTerms(rule.priority, rule.weight);
    this.broadcastTargets = undefined;
    let count = 0;
    for (let number = this.prefixes.first(rule.prefix); number !== NO_RULE; number = this.prefixes.next(number)) {
      count++;
      if (rule.action === 'demux') {
        if (this.store.isDemux(number) && this.store.hasProtocol(number, rule.protocol)) return 'exists';
      } else if (this.store.isNamed(number, rule)) {
        this.prefixes.reorder(number, () => this.store.renew(number, rule, now));
        return 'replaced';
      }
    }
    const isFull = count >= RULES_PER_PREFIX_MAXIMUM || this.size >= SERVICE_RULES_MAXIMUM;
    if (isFull && rule.action !== 'demux') return 'full';
    this.prefixes.add(rule.prefix, this.store.create(rule, now));
    return 'added';
  }

  /** Whether there was such a rule. */
  deleteRule(key: RuleKey): boolean {
    const number = this.find(key);
    if (number !== NO_RULE) this.remove(number);
    return number !== NO_RULE;
  }

  /** Whether there was such a rule. What `change` does not name stays. Throws RangeError as `addRule`. */
  modifyRule(key: RuleKey, change: RuleChange): boolean {
    const number = this.find(key);
    if (number === NO_RULE) return false;
    const priority = change.priority ?? this.records.field(number, RuleField.priority);
    const weight = change.weight ?? this.records.weight(number);
    checkTerms(priority, weight);
    const { picker } = change;
    this.prefixes.reorder(number, () => {
      this.store.change(number, priority, weight);
      if (picker !== undefined) this.store.setWish(number, picker ?? undefined);
    });
    return true;
  }

  /**
   * Has resolution pass the rule over until it is readmitted or deleted; whoever adds it again meanwhile does not
   * change that. False when there is no such rule, or it is the last of its prefix that leads somewhere.
   */
  ejectRule(key: RuleKey): boolean {
    const number = this.find(key);
    return number !== NO_RULE && this.ejection.eject(number);
  }

  /** Its weight; `undefined` when it was not passed over. */
  readmitRule(key: RuleKey): number | undefined {
    const number = this.find(key);
    return number !== NO_RULE && this.ejection.readmit(number) ? this.records.weight(number) : undefined;
  }

  /** `undefined` when there is no such rule. */
  isEjected(key: RuleKey): boolean | undefined {
    const number = this.find(key);
    return number === NO_RULE ? undefined : this.store.isEjected(number);
  }

  /** Rules of exactly this prefix that lead to somebody, and how many of them are passed over. */
  ejectionOf(prefix: ServicePrefix): { readonly instances: number; readonly ejected: number } {
    return this.ejection.countFrom(this.prefixes.first(prefix));
  }

  /** How one rule is chosen of several for the services of this prefix; `undefined`: as for those around it. */
  setPicker(prefix: ServicePrefix, picker: TargetPicker | undefined): void {
    this.pickers.set(prefix, picker);
    this.targets.forgetAll();
  }

  /** Deletes the rules whose time is over and returns them. */
  expire(now: Instant): ServiceRule[] {
    const ended: ServiceRule[] = [];
    const lastMatch = (rule: RuleNumber): Instant => this.store.lastMatch(rule);
    for (;;) {
      const number = this.store.timeouts.popEnded(now, lastMatch);
      if (number === NO_RULE) return ended;
      ended.push(this.read(number));
      this.remove(number);
    }
  }

  // ---- resolution ----

  /**
   * The rule for a packet to `id`, `undefined` when no prefix has a usable one. When it is a FORWARD rule with
   * `selectAll`, `selectedSet` gives all that the packet goes to. The object is valid until the table changes.
   */
  resolve(
    id: ServiceID,
    query: ResolutionQuery,
    random: RandomSource,
    choice: Choice = this.chance,
  ): ResolvedRule | undefined {
    if (choice.avoided !== undefined) return this.resolveAvoiding(id, query, random, choice);
    for (let index = this.prefixes.match(id) - 1; index >= 0; index--) {
      const first = this.nextUsable(this.prefixes.firstMatched(index), query);
      if (first === NO_RULE) continue;
      const second = this.nextUsable(this.prefixes.next(first), query);
      const isAlone = second === NO_RULE || this.prefixes.priority(second) !== this.prefixes.priority(first);
      if (isAlone && first === choice.previous) {
        // Each second attempt is one of these.
        choice.attempt >>= 1;
        return this.resolvePassedOver(id, query, random, choice) ?? this.store.resolved(first);
      }
      return this.store.resolved(isAlone ? first : this.pick(first, second, query, id, random, choice));
    }
    return undefined;
  }

  /** The FORWARD rule that leads packets to `id` to that address: of several that of the longest prefix. */
  ruleTo(id: ServiceID, address: NetworkAddress): ForwardRule | undefined {
    for (let index = this.prefixes.match(id) - 1; index >= 0; index--) {
      let number = this.prefixes.firstMatched(index);
      for (; number !== NO_RULE; number = this.prefixes.next(number)) {
        const rule = this.store.resolved(number);
        if (rule.action === 'forward' && rule.address.equals(address)) return rule;
      }
    }
    return undefined;
  }

  /** Has memory deliver what resolving `count` ids will read, READ_AHEAD_IDS at most: trie-read-ahead.ts says why. */
  readAhead(ids: Uint32Array, count: number): void {
    this.prefixes.readAhead(ids, count);
  }

  /** All FORWARD rules of the set that `rule` was picked from. */
  selectedSet(rule: ForwardRule, reach: ResolutionReach): readonly ResolvedForward[] {
    const set: ResolvedForward[] = [];
    for (let number = this.prefixes.first(rule.prefix); number !== NO_RULE; number = this.prefixes.next(number)) {
      if (this.prefixes.priority(number) !== rule.priority) continue;
      if (!isUsable(this.records.field(number, RuleField.flags), 6, reach)) continue;
      const each = this.store.resolved(number);
      if (each.action === 'forward') set.push(each);
    }
    return set;
  }

  /** Counts a packet that was treated as the rule says, and so keeps the rule from idling out. */
  recordMatch(rule: ServiceRule, bytes: number, now: Instant): void {
    this.counted.packetsResolved++;
    this.counted.bytesResolved += bytes;
    const number = this.numberOf(rule);
    if (number !== NO_RULE) this.records.note(number, RuleCounter.packetsResolved, bytes, now);
  }

  /** Counts a packet that met the rule and was dropped: by a DROP rule, or because it could not be passed on. */
  recordDrop(rule: ServiceRule, bytes: number, now: Instant): void {
    this.counted.packetsDropped++;
    this.counted.bytesDropped += bytes;
    const number = this.numberOf(rule);
    if (number !== NO_RULE) this.records.note(number, RuleCounter.packetsDropped, bytes, now);
  }

  /** For resolved rules: the prefix they are read without. */
  prefixOf(rule: RuleIdentity): ServicePrefix {
    if (!this.isCurrent(rule)) throw new Error('the rule is no longer in the table: read a rule before it changes');
    return this.prefixes.prefixOf(rule.number);
  }

  private pick(
    first: RuleNumber,
    second: RuleNumber,
    query: ResolutionQuery,
    id: ServiceID,
    random: RandomSource,
    choice: Choice,
  ): RuleNumber {
    const slot = this.records.field(first, RuleField.slot);
    const set = this.targets.find(slot, query) ?? this.gather(slot, first, second, query);
    return this.pickFrom(set.targets, set.picker, id, random, choice);
  }

  private pickFrom(
    targets: GatheredTargets,
    picker: TargetPicker,
    id: ServiceID,
    random: RandomSource,
    choice: Choice,
  ): RuleNumber {
    choice.setSeed(choice.flow === 0 ? random.uint32() : mixTwo(choice.flow, this.saltFrom(random)));
    const number = targets.rule(picker.pick(targets, choice, id));
    if (number !== choice.previous) return number;
    choice.attempt++;
    return targets.rule(picker.pick(targets, choice, id));
  }

  private gather(slot: number, first: RuleNumber, second: RuleNumber, query: ResolutionQuery): KeptSet {
    const picker = this.pickerFor(first, query);
    const set = this.targets.renew(slot, query, picker);
    const priority = this.prefixes.priority(first);
    this.addTarget(set.targets, first, picker);
    for (let number = second; number !== NO_RULE; number = this.nextUsable(this.prefixes.next(number), query)) {
      if (this.prefixes.priority(number) !== priority) break;
      this.addTarget(set.targets, number, picker);
    }
    return set;
  }

  /** As it was set here; else as most of the rules wish that are to be chosen from. */
  private pickerFor(first: RuleNumber, query: ResolutionQuery): TargetPicker {
    const set = this.pickers.of(this.prefixes.prefixOf(first));
    if (set !== undefined) return set;
    this.wishes.clear();
    const priority = this.prefixes.priority(first);
    for (let number = first; number !== NO_RULE; number = this.nextUsable(this.prefixes.next(number), query)) {
      if (this.prefixes.priority(number) !== priority) break;
      this.wishes.add(this.store.wish(number));
    }
    const { decided } = this.wishes;
    return decided === undefined ? this.fallback : pickerNamed(decided);
  }

  private addTarget(targets: GatheredTargets, rule: RuleNumber, picker: TargetPicker): void {
    const identity = picker.usesIdentities === true ? this.store.identity(rule) : 0;
    targets.add(rule, this.records.weight(rule), identity);
  }

  /**
   * The same without the rules that this connect has tried: backup sets, then shorter prefixes, unless one that was
   * tried may do yet. Of the default rules only those beside: what these lead to is asked instead of the ones below,
   * not before them.
   */
  private resolveAvoiding(
    id: ServiceID,
    query: ResolutionQuery,
    random: RandomSource,
    choice: Choice,
  ): ResolvedRule | undefined {
    for (let index = this.prefixes.match(id) - 1; index >= 0; index--) {
      const first = this.nextUsable(this.prefixes.firstMatched(index), query);
      if (first === NO_RULE) continue;
      const prefix = this.prefixes.prefixOf(first);
      const picker = this.pickerFor(first, query);
      const isComplete = this.gatherRest(first, query, choice, picker, prefix.bits === 0);
      if (this.rest.size > 0) return this.store.resolved(this.pickFrom(this.rest, picker, id, random, choice));
      if (!isComplete) return undefined;
    }
    return this.resolvePassedOver(id, query, random, choice);
  }

  /** All others have failed this connect: those that are passed over may be well again, and nobody has asked them yet. */
  private resolvePassedOver(
    id: ServiceID,
    query: ResolutionQuery,
    random: RandomSource,
    choice: Choice,
  ): ResolvedRule | undefined {
    for (let index = this.ejection.isAny ? this.prefixes.match(id) - 1 : -1; index >= 0; index--) {
      const first = this.prefixes.firstMatched(index);
      this.rest.clear();
      for (let number = first; number !== NO_RULE; number = this.prefixes.next(number)) {
        const flags = this.records.field(number, RuleField.flags);
        if ((flags & RuleFlag.ejected) === 0 || !isUsable(flags & ~RuleFlag.ejected, query.protocol, query.reach))
          continue;
        if (choice.avoided?.avoids(this.store.resolved(number)) !== true)
          this.addTarget(this.rest, number, weightedRandom);
      }
      if (this.rest.size === 0) continue;
      return this.store.resolved(this.pickFrom(this.rest, weightedRandom, id, random, choice));
    }
    return undefined;
  }

  /** False when rules of shorter prefixes are not to be looked at. */
  private gatherRest(
    first: RuleNumber,
    query: ResolutionQuery,
    choice: Choice,
    picker: TargetPicker,
    isDefault: boolean,
  ): boolean {
    this.rest.clear();
    const isComplete = !isDefault;
    let priority = this.prefixes.priority(first);
    let mayBeAskedAgain = false;
    for (let number = first; number !== NO_RULE; number = this.nextUsable(this.prefixes.next(number), query)) {
      const isBelow = this.prefixes.priority(number) < priority;
      if (isBelow && (isDefault || this.rest.size > 0)) break;
      const rule = this.store.resolved(number);
      if (choice.avoided!.avoids(rule)) {
        if (choice.avoided!.mayDo(rule)) mayBeAskedAgain = true;
        continue;
      }
      // Who has not answered is better than nobody.
      if (mayBeAskedAgain && rule.action === 'drop') continue;
      priority = rule.priority;
      this.addTarget(this.rest, number, picker);
    }
    return isComplete && !mayBeAskedAgain;
  }

  private saltFrom(random: RandomSource): number {
    this.salt ??= random.uint32();
    return this.salt;
  }

  private nextUsable(from: RuleNumber, query: ResolutionQuery): RuleNumber {
    let number = from;
    while (number !== NO_RULE) {
      if (isUsable(this.records.field(number, RuleField.flags), query.protocol, query.reach)) return number;
      number = this.prefixes.next(number);
    }
    return NO_RULE;
  }

  private find(key: RuleKey): RuleNumber {
    let number = this.prefixes.first(key.prefix);
    while (number !== NO_RULE && !this.store.isNamed(number, key)) number = this.prefixes.next(number);
    return number;
  }

  private remove(number: RuleNumber): void {
    this.broadcastTargets = undefined;
    this.ejection.handleRemoval(number);
    this.prefixes.remove(number);
    this.store.remove(number);
  }

  private read(number: RuleNumber): ServiceRule {
    return this.store.read(number, this.prefixes.prefixOf(number));
  }

  /** A resolved rule says which record it is; NO_RULE when that is gone. Any other rule is looked for by its key. */
  private numberOf(rule: ServiceRule & Partial<RuleIdentity>): RuleNumber {
    const { number, generation } = rule;
    if (number === undefined || generation === undefined) return this.find(rule);
    return this.isCurrent({ number, generation }) ? number : NO_RULE;
  }

  private isCurrent(rule: RuleIdentity): boolean {
    return (
      this.records.isLive(rule.number) && this.records.field(rule.number, RuleField.generation) === rule.generation
    );
  }
}

function isUsable(flags: number, protocol: 6 | 17, reach: ResolutionReach): boolean {
  if ((flags & RuleFlag.ejected) !== 0) return false;
  if ((flags & RuleFlag.demux) !== 0) return ((flags & RuleFlag.stream) !== 0) === (protocol === 6);
  if (reach === ResolutionReach.any) return true;
  const isWide = (flags & RuleFlag.hostScope) !== 0;
  if ((flags & RuleFlag.delay) !== 0) return isWide || reach === ResolutionReach.unicast;
  if ((flags & RuleFlag.forward) === 0) return true;
  if (reach === ResolutionReach.process || (flags & RuleFlag.broadcast) !== 0) return false;
  return reach === ResolutionReach.unicast || isWide;
}
