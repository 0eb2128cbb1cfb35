// The listening socket for streams (§4.1): listening registers the service. `net.Server` in surface, events and
// their order; which instance a client reaches is decided by service tables, not here.

import { AsyncResource } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { EventEmitter, on } from 'node:events';
import { promisify } from 'node:util';
import {
  type ListenerHandle,
  type ListenOptions as ListenerOptions,
  SILENT_OBSERVER,
  type StreamHandle,
} from '../driver/handles';
import { ServiceID, ServicePrefix } from '../wire/service-id';
import { checkServicePrefix, given, type ServiceScope } from './argument-checks';
import { hostOf } from './connect-options';
import { serverSocketChannel } from './diagnostics';
import { Reference } from './handle-options';
import {
  checkListenOptions,
  checkServerOptions,
  type ListenOptions,
  type ServerOptions,
  scopedArguments,
} from './listen-options';
import { invalidArgumentType, stateError } from './node-error';
import { operationError } from './operation-error';
import { whenRegistered } from './registration';
import { type SocketAddress, socketAddress } from './socket-address';
import { type AcceptOptions, StreamSocket } from './stream-socket';

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
  error: [error: Error];
  close: [];
}

export type ConnectionListener = (socket: StreamSocket) => void;

/**
 * Accepts connections to a service. Events as of `net.Server`: 'listening', 'connection' (StreamSocket),
 * 'drop' (DroppedConnection), 'error', 'close'. §4.1
 */
export class StreamServer extends EventEmitter<ServerEvents> {
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
  highWaterMark: number | undefined;
  /** Connections beyond this many are closed at once, with a 'drop' event. */
  declare maxConnections: number;
  /** @internal */
  _connections = 0;

  readonly #host: ServerOptions['host'];
  readonly #scope: ServicePrefix | undefined;
  #handle: ListenerHandle | undefined;
  #resource: AsyncResource | undefined;
  readonly #reference = new Reference();
  #lastOptions: AcceptOptions | undefined;

  constructor(serviceID: ServiceScope, options?: ServerOptions, listener?: ConnectionListener);
  constructor(serviceID: ServiceScope, listener?: ConnectionListener);
  constructor(options?: ServerOptions, listener?: ConnectionListener);
  constructor(listener?: ConnectionListener);
  constructor(...args: unknown[]) {
    const { scope, options, listener } = scopedArguments<ServerOptions>(args);
    checkServerOptions(options);
    super(options.captureRejections === undefined ? undefined : { captureRejections: options.captureRejections });
    this.#host = options.host;
    this.#scope = scope === undefined ? undefined : checkServicePrefix(scope, 'serviceID');
    this.allowHalfOpen = options.allowHalfOpen ?? false;
    this.pauseOnConnect = Boolean(options.pauseOnConnect);
    this.noDelay = Boolean(options.noDelay);
    this.keepAlive = Boolean(options.keepAlive);
    this.keepAliveInitialDelay = Math.max(0, options.keepAliveInitialDelay ?? 0);
    const mark = options.highWaterMark;
    this.highWaterMark = mark === undefined || mark < 0 ? undefined : mark;
    if (listener !== undefined) this.on('connection', listener as ConnectionListener);
  }

  get listening(): boolean {
    return this.#handle !== undefined;
  }

  /** Null unless listening. */
  address(): ServerAddress | null {
    const prefix = this.#handle?.prefix;
    if (prefix === undefined) return null;
    const text = prefix.bits === 256 ? prefix.base.toString() : prefix.toString();
    return { serviceID: prefix.base, prefix, address: text, family: 'Serval', port: 0 };
  }

  /**
   * Serves a service, a prefix of services (`acme/*`), or without a name a random serviceID that `address()`
   * tells. Emits 'listening', or 'error': EADDRINUSE when a socket of this host serves exactly that already.
   * Throws ERR_SERVER_ALREADY_LISTEN, ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_SERVAL_INVALID_NAME.
   */
  listen(serviceID: ServiceScope, options?: ListenOptions, listener?: () => void): this;
  listen(serviceID: ServiceScope, listener?: () => void): this;
  listen(options: ListenOptions, listener?: () => void): this;
  listen(listener?: () => void): this;
  listen(...args: unknown[]): this {
    const { scope, options, listener } = scopedArguments<ListenOptions>(args);
    if (this.#handle !== undefined) throw stateError('ERR_SERVER_ALREADY_LISTEN');
    checkListenOptions(options);
    const prefix = scope === undefined ? (this.#scope ?? randomService()) : checkServicePrefix(scope, 'serviceID');
    if (listener !== undefined) this.once('listening', listener as () => void);
    if (options.signal !== undefined) this.#closeOn(options.signal);
    this.#start(prefix, String(scope ?? prefix), options);
    return this;
  }

  /** Stops accepting. 'close' comes, and the callback is called, when the last connection has ended. */
  close(callback?: (error?: Error) => void): this {
    const handle = this.#handle;
    if (typeof callback === 'function') {
      if (handle === undefined) this.once('close', () => callback(stateError('ERR_SERVER_NOT_RUNNING')));
      else this.once('close', callback);
    }
    this.#handle = undefined;
    handle?.close();
    this._emitCloseIfDrained();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#handle === undefined) return;
    await promisify(this.close).call(this);
  }

  /** Accepts: `for await (const socket of server)`. Ends when the server is closed, throws its 'error'. */
  async *[Symbol.asyncIterator](): AsyncGenerator<StreamSocket, void> {
    for await (const [socket] of on(this, 'connection', { close: ['close'] })) yield socket;
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    if (typeof callback !== 'function') throw invalidArgumentType('callback', 'of type function', callback);
    process.nextTick(callback, null, this._connections);
    return this;
  }

  /** A listening server keeps the process alive; after `unref` it does not. */
  ref(): this {
    this.#reference.set(this.#handle, true);
    return this;
  }

  unref(): this {
    this.#reference.set(this.#handle, false);
    return this;
  }

  /** @internal A socket of this server was destroyed. */
  _connectionClosed(): void {
    this._connections--;
    this._emitCloseIfDrained();
  }

  /** @internal */
  _emitCloseIfDrained(): void {
    if (this.#handle !== undefined || this._connections > 0) return;
    process.nextTick(() => this.emit('close'));
  }

  override [EventEmitter.captureRejectionSymbol](error: Error, event: unknown, ...args: unknown[]): void {
    if (event === 'connection') (args[0] as StreamSocket).destroy(error);
    else this.emit('error', error);
  }

  #start(prefix: ServicePrefix, text: string, options: ListenOptions): void {
    try {
      const host = hostOf(this.#socketOptions());
      const observer = { connection: (handle: StreamHandle) => this.#inScope(() => this.#accept(handle)) };
      this.#handle = host.listen(prefix, listenerOptions(options), observer);
    } catch (cause) {
      const error = operationError(cause, 'listen', { id: prefix.base, text });
      process.nextTick(() => this.emit('error', error));
      return;
    }
    const handle = this.#handle;
    this.#resource = new AsyncResource('SERVALSERVER');
    this.#reference.applyTo(handle);
    whenRegistered(handle, (error) => {
      if (this.#handle !== handle) return;
      if (error === undefined) this.emit('listening');
      else this.emit('error', operationError(error, 'listen', { id: prefix.base, text }));
    });
  }

  #inScope(callback: () => void): void {
    if (this.#resource === undefined) callback();
    else this.#resource.runInAsyncScope(callback);
  }

  #accept(handle: StreamHandle): void {
    if (this.maxConnections && this._connections >= this.maxConnections) {
      this.emit('drop', droppedConnection(handle));
      handle.setObserver(SILENT_OBSERVER);
      handle.close();
      return;
    }
    const socket = StreamSocket.accept(handle, this.#socketOptions());
    this._connections++;
    socket.server = this;
    socket._server = this;
    this.emit('connection', socket);
    if (serverSocketChannel.hasSubscribers) serverSocketChannel.publish({ socket });
  }

  /** One object for all sockets, while nobody changes what they are to be like. */
  #socketOptions(): AcceptOptions {
    const { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, keepAliveInitialDelay, highWaterMark } = this;
    const last = this.#lastOptions;
    const isCurrent =
      last?.allowHalfOpen === allowHalfOpen &&
      last.pauseOnConnect === pauseOnConnect &&
      last.noDelay === noDelay &&
      last.keepAlive === keepAlive &&
      last.keepAliveInitialDelay === keepAliveInitialDelay &&
      last.highWaterMark === highWaterMark;
    if (isCurrent) return last;
    const fixed = { host: this.#host, allowHalfOpen, pauseOnConnect, noDelay, keepAlive, keepAliveInitialDelay };
    this.#lastOptions = highWaterMark === undefined ? fixed : { ...fixed, highWaterMark };
    return this.#lastOptions;
  }

  #closeOn(signal: AbortSignal): void {
    const close = () => this.close();
    if (signal.aborted) {
      process.nextTick(close);
      return;
    }
    signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
  }
}

function listenerOptions({ backlog, weight, sendBuffer, receiveBuffer }: ListenOptions): ListenerOptions {
  return given({ backlog, weight, sendBuffer, receiveBuffer });
}

function droppedConnection(handle: StreamHandle): DroppedConnection {
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

function randomService(): ServicePrefix {
  return ServicePrefix.of(ServiceID.fromBytes(randomBytes(32)));
}
