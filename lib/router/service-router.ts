// A service router (§4.2, §4.3): the same stack under other policy. It holds the well-known port of its machine, takes
// the registrations of the hosts below it, forwards the first packets of strangers to them, and asks the router above
// it for what it does not know. What follows a first packet goes between the two ends directly.

import type { PartitionChoice } from '../controller/policies/hierarchical-router';
import { checkPartitions } from '../controller/policies/partition';
import type { RegisteredHost, RegisteredInstance } from '../controller/session/registrar';
import { withCode } from '../errors';
import { configurationFrom, type HostOptions } from '../host/configuration';
import { Host } from '../host/host';
import { SLOW_START_MAXIMUM } from '../limits';
import { servicePrefix } from '../socket/service-name';
import { type Duration, milliseconds } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';

export interface RouterOptions extends HostOptions {
  /** Prefixes - `acme/*`, `HEX/bits` - that the router above is told of instead of what lies under them. */
  readonly aggregates?: readonly (string | ServicePrefix)[] | undefined;
  /** Milliseconds in which the share of an instance that has just come grows to the whole; default none. */
  readonly slowStart?: number | undefined;
  /** Into how many parts - a power of two - a prefix is cut, each of which one of its instances has: `{ 'cache/*': 64 }`. §6.2 */
  readonly partitions?: Readonly<Record<string, number>> | undefined;
  /**
   * Has answers to first packets come back to clients through this router, for middleboxes before the clients that let
   * in nobody else; what follows goes directly. Default false. §7
   */
  readonly relayReplies?: boolean | undefined;
}

/**
 * Makes this process a service router. Options are those of `createHost`, and those of a router; `router` names the
 * one above. Throws a TypeError or RangeError for options out of bounds; what fails later is told by `ready`.
 */
export function createRouter(options: RouterOptions = {}): Router {
  return new Router(options);
}

export class Router {
  /** Its host, for sockets of its own. */
  readonly host: Host;
  /** Resolves when it takes first packets and registrations; rejects with EADDRINUSE when another process has the port. */
  readonly ready: Promise<void>;

  constructor({ aggregates = [], partitions = {}, slowStart, relayReplies = false, ...options }: RouterOptions) {
    const duty = {
      relayReplies: checkBoolean('options.relayReplies', relayReplies),
      aggregates: aggregates.map((name) => servicePrefix(name)),
      slowStart: slowStart === undefined ? undefined : checkSlowStart(slowStart),
      partitions: Object.entries(partitions).map(([name, count]) => partitionOf(servicePrefix(name), count)),
    };
    this.host = new Host(configurationFrom(options), () => {}, duty);
    this.ready = this.host.ready;
  }

  /** Where it takes first packets and registrations. */
  get port(): number {
    return this.host.configuration.port;
  }

  /** The router above, once it has answered. */
  get upstream(): NetworkAddress | undefined {
    return this.host.hierarchy.upstream?.router;
  }

  /** Who is registered, and since when by the host's monotonic clock. A host that dies is known for a lease. */
  hosts(): RegisteredHost[] {
    return [...this.registrar.hosts()];
  }

  /** What can be reached through this router because a host below it registered it. */
  instances(): RegisteredInstance[] {
    return [...this.registrar.instances()];
  }

  /** Says goodbye to the hosts below, which come back to whoever takes its place, and ends its host. */
  close(): Promise<void> {
    return this.host.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private get registrar() {
    return this.host.hierarchy.router!.registrar;
  }
}

function checkSlowStart(value: unknown): Duration | undefined {
  if (typeof value === 'number' && value >= 0 && value <= SLOW_START_MAXIMUM) {
    return value === 0 ? undefined : milliseconds(value);
  }
  const rule = `options.slowStart must be milliseconds from 0 to ${SLOW_START_MAXIMUM}, not ${String(value)}`;
  throw withCode(new RangeError(rule), 'ERR_OUT_OF_RANGE');
}

/** Before a host is made that could not be one. */
function partitionOf(prefix: ServicePrefix, partitions: number): PartitionChoice {
  checkPartitions(prefix, partitions);
  return { prefix, partitions };
}

function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw withCode(new TypeError(`${name} must be a boolean, not ${String(value)}`), 'ERR_INVALID_ARG_TYPE');
}
