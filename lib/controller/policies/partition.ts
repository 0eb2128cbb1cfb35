// A service of many keys, spread over its instances (§6.2): the prefix is cut into partitions, and each has a FORWARD
// rule to the instance that has it now. When an instance comes or goes only those partitions move that must for the
// instances to have the same number, give or take one; each has its new rule before the old one goes. Behind all of
// them are the rules of the prefix itself, to every instance: who registers has one, and a key whose partition's rule
// is gone still finds somebody.

import { withCode } from '../../errors';
import type { ServiceCommand, ServiceEvent, TransportProtocol } from '../../stack/control-interface';
import { mixAddress, mixTwo } from '../../table/mix-bits';
import { DEFAULT_RULE_WEIGHT, type ForwardRule } from '../../table/service-rule';
import type { Instant } from '../../time/instant';
import type { NetworkAddress } from '../../wire/network-address';
import { SERVICE_ID_BITS, ServiceID, ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import type { ServiceController, ServiceInstance } from '../service-controller';
import { PARTITIONS_MAXIMUM } from './discovery-limits';

/** Among rules of one partition there are no others, unless somebody adds them by hand: above or below as they like. */
export const PARTITION_PRIORITY = 1000;

export interface PartitionOptions {
  readonly prefix: ServicePrefix;
  /** A power of two, from 2 to PARTITIONS_MAXIMUM: so many bits behind the prefix tell the partitions apart. */
  readonly partitions: number;
  /** Index of the link that first packets to an address leave by. */
  readonly link: (address: NetworkAddress) => number;
}

interface Instance {
  readonly key: string;
  readonly address: NetworkAddress;
  readonly identity: number;
  readonly protocols: Set<TransportProtocol>;
  /** Its partitions, by number. */
  readonly owned: Set<number>;
}

export class Partition implements ServiceController {
  readonly prefix: ServicePrefix;
  private readonly commands = new CommandQueue();
  private readonly prefixes: readonly ServicePrefix[];
  private readonly instances = new Map<string, Instance>();
  private readonly owners: (Instance | undefined)[];

  /** Throws as `checkPartitions`. */
  constructor(private readonly options: PartitionOptions) {
    const { prefix, partitions } = options;
    this.prefix = prefix;
    this.prefixes = partsOf(prefix, partitions);
    this.owners = new Array(partitions).fill(undefined);
  }

  /** An instance offers the whole prefix. Other registrations are not for us. */
  handleRegistered({ prefix, protocol, address }: ServiceInstance): void {
    if (!prefix.equals(this.prefix)) return;
    const key = address.toString();
    const known = this.instances.get(key);
    if (known !== undefined) {
      known.protocols.add(protocol);
      return;
    }
    const identity = mixTwo(mixAddress(address), address.port);
    this.instances.set(key, { key, address, identity, protocols: new Set([protocol]), owned: new Set() });
    this.balance([]);
  }

  handleUnregistered({ prefix, protocol, address }: Omit<ServiceInstance, 'weight'>): void {
    const gone = prefix.equals(this.prefix) ? this.instances.get(address.toString()) : undefined;
    if (gone?.protocols.delete(protocol) !== true || gone.protocols.size > 0) return;
    this.instances.delete(gone.key);
    this.balance([...gone.owned]);
  }

  /** Which instance has each partition, by number. */
  assignments(): readonly (NetworkAddress | undefined)[] {
    return this.owners.map((owner) => owner?.address);
  }

  handleEvent(_event: ServiceEvent, _now: Instant): void {}

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  /** `orphans`: partitions whose instance has gone. */
  private balance(orphans: readonly number[]): void {
    const quotas = this.quotas();
    const takers = [...quotas].flatMap(([instance, quota]) => (instance.owned.size < quota ? instance : []));
    const free = orphans.concat(...[...quotas].map(([instance, quota]) => surplusOf(instance, quota, takers)));
    // Nobody has any yet: the first instance gets them all.
    if (orphans.length === 0 && this.owners[0] === undefined) free.push(...this.owners.keys());
    for (const number of free.sort((a, b) => a - b)) this.move(number, this.takerOf(number, quotas));
  }

  /** How many each is to have. Who has more already keeps one more: that moves the fewest. */
  private quotas(): ReadonlyMap<Instance, number> {
    const { size } = this.instances;
    const each = Math.floor(this.owners.length / size);
    let more = this.owners.length % size;
    const byNumber = [...this.instances.values()].sort((a, b) => b.owned.size - a.owned.size || compare(a.key, b.key));
    return new Map(byNumber.map((instance) => [instance, each + (more-- > 0 ? 1 : 0)]));
  }

  /** Of those that have too few the one that the partition suits most. */
  private takerOf(number: number, quotas: ReadonlyMap<Instance, number>): Instance | undefined {
    let best: Instance | undefined;
    for (const [instance, quota] of quotas) {
      if (instance.owned.size >= quota) continue;
      if (best === undefined || suits(instance, number) > suits(best, number)) best = instance;
    }
    return best;
  }

  private move(number: number, taker: Instance | undefined): void {
    const giver = this.owners[number];
    this.owners[number] = taker;
    giver?.owned.delete(number);
    taker?.owned.add(number);
    if (taker !== undefined) this.commands.push({ kind: 'addRule', rule: this.rule(number, taker.address) });
    if (giver !== undefined) this.commands.push({ kind: 'deleteRule', rule: this.rule(number, giver.address) });
  }

  private rule(number: number, address: NetworkAddress): ForwardRule {
    return {
      action: 'forward',
      prefix: this.prefixes[number]!,
      address,
      link: this.options.link(address),
      broadcast: false,
      scope: 'network',
      priority: PARTITION_PRIORITY,
      weight: DEFAULT_RULE_WEIGHT,
    };
  }
}

/** Throws RangeError ERR_OUT_OF_RANGE for a number of partitions that the prefix cannot be cut into. */
export function checkPartitions(prefix: ServicePrefix, count: number): void {
  const bits = Math.log2(count);
  if (!Number.isInteger(bits) || count < 2 || count > PARTITIONS_MAXIMUM) {
    const rule = `partitions must be a power of two from 2 to ${PARTITIONS_MAXIMUM}, not ${count}`;
    throw withCode(new RangeError(rule), 'ERR_OUT_OF_RANGE');
  }
  if (prefix.bits + bits > SERVICE_ID_BITS) {
    throw withCode(new RangeError(`${prefix} cannot be cut into ${count} partitions`), 'ERR_OUT_OF_RANGE');
  }
}

/** The prefixes of equal length that `prefix` consists of. */
function partsOf(prefix: ServicePrefix, count: number): ServicePrefix[] {
  checkPartitions(prefix, count);
  const bits = Math.log2(count);
  return Array.from({ length: count }, (_, number) => partOf(prefix, bits, number));
}

function partOf({ base, bits }: ServicePrefix, more: number, number: number): ServicePrefix {
  const words = [...base.words];
  for (let bit = 0; bit < more; bit++) {
    const at = bits + bit;
    const isSet = (number >>> (more - 1 - bit)) & 1;
    words[at >>> 5] = (words[at >>> 5]! | (isSet << (31 - (at & 31)))) >>> 0;
  }
  return ServicePrefix.of(ServiceID.fromWords(words), bits + more);
}

/** Those it gives away: the ones that suit a taker more than it, so that who comes back gets much of what it had. */
function surplusOf(instance: Instance, quota: number, takers: readonly Instance[]): number[] {
  if (instance.owned.size <= quota) return [];
  const loss = (number: number): number =>
    suits(instance, number) - Math.max(...takers.map((taker) => suits(taker, number)));
  const byLoss = [...instance.owned].map((number) => [number, loss(number)] as const).sort((a, b) => a[1] - b[1]);
  return byLoss.slice(0, instance.owned.size - quota).map(([number]) => number);
}

/** Rendezvous hashing: each partition has its own order of the instances, whatever came before. */
function suits({ identity }: Instance, number: number): number {
  return mixTwo(identity, number) >>> 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
