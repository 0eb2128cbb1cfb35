// What the other hosts of the segment say they offer becomes FORWARD rules that end with their lease. Each statement has
// a version - the sender's generation and the number of the message -, and an older one changes nothing: what was
// withdrawn stays so, whatever comes late. Bounded for each sender, in all, and in time.

import type { ServiceCommand } from '../../stack/control-interface';
import type { ForwardRule } from '../../table/service-rule';
import { after, type Duration, type Instant, milliseconds, NEVER, seconds } from '../../time/instant';
import { FLOODING_SERVICE, type FloodEntry, type FloodMessage } from '../../wire/flood-message';
import type { NetworkAddress } from '../../wire/network-address';
import type { ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import { CONTROLLER_SERVICE } from '../controller-service';
import {
  FLOOD_ENTRIES_HEARD_MAXIMUM,
  FLOOD_ENTRIES_PER_SOURCE_MAXIMUM,
  FLOOD_LEASE_MAXIMUM,
  FLOOD_LEASE_MINIMUM,
  FLOOD_MESSAGES_PER_SECOND,
  FLOOD_MESSAGES_PER_SOURCE_AND_SECOND,
  FLOOD_PREFIX_BITS_MINIMUM,
  FLOOD_SOURCE_MEMORY,
  FLOOD_SOURCES_MAXIMUM,
} from './discovery-limits';

/** Below all that was registered, looked up or configured for the same prefix; above what is asked by broadcast. */
export const FLOODED_PRIORITY = 50;

interface Statement {
  readonly prefix: ServicePrefix;
  readonly sequence: number;
  /** 0: withdrawn, and remembered so that nothing older brings it back. */
  readonly weight: number;
  readonly until: Instant;
}

interface Source {
  readonly address: NetworkAddress;
  generation: number;
  /** Messages up to this one say nothing new of what is forgotten. */
  floor: number;
  readonly statements: Map<string, Statement>;
  forgottenAt: Instant;
  /** In this second. */
  messages: number;
}

export class FloodingReceiver {
  readonly counts = { heard: 0, late: 0, refused: 0, tooMany: 0 };
  private readonly commands = new CommandQueue();
  private readonly sources = new Map<string, Source>();
  private statements = 0;
  private sweepAt: Instant = NEVER;
  private messages = 0;
  private second = 0;

  constructor(private readonly link: number) {}

  /** `address`: the sender's, with the port of its first packets. */
  handleMessage(address: NetworkAddress, message: FloodMessage, now: Instant): void {
    const source = this.admit(address, message, now);
    if (source === undefined) return;
    this.counts.heard++;
    const lease = milliseconds(Math.min(Math.max(message.lease, FLOOD_LEASE_MINIMUM), FLOOD_LEASE_MAXIMUM));
    source.forgottenAt = after(now, FLOOD_SOURCE_MEMORY);
    for (const entry of message.entries) this.handleEntry(source, entry, message.sequence, lease, now);
    if (this.sweepAt === NEVER) this.sweepAt = after(now, SWEEP_INTERVAL);
  }

  /** What is remembered of all senders. */
  get size(): number {
    return this.statements;
  }

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  nextDeadline(): Instant {
    return this.sweepAt;
  }

  /** Rules end by themselves; here only what is remembered of them goes. */
  handleDeadline(now: Instant): void {
    if (now < this.sweepAt) return;
    for (const [key, source] of this.sources) {
      for (const [name, { until, sequence }] of source.statements) {
        if (until > now) continue;
        source.floor = Math.max(source.floor, sequence);
        this.forget(source, name);
      }
      if (source.forgottenAt <= now && source.statements.size === 0) this.sources.delete(key);
    }
    this.sweepAt = this.sources.size === 0 ? NEVER : after(now, SWEEP_INTERVAL);
  }

  /** All that was heard goes: who speaks for this host does so elsewhere now. */
  clear(): void {
    for (const source of this.sources.values()) this.withdrawAll(source);
    this.sources.clear();
    this.sweepAt = NEVER;
  }

  private admit(address: NetworkAddress, { generation }: FloodMessage, now: Instant): Source | undefined {
    const key = address.toString();
    const known = this.sources.get(key);
    if (!this.isInTime(known, now) || (known === undefined && this.sources.size >= FLOOD_SOURCES_MAXIMUM)) {
      this.counts.tooMany++;
      return undefined;
    }
    if (known !== undefined && generation < known.generation) {
      this.counts.late++;
      return undefined;
    }
    const source = known ?? { address, generation, floor: 0, statements: new Map(), forgottenAt: now, messages: 0 };
    this.sources.set(key, source);
    source.messages++;
    if (generation > source.generation) this.renew(source, generation);
    return source;
  }

  /** Few enough messages in this second: of this source, and of all. */
  private isInTime(source: Source | undefined, now: Instant): boolean {
    const second = Math.floor(now / seconds(1));
    if (second !== this.second) {
      this.second = second;
      this.messages = 0;
      for (const each of this.sources.values()) each.messages = 0;
    }
    this.messages++;
    return this.messages <= FLOOD_MESSAGES_PER_SECOND && (source?.messages ?? 0) < FLOOD_MESSAGES_PER_SOURCE_AND_SECOND;
  }

  /** The sender has begun anew: what it said before does not hold. */
  private renew(source: Source, generation: number): void {
    this.withdrawAll(source);
    source.generation = generation;
    source.floor = 0;
  }

  private handleEntry(
    source: Source,
    { prefix, weight }: FloodEntry,
    sequence: number,
    lease: Duration,
    now: Instant,
  ): void {
    const key = prefix.toString();
    const known = source.statements.get(key);
    if (sequence <= (known?.sequence ?? source.floor)) {
      this.counts.late++;
      return;
    }
    if (known === undefined && !this.mayAdd(source, prefix)) {
      this.counts.refused++;
      return;
    }
    // The same rule anew: its time begins again.
    if (weight > 0) this.commands.push({ kind: 'addRule', rule: this.rule(source, prefix, weight, lease) });
    else if (known !== undefined) this.withdraw(source, known);
    if (known === undefined) this.statements++;
    source.statements.set(key, { prefix, sequence, weight, until: after(now, lease) });
  }

  /** Nobody offers half of all names, nor what hosts talk to each other by. */
  private mayAdd({ statements }: Source, prefix: ServicePrefix): boolean {
    if (prefix.bits < FLOOD_PREFIX_BITS_MINIMUM) return false;
    if (prefix.contains(CONTROLLER_SERVICE) || prefix.contains(FLOODING_SERVICE)) return false;
    return statements.size < FLOOD_ENTRIES_PER_SOURCE_MAXIMUM && this.statements < FLOOD_ENTRIES_HEARD_MAXIMUM;
  }

  private withdrawAll(source: Source): void {
    for (const [key, statement] of source.statements) {
      this.withdraw(source, statement);
      this.forget(source, key);
    }
  }

  private withdraw(source: Source, { prefix, weight }: Statement): void {
    if (weight > 0) this.commands.push({ kind: 'deleteRule', rule: this.rule(source, prefix, weight, NO_LEASE) });
  }

  private forget(source: Source, key: string): void {
    if (source.statements.delete(key)) this.statements--;
  }

  private rule({ address }: Source, prefix: ServicePrefix, weight: number, hardTimeout: Duration): ForwardRule {
    return {
      action: 'forward',
      prefix,
      address,
      link: this.link,
      broadcast: false,
      scope: 'network',
      priority: FLOODED_PRIORITY,
      weight,
      hardTimeout,
    };
  }
}

const SWEEP_INTERVAL = seconds(1);
/** In the key of a rule it does not matter. */
const NO_LEASE = seconds(0);
