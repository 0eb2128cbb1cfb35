// Between the rules of the API, which are objects, and the records that a table of a million rules consists of.
// Which rules belong to a prefix, in what order, and which of them is used, is the service table's part.

import type { Instant } from '../time/instant';
import { type AddressFamily, NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import { mixTwo } from './mix-bits';
import { type PickerName, pickerNumber, pickerNumbered } from './pickers/picker-names';
import {
  type PrefixSource,
  ResolvedDelay,
  ResolvedDemux,
  ResolvedDrop,
  ResolvedForward,
  type ResolvedRule,
} from './resolved-rule';
import { RuleCounter, RuleField, RuleFlag, type RuleNumber, RuleRecords, WISH_MASK, WISH_SHIFT } from './rule-records';
import { RuleTimeouts } from './rule-timeouts';
import type { ForwardRule, RuleKey, RuleScope, ServiceRule } from './service-rule';

/** Resolved rules that are kept for the next packet, a power of two: busy services are few. */
const RESOLVED_KEPT = 4096;
const ACTIONS = RuleFlag.forward | RuleFlag.demux | RuleFlag.delay | RuleFlag.drop;

export class RuleStore {
  readonly records = new RuleRecords();
  readonly timeouts = new RuleTimeouts();
  /** Sockets of DEMUX rules by number, and numbers that are free. */
  private readonly sockets: (object | undefined)[] = [];
  private readonly freeSockets: number[] = [];
  private readonly kept: (ResolvedRule | undefined)[] = new Array(RESOLVED_KEPT).fill(undefined);

  constructor(private readonly prefixes: PrefixSource) {}

  create(rule: ServiceRule, now: Instant): RuleNumber {
    const number = this.records.create();
    this.writeTarget(number, rule);
    this.writeTerms(number, rule, now);
    return number;
  }

  /** The rule comes again with other terms; it keeps its statistics, and its timeouts start anew. */
  renew(number: RuleNumber, rule: ServiceRule, now: Instant): void {
    this.timeouts.remove(this.records.field(number, RuleField.timeouts));
    this.writeTerms(number, rule, now);
    this.forget(number);
  }

  /** Terms that `modifyRule` changes. */
  change(number: RuleNumber, priority: number, weight: number): void {
    this.records.setField(number, RuleField.priority, priority);
    this.records.setField(number, RuleField.weight, weight);
    this.forget(number);
  }

  /** The number of the picker that the instance wishes (`pickerNumber`). */
  wish(number: RuleNumber): number {
    return (this.records.field(number, RuleField.flags) & WISH_MASK) >>> WISH_SHIFT;
  }

  setWish(number: RuleNumber, picker: PickerName | undefined): void {
    const flags = this.records.field(number, RuleField.flags) & ~WISH_MASK;
    this.records.setField(number, RuleField.flags, flags | wishBits(picker));
  }

  isEjected(number: RuleNumber): boolean {
    return (this.records.field(number, RuleField.flags) & RuleFlag.ejected) !== 0;
  }

  setEjected(number: RuleNumber, isEjected: boolean): void {
    const flags = this.records.field(number, RuleField.flags);
    this.records.setField(number, RuleField.flags, isEjected ? flags | RuleFlag.ejected : flags & ~RuleFlag.ejected);
  }

  /** The same for every rule to one address. A local socket has none that others would know. */
  identity(number: RuleNumber): number {
    if (this.isDemux(number)) return 0;
    const { records } = this;
    const high = mixTwo(records.field(number, RuleField.word0), records.field(number, RuleField.word1));
    const low = mixTwo(records.field(number, RuleField.word2), records.field(number, RuleField.word3));
    return mixTwo(mixTwo(high, low), records.field(number, RuleField.port));
  }

  remove(number: RuleNumber): void {
    this.forget(number);
    this.timeouts.remove(this.records.field(number, RuleField.timeouts));
    if (this.isDemux(number)) {
      const socket = this.records.field(number, RuleField.target);
      this.sockets[socket] = undefined;
      this.freeSockets.push(socket);
    }
    this.records.remove(number);
  }

  /** Whether this is the rule that the key names, given that the prefix is the same. */
  isNamed(number: RuleNumber, key: RuleKey): boolean {
    const flags = this.records.field(number, RuleField.flags);
    if ((flags & RuleFlag[key.action]) === 0) return false;
    if (key.action === 'demux') return this.hasProtocol(number, key.protocol) && this.socket(number) === key.socket;
    if (key.action === 'forward') return this.leadsTo(number, key);
    return key.priority === undefined || key.priority === this.records.field(number, RuleField.priority);
  }

  isDemux(number: RuleNumber): boolean {
    return (this.records.field(number, RuleField.flags) & RuleFlag.demux) !== 0;
  }

  hasProtocol(number: RuleNumber, protocol: 6 | 17): boolean {
    return ((this.records.field(number, RuleField.flags) & RuleFlag.stream) !== 0) === (protocol === 6);
  }

  /** The rule as it is now, for the data path: the same object until the rule changes or many others are asked for. */
  resolved(number: RuleNumber): ResolvedRule {
    const place = number & (RESOLVED_KEPT - 1);
    const kept = this.kept[place];
    if (kept !== undefined && kept.number === number) return kept;
    const rule = this.readResolved(number);
    this.kept[place] = rule;
    return rule;
  }

  /** The rule as plain data, for listings and events. */
  read(number: RuleNumber, prefix: ServicePrefix): ServiceRule {
    const { records, timeouts } = this;
    const timed = records.field(number, RuleField.timeouts);
    const idleTimeout = timeouts.idleTimeout(timed);
    const hardTimeout = timeouts.hardTimeout(timed);
    const terms = {
      prefix,
      priority: records.field(number, RuleField.priority),
      weight: records.weight(number),
      ...(idleTimeout === undefined ? {} : { idleTimeout }),
      ...(hardTimeout === undefined ? {} : { hardTimeout }),
    };
    const rule = this.resolved(number);
    const picker = pickerNumbered(this.wish(number));
    const wish = picker === undefined ? {} : { picker };
    if (rule.action === 'demux') {
      return { action: 'demux', ...terms, protocol: rule.protocol, socket: rule.socket, ...wish };
    }
    if (rule.action === 'delay') {
      return { action: 'delay', ...terms, ...(rule.scope === 'network' ? { scope: 'network' } : {}) };
    }
    if (rule.action === 'drop') return { action: 'drop', ...terms, ...(rule.refuses ? { refuses: true } : {}) };
    const { address, link, broadcast, scope, selectAll } = rule;
    const marks = { ...(selectAll ? { selectAll } : {}), ...(this.isEjected(number) ? { ejected: true } : {}) };
    return { action: 'forward', ...terms, address, link, broadcast, scope, ...marks, ...wish };
  }

  lastMatch(number: RuleNumber): Instant {
    return this.records.counter(number, RuleCounter.lastMatch) as Instant;
  }

  private writeTarget(number: RuleNumber, rule: ServiceRule): void {
    const { records } = this;
    if (rule.action === 'demux') {
      const socket = this.freeSockets.pop() ?? this.sockets.length;
      this.sockets[socket] = rule.socket;
      records.setField(number, RuleField.target, socket);
    } else if (rule.action === 'forward') {
      records.setField(number, RuleField.target, rule.link);
      records.setField(number, RuleField.port, rule.address.port);
      records.setField(number, RuleField.word0, rule.address.word0);
      records.setField(number, RuleField.word1, rule.address.word1);
      records.setField(number, RuleField.word2, rule.address.word2);
      records.setField(number, RuleField.word3, rule.address.word3);
    }
  }

  private writeTerms(number: RuleNumber, rule: ServiceRule, now: Instant): void {
    const timeouts = this.timeouts.add(number, rule.idleTimeout, rule.hardTimeout, now);
    // A rule that comes again is no sign of life.
    const ejected = this.records.field(number, RuleField.flags) & RuleFlag.ejected;
    this.records.setField(number, RuleField.flags, flagsOf(rule) | ejected);
    this.records.setField(number, RuleField.priority, rule.priority);
    this.records.setField(number, RuleField.weight, rule.weight);
    this.records.setField(number, RuleField.timeouts, timeouts);
  }

  private readResolved(number: RuleNumber): ResolvedRule {
    const { records, prefixes } = this;
    const flags = records.field(number, RuleField.flags);
    const generation = records.field(number, RuleField.generation);
    const priority = records.field(number, RuleField.priority);
    const weight = records.weight(number);
    switch (flags & ACTIONS) {
      case RuleFlag.demux: {
        const protocol = (flags & RuleFlag.stream) !== 0 ? 6 : 17;
        return new ResolvedDemux(prefixes, number, generation, priority, weight, protocol, this.socket(number));
      }
      case RuleFlag.delay:
        return new ResolvedDelay(prefixes, number, generation, priority, weight, scopeOf(flags));
      case RuleFlag.drop:
        return new ResolvedDrop(prefixes, number, generation, priority, weight, (flags & RuleFlag.refuses) !== 0);
    }
    return new ResolvedForward(
      prefixes,
      number,
      generation,
      priority,
      weight,
      this.address(number),
      records.field(number, RuleField.target),
      (flags & RuleFlag.broadcast) !== 0,
      scopeOf(flags),
      (flags & RuleFlag.selectAll) !== 0,
    );
  }

  private address(number: RuleNumber): NetworkAddress {
    const { records } = this;
    return NetworkAddress.fromWords(
      this.family(number),
      records.field(number, RuleField.port),
      records.field(number, RuleField.word0),
      records.field(number, RuleField.word1),
      records.field(number, RuleField.word2),
      records.field(number, RuleField.word3),
    );
  }

  private leadsTo(number: RuleNumber, key: Pick<ForwardRule, 'address' | 'link'>): boolean {
    const { records } = this;
    const { address } = key;
    return (
      records.field(number, RuleField.word0) === address.word0 &&
      records.field(number, RuleField.word1) === address.word1 &&
      records.field(number, RuleField.word2) === address.word2 &&
      records.field(number, RuleField.word3) === address.word3 &&
      records.field(number, RuleField.port) === address.port &&
      records.field(number, RuleField.target) === key.link &&
      this.family(number) === address.family
    );
  }

  private family(number: RuleNumber): AddressFamily {
    return (this.records.field(number, RuleField.flags) & RuleFlag.version6) !== 0 ? 6 : 4;
  }

  private socket(number: RuleNumber): object {
    return this.sockets[this.records.field(number, RuleField.target)]!;
  }

  private forget(number: RuleNumber): void {
    const place = number & (RESOLVED_KEPT - 1);
    if (this.kept[place]?.number === number) this.kept[place] = undefined;
  }
}

function scopeOf(flags: number): RuleScope {
  return (flags & RuleFlag.hostScope) !== 0 ? 'host' : 'network';
}

function flagsOf(rule: ServiceRule): number {
  const action = RuleFlag[rule.action];
  if (rule.action === 'demux') return action | (rule.protocol === 6 ? RuleFlag.stream : 0) | wishBits(rule.picker);
  if (rule.action === 'drop') return action | (rule.refuses === true ? RuleFlag.refuses : 0);
  if (rule.action === 'delay') return action | (rule.scope === 'network' ? 0 : RuleFlag.hostScope);
  return (
    action |
    (rule.broadcast ? RuleFlag.broadcast : 0) |
    (rule.scope === 'host' ? RuleFlag.hostScope : 0) |
    (rule.selectAll === true ? RuleFlag.selectAll : 0) |
    (rule.address.family === 6 ? RuleFlag.version6 : 0) |
    wishBits(rule.picker)
  );
}

function wishBits(picker: PickerName | undefined): number {
  return pickerNumber(picker) << WISH_SHIFT;
}
