// What the service table holds, as it is shown: its rules, the services they lead to, and the instances.

import type { DemuxRule, ForwardRule, ServiceRule } from '../table/service-rule';
import type { ServiceTable } from '../table/service-table';
import type { Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import {
  describeRule,
  describeStatistics,
  type ProtocolName,
  protocolName,
  type RuleDescription,
  type StatisticsDescription,
} from './rule-description';
import { nameOf } from './service-names';

export interface ServiceDescription {
  readonly prefix: ServicePrefix;
  readonly name: string | null;
  /** Instances that are used now, and those that are passed over because they do not answer. */
  readonly instances: number;
  readonly ejected: number;
  /** Of those that are used. */
  readonly weight: number;
  /** Whether a socket of this process is one of them. */
  readonly local: boolean;
  readonly packetsResolved: number;
}

export interface InstanceDescription {
  readonly prefix: ServicePrefix;
  readonly name: string | null;
  /** `local`: a socket of this process. `host`: another process of this machine. `network`: another machine. */
  readonly where: 'local' | 'host' | 'network';
  /** Null for a local socket. */
  readonly address: NetworkAddress | null;
  readonly link: number | null;
  /** Null where the rule does not say. */
  readonly protocol: ProtocolName | null;
  readonly priority: number;
  readonly weight: number;
  readonly ejected: boolean;
  readonly statistics: StatisticsDescription;
}

/** Which rules are wanted: all, or those of the prefixes that this one holds or that hold it. */
export type TableFilter = ServicePrefix | undefined;

/** `undefined` for what is not meant: a turn is a number of rules that were looked at. */
export type Listing<Entry> = Generator<Entry | undefined, void>;

export class TableListing {
  constructor(
    private readonly table: ServiceTable,
    private readonly now: Instant,
  ) {}

  *rules(filter: TableFilter): Listing<RuleDescription> {
    for (const rule of this.table.rules()) {
      yield isWanted(rule.prefix, filter) ? { ...describeRule(rule), statistics: this.statisticsOf(rule) } : undefined;
    }
  }

  *services(filter: TableFilter): Listing<ServiceDescription> {
    for (const rules of this.ruleSets(filter)) {
      yield rules && this.service(rules);
    }
  }

  *instances(filter: TableFilter): Listing<InstanceDescription> {
    for (const rule of this.table.rules()) {
      yield isInstance(rule) && isWanted(rule.prefix, filter) ? this.instance(rule) : undefined;
    }
  }

  private service(rules: readonly InstanceRule[]): ServiceDescription {
    const { prefix } = rules[0]!;
    const used = rules.filter((rule) => !isEjected(rule));
    return {
      prefix,
      name: nameOf(prefix),
      instances: used.length,
      ejected: rules.length - used.length,
      weight: sum(used.map(({ weight }) => weight)),
      local: rules.some(({ action }) => action === 'demux'),
      packetsResolved: sum(rules.map((rule) => this.statisticsOf(rule).packetsResolved)),
    };
  }

  private instance(rule: InstanceRule): InstanceDescription {
    const { prefix, priority, weight } = rule;
    const isForward = rule.action === 'forward';
    return {
      prefix,
      name: nameOf(prefix),
      where: isForward ? (rule.address.isLoopback ? 'host' : 'network') : 'local',
      address: isForward ? rule.address : null,
      link: isForward ? rule.link : null,
      protocol: isForward ? null : protocolName(rule.protocol),
      priority,
      weight,
      ejected: isEjected(rule),
      statistics: this.statisticsOf(rule),
    };
  }

  /** The instances of each prefix together. Only prefixes of several rules are remembered while it lasts. */
  private *ruleSets(filter: TableFilter): Listing<readonly InstanceRule[]> {
    const seen = new Set<string>();
    for (const rule of this.table.rules()) {
      const isMeant = isInstance(rule) && isWanted(rule.prefix, filter) && !seen.has(rule.prefix.toString());
      const rules = isMeant ? this.table.rulesOf(rule.prefix).filter(isInstance) : [];
      if (rules.length > 1) seen.add(rule.prefix.toString());
      yield rules.length > 0 ? rules : undefined;
    }
  }

  private statisticsOf(rule: ServiceRule): StatisticsDescription {
    return describeStatistics(this.table.statistics(rule) ?? NOTHING, this.now);
  }
}

type InstanceRule = DemuxRule | ForwardRule;

/** The default rules lead to whoever knows more, not to an instance. */
function isInstance(rule: ServiceRule): rule is InstanceRule {
  if (rule.prefix.bits === 0) return false;
  return rule.action === 'demux' || (rule.action === 'forward' && !rule.broadcast);
}

function isEjected(rule: InstanceRule): boolean {
  return rule.action === 'forward' && rule.ejected === true;
}

function isWanted(prefix: ServicePrefix, filter: TableFilter): boolean {
  return filter === undefined || filter.containsPrefix(prefix) || prefix.containsPrefix(filter);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

const NOTHING = { packetsResolved: 0, bytesResolved: 0, packetsDropped: 0, bytesDropped: 0, lastMatch: undefined };
