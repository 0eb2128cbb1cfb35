// What sockets need of a host, real or simulated: handles to act on, observers to be told. The socket layer
// is written against these alone; the drivers implement them over one `Stack`.

import type { ServalError } from '../errors';
import type { MigrationTarget } from '../sal/local-interfaces';
import type { FlowTarget } from '../stack/further-flows';
import type { HandedOver } from '../stack/handoff';
import type { MultipathOptions } from '../stack/multipath';
import type { PickerName } from '../table/pickers/picker-names';
import type { NetworkAddress } from '../wire/network-address';
import type { ServiceID, ServicePrefix } from '../wire/service-id';

export type { FlowTarget } from '../stack/further-flows';
export type { ConnectionState, HandedOver } from '../stack/handoff';
export { type MultipathOptions, SCHEDULER_NAMES, type SchedulerName } from '../stack/multipath';
export { isPickerName, PICKER_NAMES, type PickerName } from '../table/pickers/picker-names';

export interface SocketHost {
  /** Starts to connect and returns at once; the outcome goes to `observer`. */
  connect(target: ServiceID, options: ConnectOptions, observer: StreamObserver): StreamHandle;
  /** Goes on with a connection that another process has left. Throws a `ServalError` EADDRINUSE when it is here already. */
  adopt?(state: HandedOver['connection'], observer: StreamObserver): StreamHandle;
  /** Listens from now on. Throws a `ServalError` EADDRINUSE when a local socket has that prefix. */
  listen(prefix: ServicePrefix, options: ListenOptions, observer: ListenerObserver): ListenerHandle;
  /** Opens a datagram socket, bound (and registered) to `prefix` or to a random unregistered serviceID. */
  openDatagram(prefix: ServicePrefix | undefined, observer: DatagramObserver): DatagramHandle;
  /** Resolves when links are up and first packets can leave; listening and connecting may start before. */
  readonly ready: Promise<void>;
}

export interface PingOptions {
  /** Milliseconds until ETIMEDOUT; default CONNECT_TIMEOUT. */
  readonly timeout?: number | undefined;
  /** Where the first packet goes instead of where the service table says: to each of these addresses. */
  readonly via?: readonly NetworkAddress[] | undefined;
  /** Which kind of socket is asked for; default 'stream'. */
  readonly transport?: 'stream' | 'datagram' | undefined;
}

export interface ConnectOptions {
  /** Milliseconds until ETIMEDOUT, retransmissions included; default CONNECT_TIMEOUT. */
  readonly timeout?: number | undefined;
  /** Bytes; defaults and bounds in limits.ts. */
  readonly sendBuffer?: number | undefined;
  readonly receiveBuffer?: number | undefined;
  /** Where the first packet goes instead of where the service table says: to each of these addresses. */
  readonly via?: readonly NetworkAddress[] | undefined;
  /** Whether further flows are opened where there are further paths (§4.4). Default false. */
  readonly multipath?: boolean | MultipathOptions | undefined;
}

export interface ListenOptions {
  /** Connections that wait for the application; further SYNs are dropped. Default BACKLOG_DEFAULT. */
  readonly backlog?: number;
  /** Share of first packets among the instances of the service; 0: withdrawn. Default INSTANCE_WEIGHT. */
  readonly weight?: number;
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
  /** Whether peers may open further flows for their connections (§4.4). Default true. */
  readonly multipath?: boolean | MultipathOptions;
  /** How it wishes that one of several instances is chosen. */
  readonly picker?: PickerName;
}

/** Calls arrive from the event loop's turn of the driver, never from inside a call to the handle. */
export interface StreamObserver {
  connected(): void;
  /** In-order bytes, owned by the observer from now on. Not called while reading is stopped. */
  data(chunk: Buffer): void;
  /** The peer sent all it will (after the last `data`). */
  ended(): void;
  /** The send buffer has room again, after a `write` that was not accepted in full. */
  writable(): void;
  /** All written bytes and our FIN were acknowledged. */
  finished(): void;
  /** The addresses are others now, by our doing or by the peer's (§4.4). */
  migrated?(): void;
  /** Another number of flows carries it (§4.4). */
  flowsChanged?(): void;
  /** What `migrate` asked for is done: the connection is there. */
  settled?(): void;
  /** ETIMEDOUT: nobody answered at the address that `migrate` chose, and the connection goes on where it is. */
  migrationFailed?(error: ServalError): void;
  /** The connection is dead: ECONNREFUSED, ETIMEDOUT, ECONNRESET, ... `closed` follows. */
  failed(error: ServalError): void;
  /** The last call: nothing is left of the connection but its TIME-WAIT. */
  closed(): void;
}

/** Takes the calls of a handle that nobody is interested in. */
export const SILENT_OBSERVER: StreamObserver = {
  connected() {},
  data() {},
  ended() {},
  writable() {},
  finished() {},
  failed() {},
  closed() {},
};

export interface StreamHandle {
  readonly localServiceID: ServiceID | undefined;
  readonly remoteServiceID: ServiceID | undefined;
  /** The addresses in use now; they may change when a flow migrates. */
  readonly localAddress: NetworkAddress | undefined;
  readonly remoteAddress: NetworkAddress | undefined;
  readonly flows: readonly FlowInformation[];
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Bytes accepted and not yet acknowledged. */
  readonly bytesBuffered: number;
  /**
   * Copies as much of `bytes` from `offset` on as the send buffer takes, and returns how many bytes that
   * was. After less than all, wait for `writable` and go on. Nothing is accepted before `connected`, and after `shutdown`.
   */
  write(bytes: Uint8Array, offset?: number): number;
  /** Sends FIN behind what was written. */
  shutdown(): void;
  /** Back-pressure: unread bytes stay in the receive buffer, and the window closes. Reading starts stopped. */
  startReading(): void;
  stopReading(): void;
  /** Ends at once with a RST to the peer; `closed` follows. */
  reset(): void;
  /** The application is done with it: what is unread is discarded; with unread bytes the peer gets a RST. */
  close(): void;
  setNoDelay(noDelay: boolean): void;
  /** `delay` milliseconds of silence before the first probe. */
  setKeepAlive(enabled: boolean, delay: number): void;
  /** Milliseconds without acknowledgment until ETIMEDOUT; 0 for the default. */
  setUserTimeout(timeout: number): void;
  setObserver(observer: StreamObserver): void;
  /**
   * Leaves the connection to another process: `closed` follows, and the peer hears nothing. `undefined` when it is not
   * open in both directions.
   */
  handOver?(): HandedOver | undefined;
  /** Goes to another address: `settled` or `migrationFailed` follows. An error when it cannot: ENODEV ... */
  migrate(target: MigrationTarget): ServalError | 'settled' | undefined;
  /** Has one more flow carry the connection; `outcome` is called when it does. An error when it cannot: ENODEV ... */
  openFlow?(target: FlowTarget, outcome: (error: ServalError | undefined) => void): ServalError | undefined;
  /** Whether the open connection keeps the process alive; it does from its birth. */
  ref?(): void;
  unref?(): void;
}

export interface FlowInformation {
  readonly localFlowID: number;
  readonly remoteFlowID: number;
  readonly localAddress: NetworkAddress | undefined;
  readonly remoteAddress: NetworkAddress;
  readonly state: string;
  /** Milliseconds, smoothed; undefined before the first sample. */
  readonly roundTripTime: number | undefined;
  /** Bytes. */
  readonly congestionWindow: number;
  /** Bytes. */
  readonly segmentSize: number;
  /** Bytes that were sent again, since the connection began. */
  readonly retransmittedBytes: number;
  /** It carries data only while no other flow works, because this end or the other one wants it so. */
  readonly backup: boolean;
  /** Whether this end wants it so, from now on; the other end hears of it. False when the flow is over. */
  setBackup(backup: boolean): boolean;
  /**
   * Ends this flow: the others carry what it had under way, the peer hears of it, and neither end opens another in its
   * place by itself. False when it is the only one, or over: end the socket instead.
   */
  close(): boolean;
}

export interface ListenerObserver {
  /** A connection was accepted by the stack. Set its observer before returning. */
  connection(handle: StreamHandle): void;
  /** The last call, after a `finish` that had to wait: no connection comes any more. */
  finished?(): void;
  /** Somebody outside asks for the socket's orderly end: what is open has so many milliseconds, or any time. */
  drain?(timeout: number | undefined): Promise<{ readonly finished: number; readonly cut: number }>;
}

export interface ListenerHandle {
  readonly prefix: ServicePrefix;
  /** Resolves when the other processes of this host reach it, too; rejects when they cannot. None: at once. */
  readonly registered?: Promise<void> | undefined;
  /** As in `ListenOptions`, from now on. 0 withdraws: the service stays taken, and no first packet comes. */
  setWeight(weight: number): void;
  /** Connections that may still come. Clients beyond are refused, and find another instance. */
  setPlaces(places: number): void;
  /**
   * Unregisters, and accepts those alone whose handshake is under way. True when none is; else `finished` follows,
   * after LISTENER_FINISH_TIMEOUT at the latest.
   */
  finish(): boolean;
  /** Unregisters. Accepted connections go on; handshakes that are under way are reset. */
  close(): void;
  ref?(): void;
  unref?(): void;
}

export interface DatagramObserver {
  message(bytes: Buffer, from: DatagramSource): void;
  /** Outcome of `connect`. */
  connected(): void;
  failed(error: ServalError): void;
  /** As of a `StreamObserver`, for a connected socket. */
  migrated?(): void;
  settled?(): void;
  migrationFailed?(error: ServalError): void;
  closed(): void;
}

export interface DatagramSource {
  /** Zero for a connected peer: its handshake does not say who it is (§4.2). Answer it by `flowID`. */
  readonly serviceID: ServiceID;
  readonly address: NetworkAddress;
  /** Set when the sender is connected to this socket: an answer goes to that peer alone. */
  readonly flowID?: number | undefined;
  /** The link it came by, as the stack numbers it: an answer leaves by that, without another resolution. */
  readonly link?: number;
  /** Whether its sender sent it to us alone or to all on the segment, or a router passed it on. */
  readonly way?: 'direct' | 'broadcast' | 'forwarded';
}

export interface DatagramHandle {
  readonly prefix: ServicePrefix;
  /** As of a `ListenerHandle`. */
  readonly registered?: Promise<void> | undefined;
  readonly localServiceID: ServiceID;
  readonly localAddress: NetworkAddress | undefined;
  readonly remoteServiceID: ServiceID | undefined;
  readonly remoteAddress: NetworkAddress | undefined;
  /** Others that are connected to it, or about to be. */
  readonly peers: number;
  /** As of a `ListenerHandle`. */
  setWeight(weight: number): void;
  /**
   * Unconnected: `target` is resolved through the service table for this datagram alone (§5.1). Connected:
   * `target` is undefined. A `DatagramSource` answers whoever sent it. Returns an error (EMSGSIZE, EHOSTUNREACH ...) or undefined when it left.
   */
  send(bytes: Uint8Array, target: ServiceID | DatagramSource | undefined): ServalError | undefined;
  /** Handshake with one instance; datagrams then stay with it. */
  connect(target: ServiceID, options: ConnectOptions): void;
  disconnect(): void;
  /** As of a `StreamHandle`. */
  migrate(target: MigrationTarget): ServalError | 'settled' | undefined;
  close(): void;
  ref?(): void;
  unref?(): void;
}
