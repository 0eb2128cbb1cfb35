// What a datagram socket emits.

import type { ServiceID } from '../wire/service-id';
import type { SocketAddress } from './socket-address';

/** Where a datagram came from. Sending to `serviceID` answers the sender, if it is bound to that. */
export interface RemoteInfo extends SocketAddress {
  readonly serviceID: ServiceID;
  /** Bytes of the datagram. */
  readonly size: number;
}

export interface DatagramEvents {
  message: [message: Buffer, source: RemoteInfo];
  listening: [];
  connect: [];
  close: [];
  error: [error: Error];
}

export type DatagramSocketListener = (message: Buffer, source: RemoteInfo) => void;
