// A service of many keys, spread over its instances (§6.2): the prefix is cut into partitions, and each has a FORWARD
// rule to the instance that suits it most of those that are there (rendezvous hashing). So who has what depends on who
// is there and on nothing else - a router that starts anew, or another one, places them alike -, an instance that comes
// takes its own from the others, and of one that goes only its own move; each has its new rule before the old one goes.
// Behind all of them are the rules of the prefix itself, to every instance: who registers has one, and a key whose
// partition's rule is gone still finds somebody.

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
    const instance = { key, address, identity, protocols: new Set([protocol]) };
    this.instances.set(key, instance);
    for (const [number, owner] of this.owners.entries()) {
      if (owner === undefined || suitsMore(instance, owner, number)) this.move(number, instance);
    }
  }

  handleUnregistered({ prefix, protocol, address }: Omit<ServiceInstance, 'weight'>): void {
    const gone = prefix.equals(this.prefix) ? this.instances.get(address.toString()) : undefined;
    if (gone?.protocols.delete(protocol) !== true || gone.protocols.size > 0) return;
    this.instances.delete(gone.key);
    for (const [number, owner] of this.owners.entries()) if (owner === gone) this.move(number, this.bestFor(number));
  }

  /** Which instance has each partition, by number. */
  assignments(): readonly (NetworkAddress | undefined)[] {
    return this.owners.map((owner) => owner?.address);
  }

  handleEvent(_event: ServiceEvent, _now: Instant): void {}

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll();
  }

  private bestFor(number: number): Instance | undefined {
    let best: Instance | undefined;
    for (const instance of this.instances.values()) {
      if (best === undefined || suitsMore(instance, best, number)) best = instance;
    }
    return best;
  }

  private move(number: number, taker: Instance | undefined): void {
    const giver = this.owners[number];
    this.owners[number] = taker;
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

/** Each partition has its own order of the instances, whatever came before. */
function suitsMore(one: Instance, other: Instance, number: number): boolean {
  const [of, against] = [mixTwo(one.identity, number) >>> 0, mixTwo(other.identity, number) >>> 0];
  return of === against ? one.key < other.key : of > against;
}
