// The listening socket for streams (§4.1): listening registers the service. `net.Server` in surface, events and
// their order; which instance a client reaches is decided by service tables, not here.
// Long because it has the surface of `net.Server`, and what a service adds to it.

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
import { Admission } from './admission';
import { checkFunction, checkServicePrefix, given, type ServiceScope } from './argument-checks';
import { hostOf } from './connect-options';
import { serverSocketChannel, traceListen } from './diagnostics';
import { checkDrainOptions, Drain, type DrainOptions, type DrainResult } from './drain';
import { Reference } from './handle-options';
import { handOffAll } from './handoff';
import {
  checkListenOptions,
  checkServerOptions,
  type ListenOptions,
  type ServerOptions,
  scopedArguments,
} from './listen-options';
import { multipathOf } from './multipath-options';
import { invalidArgumentType, stateError } from './node-error';
import { operationError } from './operation-error';
import { whenRegistered } from './registration';
import {
  type ConnectionListener,
  droppedConnection,
  type ServerAddress,
  type ServerEvents,
  serverAddress,
} from './server-events';
import { type AcceptOptions, StreamSocket } from './stream-socket';

/**
 * Accepts connections to a service. Events as of `net.Server`: 'listening', 'connection' (StreamSocket),
 * 'drop' (DroppedConnection), 'error', 'close'; 'draining' besides. §4.1
 */
export class StreamServer extends EventEmitter<ServerEvents> {
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
  highWaterMark: number | undefined;
  /** @internal */
  _connections = 0;

  readonly #host: ServerOptions['host'];
  readonly #scope: ServicePrefix | undefined;
  #handle: ListenerHandle | undefined;
  /** Closed, with handshakes under way. */
  readonly #finishing = new Set<ListenerHandle>();
  readonly #sockets = new Set<StreamSocket>();
  readonly #admission = new Admission();
  #drain: Drain | undefined;
  /** `close` was called, and 'close' is still to come. */
  #isClosing = false;
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
    return this.#handle === undefined ? null : serverAddress(this.#handle.prefix);
  }

  /** Whether `drain` was called and 'close' is still to come. */
  get draining(): boolean {
    return this.#drain !== undefined;
  }

  /** Listening, but no client is sent here: it has `maxConnections`, or its weight is 0. */
  get withdrawn(): boolean {
    return this.#handle !== undefined && this.#admission.isWithdrawn;
  }

  /**
   * This instance's share of the first packets, relative to the others': 1 is the usual one, 0 takes none. Changes at
   * any time, and every router hears of it. Throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  get weight(): number {
    return this.#admission.weight;
  }

  set weight(weight: number) {
    this.#admission.weight = weight;
    this.#handle?.setWeight(this.#admission.share);
  }

  /**
   * With so many connections the service is withdrawn here: clients are sent to other instances. It comes back when a
   * tenth of them has ended, one at least. Should more come all the same, they are closed with a 'drop' event.
   */
  get maxConnections(): number {
    return this.#admission.maximum as number;
  }

  set maxConnections(maximum: number | null | undefined) {
    this.#admission.setMaximum(maximum ?? undefined, this._connections);
    this.#tellRoom();
  }

  /**
   * Lowers the share by that part: with 0.75 this instance asks for a quarter of its weight, with 1 for the least there
   * is, with 0 (the default) for all. Throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  reportLoad(fraction: number): this {
    this.#admission.setLoad(fraction);
    this.#handle?.setWeight(this.#admission.share);
    return this;
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
    if (this.#handle !== undefined || this.draining) throw stateError('ERR_SERVER_ALREADY_LISTEN');
    checkListenOptions(options);
    if (options.weight !== undefined) this.#admission.weight = options.weight;
    const prefix = scope === undefined ? (this.#scope ?? randomService()) : checkServicePrefix(scope, 'serviceID');
    if (listener !== undefined) this.once('listening', listener as () => void);
    if (options.signal !== undefined) this.#closeOn(options.signal);
    this.#start(prefix, String(scope ?? prefix), options);
    return this;
  }

  /**
   * Unregisters and stops accepting, but for clients whose handshake is under way: they take themselves for connected.
   * 'close' comes, and the callback is called, when the last connection has ended.
   */
  close(callback?: (error?: Error) => void): this {
    const handle = this.#handle;
    if (typeof callback === 'function') {
      if (handle === undefined) this.once('close', () => callback(stateError('ERR_SERVER_NOT_RUNNING')));
      else this.once('close', callback);
    }
    this.#handle = undefined;
    if (handle !== undefined) {
      this.#isClosing = true;
      this.#finishing.add(handle);
      if (handle.finish()) this.#finishing.delete(handle);
    }
    this._emitCloseIfDrained();
    return this;
  }

  /**
   * Closes, and bounds the time that takes: after `timeout` milliseconds what is still open is reset. Resolves behind
   * 'close', and not before first packets that were under way have been refused (DRAIN_MINIMUM). Called again, or after
   * `close`, it joins what is under way, and the earlier end counts. Rejects with ERR_SERVER_NOT_RUNNING,
   * ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE.
   */
  async drain(options: DrainOptions = {}): Promise<DrainResult> {
    checkDrainOptions(options);
    if (this.#handle === undefined && !this.#isClosing) throw stateError('ERR_SERVER_NOT_RUNNING');
    const drain = this.#drain ?? this.#startDrain();
    drain.hasten(options);
    return drain.done;
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

  /**
   * Leaves all open connections to another process: stops listening, gives the state of each to `send`, for `adopt` there,
   * and awaits what that returns; 'close' follows. Resolves with how many there were (docs/handoff.md).
   */
  async handoff(send: (state: Buffer) => unknown): Promise<number> {
    checkFunction(send, 'send');
    if (this.#handle !== undefined) this.close();
    return handOffAll([...this.#sockets], send);
  }

  /** @internal Whether there is a connection that nothing has come on yet. */
  get _hasFreshConnection(): boolean {
    for (const { bytesRead, destroyed } of this.#sockets) if (bytesRead === 0 && !destroyed) return true;
    return false;
  }

  /** @internal A socket of this server was destroyed. */
  _connectionClosed(socket: StreamSocket): void {
    this._connections--;
    this.#sockets.delete(socket);
    if (this.#admission.maximum !== undefined) this.#tellRoom();
    this._emitCloseIfDrained();
  }

  /** @internal */
  _emitCloseIfDrained(): void {
    if (this.#handle !== undefined || this.#finishing.size > 0 || this._connections > 0) return;
    process.nextTick(() => this.#finish());
  }

  override [EventEmitter.captureRejectionSymbol](error: Error, event: unknown, ...args: unknown[]): void {
    if (event === 'connection') (args[0] as StreamSocket).destroy(error);
    else this.emit('error', error);
  }

  #start(prefix: ServicePrefix, text: string, options: ListenOptions): void {
    const traced = traceListen(this, prefix, options);
    const fail = (cause: unknown): void => {
      const error = operationError(cause, 'listen', { id: prefix.base, text });
      traced(error);
      this.emit('error', error);
    };
    try {
      const host = hostOf(this.#socketOptions());
      const handle: ListenerHandle = host.listen(prefix, listenerOptions(options, this.#admission.share), {
        connection: (accepted) => this.#inScope(() => this.#accept(accepted)),
        finished: () => this.#inScope(() => this.#handleFinished(handle)),
        drain: (timeout) => this.#inScope(() => this.drain(timeout === undefined ? {} : { timeout })),
      });
      this.#handle = handle;
      if (this.#admission.maximum !== undefined) this.#tellRoom();
    } catch (cause) {
      process.nextTick(fail, cause);
      return;
    }
    const handle = this.#handle;
    this.#resource = new AsyncResource('SERVALSERVER');
    this.#reference.applyTo(handle);
    whenRegistered(handle, (error) => {
      if (this.#handle !== handle) return;
      if (error !== undefined) return fail(error);
      traced();
      this.emit('listening');
    });
  }

  #inScope<Result>(callback: () => Result): Result {
    return this.#resource === undefined ? callback() : this.#resource.runInAsyncScope(callback);
  }

  #accept(handle: StreamHandle): void {
    if (this.#admission.places(this._connections) === 0) {
      this.emit('drop', droppedConnection(handle));
      handle.setObserver(SILENT_OBSERVER);
      handle.close();
      return;
    }
    const socket = StreamSocket.accept(handle, this.#socketOptions());
    this._connections++;
    this.#sockets.add(socket);
    this.#drain?.noteConnection();
    if (this.#admission.maximum !== undefined) this.#tellRoom();
    socket.server = this;
    socket._server = this;
    this.emit('connection', socket);
    if (serverSocketChannel.hasSubscribers) serverSocketChannel.publish({ socket });
  }

  /** What the number of connections and the application's wishes come to. */
  #tellRoom(): void {
    this.#admission.noteConnections(this._connections);
    this.#handle?.setPlaces(this.#admission.places(this._connections));
    this.#handle?.setWeight(this.#admission.share);
  }

  #startDrain(): Drain {
    const drain = new Drain(this._connections, () => this.#cutOff());
    this.#drain = drain;
    process.nextTick(() => this.emit('draining'));
    if (this.#handle !== undefined) this.close();
    return drain;
  }

  /** A reset, so that the peer does not take what it has for all there was. */
  #cutOff(): number {
    const open = [...this.#sockets].filter((socket) => !socket.destroyed);
    for (const socket of open) socket.resetAndDestroy();
    for (const handle of [...this.#finishing]) {
      handle.close();
      this.#handleFinished(handle);
    }
    return open.length;
  }

  #handleFinished(handle: ListenerHandle): void {
    if (this.#finishing.delete(handle)) this._emitCloseIfDrained();
  }

  #finish(): void {
    this.#isClosing = false;
    this.#drain?.finish();
    this.#drain = undefined;
    this.emit('close');
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

function listenerOptions(options: ListenOptions, weight: number): ListenerOptions {
  const { backlog, sendBuffer, receiveBuffer, picker } = options;
  const multipath = multipathOf(options.multipath);
  return given({ backlog, weight, sendBuffer, receiveBuffer, multipath, picker });
}

function randomService(): ServicePrefix {
  return ServicePrefix.of(ServiceID.fromBytes(randomBytes(32)));
}
