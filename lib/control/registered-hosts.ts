// The hosts that have registered with a service router, as they are shown.

import type { NetworkAddress } from '../wire/network-address';
import type { ControlledHost } from './controlled-host';

export interface RegisteredHostDescription {
  /** What the host calls itself. */
  readonly name: string | null;
  /** Of this run of it. */
  readonly identity: string;
  readonly address: NetworkAddress;
  readonly instances: number;
  /** Seconds. */
  readonly registered: number;
  /** Milliseconds since its last sign of life. */
  readonly silent: number;
}

export function* listRegisteredHosts(host: ControlledHost): Generator<RegisteredHostDescription> {
  const now = host.now();
  for (const { name, identity, address, instances, since, heardAt } of host.registeredHosts()) {
    const registered = Math.max(0, Math.round((now - since) / 1000));
    yield { name, identity, address, instances, registered, silent: Math.max(0, Math.round(now - heardAt)) };
  }
}
