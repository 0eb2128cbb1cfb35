// What a datagram socket emits.

import type { ServiceID } from '../wire/service-id';
import type { SocketAddress } from './socket-address';

/**
 * Where a datagram came from. `send(message, source)` answers that very sender. Sending to `serviceID` asks for any
 * instance of it; it is zero for a sender that is connected to us, as its handshake does not say who it is.
 */
export interface RemoteInfo extends SocketAddress {
  readonly serviceID: ServiceID;
  /** Bytes of the datagram. */
  readonly size: number;
}

export interface DatagramEvents {
  message: [message: Buffer, source: RemoteInfo];
  listening: [];
  connect: [];
  /** The connected socket or its peer has other addresses (§4.4). */
  migrate: [];
  /** `drain` was called: peers that are connected can be told to go elsewhere. */
  draining: [];
  close: [];
  error: [error: Error];
}

export type DatagramSocketListener = (message: Buffer, source: RemoteInfo) => void;
