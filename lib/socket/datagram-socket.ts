// The active socket for datagrams (§4.1): an EventEmitter with the surface of `dgram.Socket`, where a serviceID
// stands for address and port. Unconnected, each datagram is resolved for itself; connected, all go to the one
// instance that the handshake found (§5.1). Long because it is one class, as `dgram.Socket` is.

import { AsyncResource } from 'node:async_hooks';
import { promisify } from 'node:util';
import type { DatagramHandle, DatagramObserver, DatagramSource } from '../driver/handles';
import type { ServalError } from '../errors';
import { IDLE_CHECK_INTERVAL } from '../limits';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import { Admission } from './admission';
import {
  checkFunction,
  checkServiceID,
  checkServicePrefix,
  given,
  type ServiceName,
  type ServiceScope,
} from './argument-checks';
import { hostOf } from './connect-options';
import type { DatagramSocketListener, RemoteInfo } from './datagram-events';
import {
  checkDatagramConnectOptions,
  checkDatagramOptions,
  type DatagramConnectOptions,
  type DatagramOptions,
  type Message,
  type SendCallback,
  sendArguments,
} from './datagram-options';
import { datagramSocketChannel } from './diagnostics';
import { checkDrainOptions, Drain, type DrainOptions, type DrainResult } from './drain';
import { Reference } from './handle-options';
import { IpOptions } from './ip-options';
import { scopedArguments } from './listen-options';
import { missingArgument, stateError } from './node-error';
import { type FailedService, operationError } from './operation-error';
import { ReceivedFrom } from './received-from';
import { whenRegistered } from './registration';
import { type SocketAddress, socketAddress } from './socket-address';
import { handleMigrationFailed, type MigrateOptions, migrateSocket, migrationReactions } from './socket-migration';

export interface DatagramAddress extends Partial<SocketAddress> {
  readonly serviceID: ServiceID;
  readonly prefix: ServicePrefix;
}

type ConnectCallback = (error?: Error) => void;

/**
 * A socket for datagrams. Events as of `dgram.Socket`: 'message' (Buffer, RemoteInfo), 'listening', 'connect',
 * 'error', 'close'. An operation without a callback that fails emits 'error'. §4.1
 */
export class DatagramSocket extends IpOptions {
  /** As given; there is one kind only. */
  readonly type: string;
  readonly #options: DatagramOptions;
  #handle: DatagramHandle | undefined;
  #resource: AsyncResource | undefined;
  readonly #reference = new Reference();
  #isClosed = false;
  #connection: 'none' | 'connecting' | 'connected' = 'none';
  #target: FailedService | undefined;
  #connectCallback: ConnectCallback | undefined;
  readonly #admission = new Admission();
  #drain: Drain | undefined;
  #drainCheck: NodeJS.Timeout | undefined;

  constructor(options?: string | DatagramOptions | null, listener?: DatagramSocketListener) {
    const given = typeof options === 'string' ? { type: options } : (options ?? {});
    checkDatagramOptions(given);
    super(given.captureRejections === undefined ? undefined : { captureRejections: given.captureRejections });
    this.type = given.type ?? 'serval';
    this.#options = given;
    if (typeof listener === 'function') this.on('message', listener);
    if (given.signal !== undefined) this.#closeOn(given.signal);
    if (datagramSocketChannel.hasSubscribers) datagramSocketChannel.publish({ socket: this });
  }

  /**
   * Binds to a service, or a prefix of services, and registers it; without a name to a random serviceID that is
   * not registered. Emits 'listening', or 'error' with EADDRINUSE. Throws ERR_SOCKET_ALREADY_BOUND,
   * ERR_SOCKET_DGRAM_NOT_RUNNING, ERR_INVALID_ARG_TYPE, ERR_SERVAL_INVALID_NAME.
   */
  bind(serviceID: ServiceScope, callback?: () => void): this;
  bind(options: { serviceID?: ServiceScope; weight?: number }, callback?: () => void): this;
  bind(callback?: () => void): this;
  bind(...args: unknown[]): this {
    const { scope, options, listener } = scopedArguments<{ serviceID?: unknown; weight?: number }>(args);
    if (options.weight !== undefined) this.#admission.weight = options.weight;
    const prefix = scope === undefined ? undefined : checkServicePrefix(scope, 'serviceID');
    this.#checkRunning();
    if (this.#handle !== undefined) throw stateError('ERR_SOCKET_ALREADY_BOUND');
    const error = this.#open(prefix, String(scope ?? 'a random serviceID'));
    if (error !== undefined) process.nextTick(() => this.emit('error', error));
    else if (listener !== undefined) this.once('listening', listener as () => void);
    return this;
  }

  /**
   * Finds one instance with a handshake, to which datagrams then go and from which alone they come. Emits
   * 'connect'; a failure goes to the callback, or else to 'error': ECONNREFUSED, ETIMEDOUT. Throws
   * ERR_SOCKET_DGRAM_IS_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING, ERR_MISSING_ARGS and for bad arguments.
   */
  connect(serviceID: ServiceName, options?: DatagramConnectOptions, callback?: ConnectCallback): void;
  connect(serviceID: ServiceName, callback?: ConnectCallback): void;
  connect(serviceID: ServiceName, ...args: unknown[]): void {
    const { options, listener } = scopedArguments<DatagramConnectOptions & { serviceID?: unknown }>(args);
    if (serviceID === undefined) throw missingArgument('serviceID');
    const id = checkServiceID(serviceID, 'serviceID');
    checkDatagramConnectOptions(options);
    this.#checkRunning();
    if (this.#connection !== 'none') throw stateError('ERR_SOCKET_DGRAM_IS_CONNECTED');
    this.#connection = 'connecting';
    this.#target = { id, text: String(serviceID) };
    this.#connectCallback = listener as ConnectCallback | undefined;
    const error = this.#handle === undefined ? this.#open(undefined, 'a random serviceID') : undefined;
    if (error !== undefined) process.nextTick(() => this.#connectFailed(error));
    else this.#handle?.connect(id, given({ timeout: options.connectTimeout }));
  }

  /** Throws ERR_SOCKET_DGRAM_NOT_CONNECTED. */
  disconnect(): void {
    if (this.#connection !== 'connected') throw stateError('ERR_SOCKET_DGRAM_NOT_CONNECTED');
    this.#connection = 'none';
    this.#target = undefined;
    this.#handle?.disconnect();
  }

  /**
   * Sends one datagram: to the service named, to the sender of a message when given what came with that, or where
   * the socket is connected to. A failure goes to the
   * callback, or else to 'error': EMSGSIZE when it is larger than the path takes, EHOSTUNREACH, ENOBUFS. That
   * it was sent does not mean that it arrived. Throws ERR_SOCKET_DGRAM_NOT_CONNECTED without a name when not
   * connected, ERR_SOCKET_DGRAM_IS_CONNECTED with one when connected, ERR_SOCKET_DGRAM_NOT_RUNNING,
   * ERR_INVALID_ARG_TYPE, ERR_BUFFER_OUT_OF_BOUNDS, ERR_SERVAL_INVALID_NAME.
   */
  send(message: Message, to: ServiceName | RemoteInfo, callback?: SendCallback): void;
  send(message: Message, offset: number, length: number, to: ServiceName | RemoteInfo, callback?: SendCallback): void;
  send(message: Message, callback?: SendCallback): void;
  send(message: Message, offset: number, length: number, callback?: SendCallback): void;
  send(message: Message, ...args: unknown[]): void {
    const { bytes, target, callback } = sendArguments(message, args);
    const isConnected = this.#connection === 'connected';
    if (isConnected && target !== undefined) throw stateError('ERR_SOCKET_DGRAM_IS_CONNECTED');
    if (!isConnected && target === undefined) throw stateError('ERR_SOCKET_DGRAM_NOT_CONNECTED');
    const sender = ReceivedFrom.sourceOf(target);
    const id = target === undefined ? undefined : (sender?.serviceID ?? checkServiceID(target, 'serviceID'));
    this.#checkRunning();
    const error = this.#handle === undefined ? this.#open(undefined, 'a random serviceID') : undefined;
    const failure = error ?? this.#handle?.send(bytes, sender ?? id);
    if (failure === undefined) {
      if (callback !== undefined) process.nextTick(callback, null, bytes.length);
      return;
    }
    const service = id === undefined ? this.#target : { id, text: String(sender === undefined ? target : id) };
    const told = operationError(failure, 'send', service);
    process.nextTick(() => (callback === undefined ? this.emit('error', told) : callback(told)));
  }

  /**
   * The connected socket goes on over another interface or address of this host (§4.4): as of a stream socket.
   * Throws ERR_SOCKET_DGRAM_NOT_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING besides.
   */
  migrate(options: MigrateOptions): Promise<void> {
    this.#checkRunning();
    if (this.#connection !== 'connected') throw stateError('ERR_SOCKET_DGRAM_NOT_CONNECTED');
    return migrateSocket(this, this.#handle, options, this.#target);
  }

  /** Unregisters and closes. Emits 'close'. Throws ERR_SOCKET_DGRAM_NOT_RUNNING when closed already. */
  close(callback?: () => void): this {
    if (callback !== undefined && callback !== null) checkFunction(callback, 'callback');
    this.#checkRunning();
    if (callback) this.on('close', callback);
    this.#end();
    return this;
  }

  /** As of a server: this socket's share of first packets and unconnected datagrams; 0 takes none. */
  get weight(): number {
    return this.#admission.weight;
  }

  set weight(weight: number) {
    this.#admission.weight = weight;
    if (!this.draining) this.#handle?.setWeight(this.#admission.share);
  }

  /** Whether `drain` was called and 'close' is still to come. */
  get draining(): boolean {
    return this.#drain !== undefined;
  }

  /**
   * Unregisters, and closes when no peer is connected any more, after `timeout` milliseconds at the latest. Unconnected
   * datagrams that are under way are lost. Resolves behind 'close'. Rejects with ERR_SOCKET_DGRAM_NOT_RUNNING,
   * ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  async drain(options: DrainOptions = {}): Promise<DrainResult> {
    checkDrainOptions(options);
    this.#checkRunning();
    const drain = this.#drain ?? this.#startDrain();
    drain.hasten(options);
    return drain.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) await promisify(this.close).call(this);
  }

  /** What it is bound to, and the network address in use if one is known. Throws when closed or not bound. */
  address(): DatagramAddress {
    this.#checkRunning();
    if (this.#handle === undefined) throw stateError('ERR_SOCKET_DGRAM_NOT_RUNNING');
    const { localServiceID: serviceID, prefix, localAddress } = this.#handle;
    return { serviceID, prefix, ...(localAddress === undefined ? undefined : socketAddress(localAddress)) };
  }

  /** The instance it is connected to. Throws ERR_SOCKET_DGRAM_NOT_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING. */
  remoteAddress(): Partial<SocketAddress> & { readonly serviceID: ServiceID | undefined } {
    this.#checkRunning();
    if (this.#connection !== 'connected') throw stateError('ERR_SOCKET_DGRAM_NOT_CONNECTED');
    const address = this.#handle?.remoteAddress;
    const serviceID = this.#handle?.remoteServiceID;
    return { serviceID, ...(address === undefined ? undefined : socketAddress(address)) };
  }

  /** A bound socket keeps the process alive; after `unref` it does not. */
  ref(): this {
    this.#reference.set(this.#handle, true);
    return this;
  }

  unref(): this {
    this.#reference.set(this.#handle, false);
    return this;
  }

  #checkRunning(): void {
    if (this.#isClosed) throw stateError('ERR_SOCKET_DGRAM_NOT_RUNNING');
  }

  #open(prefix: ServicePrefix | undefined, text: string): Error | undefined {
    try {
      this.#resource = new AsyncResource('SERVALDATAGRAM');
      this.#handle = hostOf(this.#options).openDatagram(prefix, this.#observer(this.#resource));
    } catch (error) {
      return operationError(error, 'bind', { id: prefix?.base, text });
    }
    this.#reference.applyTo(this.#handle);
    if (this.#admission.weight !== 1) this.#handle.setWeight(this.#admission.share);
    whenRegistered(this.#handle, (error) => {
      if (this.#isClosed) return;
      if (error === undefined) this.emit('listening');
      else this.emit('error', operationError(error, 'bind', { id: prefix?.base, text }));
    });
    return undefined;
  }

  #observer(resource: AsyncResource): DatagramObserver {
    const run = (callback: () => void) => {
      if (!this.#isClosed) resource.runInAsyncScope(callback);
    };
    const reactions = migrationReactions<DatagramSocket>((socket) => socket.#target);
    const tell = (bytes: Buffer, from: DatagramSource) => this.emit('message', bytes, new ReceivedFrom(bytes, from));
    return {
      message: (bytes, from) => {
        if (!this.#isClosed) resource.runInAsyncScope(tell, undefined, bytes, from);
      },
      connected: () => run(() => this.#connected()),
      migrated: () => run(() => reactions.migrated(this)),
      settled: () => run(() => reactions.settled(this)),
      migrationFailed: (error) => run(() => reactions.migrationFailed(this, error)),
      failed: (error) => run(() => this.#failed(error)),
      closed: () => run(() => this.#end()),
    };
  }

  #connected(): void {
    if (this.#connection !== 'connecting') return;
    this.#connection = 'connected';
    if (this.#connectCallback !== undefined) this.once('connect', this.#connectCallback);
    this.emit('connect');
  }

  #failed(error: ServalError): void {
    handleMigrationFailed(this, this.#target);
    if (this.#connection === 'connecting') {
      this.#connectFailed(operationError(error, 'connect', this.#target));
      return;
    }
    const told = operationError(error, 'read', this.#target);
    if (this.#connection === 'connected') this.#connection = 'none';
    this.emit('error', told);
  }

  #connectFailed(error: Error): void {
    const callback = this.#connectCallback;
    this.#connection = 'none';
    this.#target = undefined;
    if (callback === undefined) this.emit('error', error);
    else callback(error);
  }

  /** A handle does not tell when a peer leaves, and who drains can wait: it is asked from time to time. */
  #startDrain(): Drain {
    const peers = (): number => this.#handle?.peers ?? 0;
    const endWithout = (): void => {
      if (peers() === 0 && !this.#isClosed) this.#end();
    };
    this.#drain = new Drain(peers(), () => {
      const left = peers();
      if (!this.#isClosed) this.#end();
      return left;
    });
    this.#handle?.setWeight(0);
    this.#drainCheck = setInterval(endWithout, IDLE_CHECK_INTERVAL);
    process.nextTick(() => {
      this.emit('draining');
      endWithout();
    });
    return this.#drain;
  }

  #end(): void {
    this.#isClosed = true;
    handleMigrationFailed(this, this.#target);
    clearInterval(this.#drainCheck);
    this.#handle?.close();
    this.#handle = undefined;
    process.nextTick(() => {
      this.#drain?.finish();
      this.#drain = undefined;
      this.emit('close');
    });
  }

  #closeOn(signal: AbortSignal): void {
    const close = () => {
      if (!this.#isClosed) this.#end();
    };
    if (signal.aborted) {
      close();
      return;
    }
    signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
  }
}

/**
 * A socket for datagrams; `listener` is called on 'message'. `createSocket().send('hello', 'acme/log')` sends,
 * `createSocket(onMessage).bind('acme/log')` receives. Throws ERR_INVALID_ARG_TYPE. §4.1
 */
export function createSocket(
  options?: string | DatagramOptions | null,
  listener?: DatagramSocketListener,
): DatagramSocket;
export function createSocket(listener?: DatagramSocketListener): DatagramSocket;
export function createSocket(
  options?: string | DatagramOptions | DatagramSocketListener | null,
  listener?: DatagramSocketListener,
): DatagramSocket {
  if (typeof options === 'function') return new DatagramSocket(undefined, options);
  return new DatagramSocket(options, listener);
}
