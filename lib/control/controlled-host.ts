// What the control interface needs of the host it shows and steers.

import type { ServiceCommand } from '../stack/control-interface';
import type { Stack } from '../stack/stack';
import type { Statistics } from '../table/service-table';
import type { Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import type { HostEvents } from './host-events';

/** What a host says of itself. Plain data, as it is shown. */
export interface HostFacts {
  /** `holder`, `member`, `alone`; null while it looks for the others of its machine, and without them. */
  readonly role: string | null;
  /** The UDP port of its flows; 0 without a link that has ports. */
  readonly port: number;
  readonly wellKnownPort: number;
  readonly links: readonly string[];
  /** The router above: as configured, where it is, and whether it knows this host now. Null without one. */
  readonly router: {
    readonly asked: string;
    readonly address: NetworkAddress | null;
    readonly connected: boolean;
  } | null;
  readonly statistics: HostStatistics;
}

/** Counters by name, from the beginning on. */
export interface HostStatistics {
  readonly stack: Readonly<Record<string, number>>;
  readonly links: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** First packets and unconnected datagrams that met a rule. */
  readonly table: Statistics;
}

/** A host that has registered with this router. */
export interface RegisteredHostFacts {
  readonly name: string | null;
  readonly identity: string;
  /** Where its first packets go. */
  readonly address: NetworkAddress;
  readonly instances: number;
  readonly since: Instant;
  /** Its last sign of life. */
  readonly heardAt: Instant;
}

export interface DrainOutcome {
  readonly prefix: ServicePrefix;
  /** Connections that ended by themselves, and that had to be ended. */
  readonly finished: number;
  readonly cut: number;
}

export interface ControlledHost {
  /** To read; it is changed by commands alone. */
  readonly stack: Stack;
  readonly events: HostEvents;
  facts(): HostFacts;
  /** None unless it is a service router. */
  registeredHosts(): Iterable<RegisteredHostFacts>;
  now(): Instant;
  command(command: ServiceCommand): void;
  /**
   * The listening sockets of this process whose prefix `prefix` holds take nothing new; what is open has `timeout`
   * milliseconds to end, or any time. One promise for each such socket.
   */
  drain(prefix: ServicePrefix, timeout: number | undefined): readonly Promise<DrainOutcome>[];
}
