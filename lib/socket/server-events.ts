// What a server says of itself: its address, and what comes with its events.

import type { StreamHandle } from '../driver/handles';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import { type SocketAddress, socketAddress } from './socket-address';
import type { StreamSocket } from './stream-socket';

/** What `server.address()` gives. */
export interface ServerAddress {
  /** The service; of a prefix its first name. */
  readonly serviceID: ServiceID;
  /** What is served: 256 bits for one service. */
  readonly prefix: ServicePrefix;
  /** The same as text: 64 hex digits, or `HEX/bits`. */
  readonly address: string;
  readonly family: 'Serval';
  /** There are no ports: services are named. */
  readonly port: 0;
}

/** Whose connection was turned away, with a 'drop' event. */
export interface DroppedConnection {
  readonly localServiceID: ServiceID | undefined;
  readonly remoteServiceID: ServiceID | undefined;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly localFamily?: string;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly remoteFamily?: string;
}

export interface ServerEvents {
  listening: [];
  connection: [socket: StreamSocket];
  drop: [connection: DroppedConnection];
  /** `drain` was called: who has long-lived connections tells their peers to come back, and reach another instance. */
  draining: [];
  error: [error: Error];
  close: [];
}

export type ConnectionListener = (socket: StreamSocket) => void;

export function serverAddress(prefix: ServicePrefix): ServerAddress {
  const address = prefix.bits === 256 ? prefix.base.toString() : prefix.toString();
  return { serviceID: prefix.base, prefix, address, family: 'Serval', port: 0 };
}

export function droppedConnection(handle: StreamHandle): DroppedConnection {
  const { localServiceID, remoteServiceID, localAddress, remoteAddress } = handle;
  return {
    localServiceID,
    remoteServiceID,
    ...(localAddress === undefined ? undefined : prefixed('local', socketAddress(localAddress))),
    ...(remoteAddress === undefined ? undefined : prefixed('remote', socketAddress(remoteAddress))),
  };
}

function prefixed(side: 'local' | 'remote', { address, port, family }: SocketAddress): Record<string, unknown> {
  return { [`${side}Address`]: address, [`${side}Port`]: port, [`${side}Family`]: family };
}
