// What a directory of services is to a host (§4.3): it is asked for a service and says where the instances are, for how
// long that holds, or that there are none. A file, DNS, a registry: each is one implementation of this interface.

import type { NetworkAddress } from '../wire/network-address';
import type { ServiceID, ServicePrefix } from '../wire/service-id';

export interface ResolverQuestion {
  readonly serviceID: ServiceID;
}

export interface ResolvedInstance {
  /** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; the port is the host's well-known one by default. */
  readonly address: string | NetworkAddress;
  /** Instances of the highest priority are used; 0 to 1000, default 0. */
  readonly priority?: number | undefined;
  /** Share of the first packets among those; default 1. */
  readonly weight?: number | undefined;
}

export interface Resolution {
  /** None: there is no such service, and who asks for it is refused. */
  readonly instances: readonly (string | NetworkAddress | ResolvedInstance)[];
  /** Milliseconds for which the answer may be used, also a negative one. */
  readonly lifetime: number;
  /** Milliseconds without use after which it ends earlier. */
  readonly idleTimeout?: number | undefined;
  /** What else the answer is for: a prefix that holds the service. Default the service alone. */
  readonly prefix?: ServicePrefix | undefined;
}

export interface Resolver {
  /**
   * Called once at a time for a service. Reject when nothing can be said now: it is asked again while packets wait.
   * `signal` aborts when nobody waits any more; what is answered then is ignored.
   */
  resolve(question: ResolverQuestion, signal: AbortSignal): Promise<Resolution>;
  /** For directories that know of changes: call `changed` and answers about the prefix are asked for anew. Gives what ends it. */
  onChange?(changed: (prefix: ServicePrefix) => void): () => void;
}
