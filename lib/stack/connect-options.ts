// What a driver may say of a connect, and of a ping.

import type { Ping } from '../sal/signaling/ping';
import type { Duration } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { TransportProtocol } from './control-interface';
import type { MultipathOptions } from './multipath';

export interface StreamOptions {
  readonly timeout?: Duration | undefined;
  readonly sendBuffer?: number | undefined;
  readonly receiveBuffer?: number | undefined;
  /** Where the first packet goes, whatever the service table says: to each of these addresses. */
  readonly via?: readonly NetworkAddress[] | undefined;
  /** Whether further flows are opened where there are further paths (§4.4). Default false. */
  readonly multipath?: boolean | MultipathOptions | undefined;
}

export interface PingOptions {
  readonly timeout?: Duration | undefined;
  readonly via?: readonly NetworkAddress[] | undefined;
  /** Of the service: 6, streams, by default; 17, datagrams. */
  readonly protocol?: TransportProtocol | undefined;
  /** Not to the instance, but to the router of that number on the way, counted from 1, that another ping took. */
  readonly stop?: { readonly hop: number; readonly like: Ping } | undefined;
}
