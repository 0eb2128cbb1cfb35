// The active socket for streams (§4.1): a `stream.Duplex` with the whole surface of `net.Socket`, whose events
// come in the order of Node's lib/net.js. Bytes, retransmission and addresses are the affair of its handle.
// Long because it is one class: `net.Socket` has fifty members, and they share one state.

import type { Socket as NetSocket, SocketConnectOpts } from 'node:net';
import { addAbortSignal, Duplex } from 'node:stream';
import { type FlowInformation, SILENT_OBSERVER, type StreamHandle } from '../driver/handles';
import { ErrorCode, type ServalError } from '../errors';
import type { NetworkAddress } from '../wire/network-address';
import type { ServiceID } from '../wire/service-id';
import { defineAddressProperties } from './address-properties';
import { checkFunction, checkServiceID, type ServiceName } from './argument-checks';
import {
  type ConnectOptions,
  checkConnectOptions,
  checkSocketOptions,
  connectArguments,
  duplexOptions,
  handleOptions,
  hostOf,
  type SocketOptions,
} from './connect-options';
import { awaitFarewell } from './farewell';
import { handOn } from './hand-on';
import { setReferenced, TransportOptions } from './handle-options';
import { handOff } from './handoff';
import { checkDelay, IdleTimer } from './idle-timer';
import { lookUpName } from './name-lookup';
import { missingArgument, stateError } from './node-error';
import { type FailedService, namedError, operationError, ServiceOfID } from './operation-error';
import type { WriteCallback } from './pending-write';
import { readyStateOf } from './ready-state';
import { type SocketAddress, socketAddress } from './socket-address';
import { type OpenFlowOptions, openFlowOf } from './socket-flows';
import { handleMigrationFailed, type MigrateOptions, migrateSocket, migrationReactions } from './socket-migration';
import { SocketObserver, type SocketReactions } from './socket-observer';
import type { StreamServer } from './stream-server';
import { UserBuffer } from './user-buffer';
import { replaceWrite } from './write-after-end';
import { WriteSide } from './write-side';

/** What a server asks of the sockets that it accepts. */
export interface AcceptOptions extends SocketOptions {
  readonly pauseOnConnect: boolean;
}

/**
 * A stream between two instances of a service: `stream.Duplex` with the methods, properties and events of
 * `net.Socket`. Addresses stay IP addresses and may change while the connection lives; the names of the two ends
 * are `localServiceID` and `remoteServiceID`. `_handle` is always null: TLS and http2 treat it as any Duplex.
 *
 * Errors have `code`, `syscall`, `errno` and `serviceID`; docs/errors.md is the table. §4.1
 */
export class StreamSocket extends Duplex implements NetSocket {
  /** True from `connect` until 'connect'. */
  connecting = false;
  /** What `setTimeout` was given, in milliseconds. */
  declare timeout?: number;
  /** The server that accepted this socket. */
  server: StreamServer | null = null;
  /** The peer's IP address. It may change while the connection lives, and stays known after its end. */
  declare readonly remoteAddress: string | undefined;
  declare readonly remoteFamily: string | undefined;
  /** The peer's UDP port, 0 over raw IP. */
  declare readonly remotePort: number | undefined;
  declare readonly localAddress?: string;
  declare readonly localFamily?: string;
  declare readonly localPort?: number;
  /** Empty: an attempt goes to a service, not to a list of addresses. */
  declare readonly autoSelectFamilyAttemptedAddresses: string[];
  /** @internal Written by Node's http. */
  _hadError = false;
  /** @internal The name that `lookup` was asked for. */
  _host: string | null = null;
  /** @internal */
  _parent: null = null;
  /** @internal */
  _server: StreamServer | null = null;

  readonly #options: SocketOptions;
  readonly #userBuffer: UserBuffer | undefined;
  #transportOptions: TransportOptions;
  #isReferenced = true;
  // Made when they are needed: a server may have very many sockets that are idle.
  #idleTimer: IdleTimer | undefined;
  #writeSide: WriteSide | undefined;
  #service: FailedService | undefined;
  #handle: StreamHandle | undefined;
  #observer: SocketObserver<StreamSocket> | undefined;
  #isReading = false;
  #hasEnded = false;
  #isResetting = false;
  #bytesRead = 0;
  #lastPeer: NetworkAddress | undefined;

  constructor(options?: SocketOptions | null) {
    checkSocketOptions(options ?? {});
    super(duplexOptions(options ?? {}));
    this.#options = options ?? {};
    this.#transportOptions = TransportOptions.of(options ?? {});
    this.#userBuffer = UserBuffer.from(options?.onread);
    if (options?.serviceID !== undefined) this.#setService(options.serviceID);
    this.on('end', replaceWrite);
    // Not left to Duplex, which would destroy before the fields exist when the signal is aborted already.
    if (options?.signal) addAbortSignal(options.signal, this);
  }

  /** @internal The socket of a connection that a listener has accepted. */
  static accept(handle: StreamHandle, options: AcceptOptions): StreamSocket {
    const socket = new StreamSocket(options);
    const id = handle.localServiceID;
    if (id !== undefined) socket.#service = ServiceOfID.of(id);
    const observer = new SocketObserver(socket, StreamSocket.#reactions);
    handle.setObserver(observer);
    socket.#attach(handle, observer);
    socket.#transportOptions.applyTo(handle);
    if (options.pauseOnConnect) socket.pause();
    else socket.read(0);
    return socket;
  }

  /** Always null: what Node keeps here is a C++ object, which nothing outside of Node can be. */
  get _handle(): null {
    return null;
  }

  /** What was connected to, or for an accepted socket the serviceID that was asked for. */
  get serviceID(): ServiceID | undefined {
    return this.#service?.id;
  }

  get localServiceID(): ServiceID | undefined {
    return this.#handle?.localServiceID;
  }

  get remoteServiceID(): ServiceID | undefined {
    return this.#handle?.remoteServiceID;
  }

  /** The flows that carry the connection now (§4.4). */
  get flows(): readonly FlowInformation[] {
    return this.#handle?.flows ?? [];
  }

  get pending(): boolean {
    return this.#handle === undefined || this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    return readyStateOf(this);
  }

  /** @deprecated As in `node:net`: use `writableLength`. */
  get bufferSize(): number {
    return this.#handle === undefined ? (undefined as unknown as number) : this.writableLength;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes given to `write`, whether or not they have left. */
  get bytesWritten(): number {
    return (this.#writeSide?.bytesAccepted ?? 0) + this.writableLength;
  }

  /** Our IP address and port with our serviceID; `{}` without a connection. */
  address(): (SocketAddress & { readonly serviceID: ServiceID | undefined }) | Record<string, never> {
    const address = this.#handle?.localAddress;
    return address === undefined ? {} : { ...socketAddress(address), serviceID: this.localServiceID };
  }

  /**
   * Connects to an instance of a service, whichever the first packet is routed to (§3.2). Emits 'connect'
   * and 'ready', or 'error' and 'close'. Without a name, to the `serviceID` of the constructor's options.
   * Throws TypeError ERR_INVALID_ARG_TYPE, ERR_MISSING_ARGS, ERR_SERVAL_INVALID_NAME, RangeError
   * ERR_OUT_OF_RANGE. A socket that is connected or connecting is destroyed with EISCONN or EALREADY.
   */
  connect(serviceID: ServiceName, options?: ConnectOptions, listener?: () => void): this;
  connect(serviceID: ServiceName, listener?: () => void): this;
  connect(options: ConnectOptions | SocketConnectOpts, listener?: () => void): this;
  connect(port: number, host: string, listener?: () => void): this;
  connect(port: number, listener?: () => void): this;
  connect(...args: unknown[]): this {
    const { service, options, listener } = connectArguments(args);
    checkConnectOptions(options);
    if (service !== undefined) this.#setService(service);
    const id = this.#service?.id;
    if (id === undefined) throw missingArgument('serviceID');
    if (listener !== undefined) this.once('connect', listener);
    if (this.destroyed) this.#revive();
    if (!this.#isIdle()) return this.#failTwice();
    if (options.signal && options.signal !== this.#options.signal) addAbortSignal(options.signal, this);
    this._unrefTimer();
    this.connecting = true;
    if (options.lookup) this.#lookUp(id, options);
    else this.#open(id, options);
    return this;
  }

  /** Emits 'timeout' after that many milliseconds without traffic; 0 for never. */
  setTimeout(milliseconds: number, callback?: () => void): this {
    if (this.destroyed) return this;
    checkDelay(milliseconds);
    if (callback !== undefined) checkFunction(callback, 'callback');
    this.timeout = milliseconds;
    this.#idleTimer ??= new IdleTimer();
    this.#idleTimer.start(milliseconds, () => this._onTimeout());
    if (callback === undefined) return this;
    return milliseconds === 0 ? this.off('timeout', callback) : this.once('timeout', callback);
  }

  /** @internal */
  _onTimeout(): void {
    this.emit('timeout');
  }

  /** @internal A sign of life. Called by Node's http as well. */
  _unrefTimer(): void {
    this.#idleTimer?.refresh();
  }

  setNoDelay(noDelay = true): this {
    this.#transportOptions = this.#transportOptions.withNoDelay(this.#handle, noDelay);
    return this;
  }

  /** `initialDelay`: milliseconds of silence before the first probe, 0 for the host's default. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    this.#transportOptions = this.#transportOptions.withKeepAlive(this.#handle, enable, initialDelay);
    return this;
  }

  /**
   * Goes on over another interface or address of this host (§4.4). Resolves when the peer has answered there; rejects,
   * and stays, with ENODEV, EADDRNOTAVAIL, ENETUNREACH, ETIMEDOUT or ENOTCONN. Throws for bad options.
   */
  migrate(options: MigrateOptions): Promise<void> {
    return migrateSocket(this, this.connecting ? undefined : this.#handle, options, this.#service);
  }

  /** One more flow (§4.4, docs/multipath.md). Rejects as `migrate`, and with EISCONN, ENOBUFS, ECONNREFUSED. */
  openFlow(options: OpenFlowOptions): Promise<void> {
    return openFlowOf(this.connecting ? undefined : this.#handle, options, this.#service);
  }

  /** An open connection keeps the process alive; after `unref` it does not. */
  ref(): this {
    this.#isReferenced = true;
    setReferenced(this.#handle, true);
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    setReferenced(this.#handle, false);
    return this;
  }

  /** Leaves the connection to whoever gets these bytes, for `adopt` (docs/handoff.md). Rejects with ENOTCONN. */
  handoff(): Promise<Buffer> {
    return handOff(this, this.#userBuffer ? undefined : this.#handle, this.#writeSide, this.#service);
  }

  /** Ends, and destroys the socket when everything is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Resets the connection: the peer gets ECONNRESET. Waits for 'connect' while connecting. */
  resetAndDestroy(): this {
    if (this.#isIdle()) return this.destroy(stateError('ERR_SOCKET_CLOSED'));
    if (this.connecting) this.once('connect', () => this._reset());
    else this._reset();
    return this;
  }

  /** @internal */
  _reset(): this {
    this.#isResetting = true;
    return this.destroy();
  }

  override pause(): this {
    if (this.#userBuffer !== undefined && !this.connecting) this.#stopReading();
    return super.pause();
  }

  override resume(): this {
    if (this.#userBuffer !== undefined && !this.connecting) this.#startReading();
    return super.resume();
  }

  override read(size?: number): ReturnType<Duplex['read']> {
    if (this.#userBuffer !== undefined && !this.connecting) this.#startReading();
    return super.read(size);
  }

  override _read(size: number): void {
    if (this.pending) this.once('connect', () => this._read(size));
    else this.#startReading();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: WriteCallback): void {
    if (this.connecting || this.#handle === undefined) return this.#writeLater([chunk], callback);
    this._unrefTimer();
    this.#writing.write(this.#handle, chunk, callback);
  }

  override _writev(entries: { chunk: Uint8Array }[], callback: WriteCallback): void {
    const chunks = entries.map((entry) => entry.chunk);
    if (this.pending) return this.#writeLater(chunks, callback);
    this.#writing.hold(chunks, callback);
    this.#advanceWrite();
  }

  override _final(callback: WriteCallback): void {
    if (this.connecting || this.#handle === undefined) this.once('connect', () => this._final(callback));
    else this.#writing.end(this.#handle, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const wasConnecting = this.connecting;
    this.connecting = false;
    this.#idleTimer?.stop();
    const observer = this.#observer;
    const isEnding = !error && this.#writeSide?.isUnacknowledged === true && !this.#isResetting;
    handleMigrationFailed(this, this.#service);
    const handle = this.#detach();
    const isUnacknowledged = isEnding && handle !== undefined && handle.bytesBuffered > 0;
    const abandoned = this.#writeSide?.abandon();
    callback(error);
    // Whom to tell what, and when, is Node's choice.
    const closed = () => {
      if (!wasConnecting) abandoned?.(null);
      this.emit('close', Boolean(error));
      if (wasConnecting) abandoned?.(stateError('ERR_SOCKET_CLOSED_BEFORE_CONNECTION'));
    };
    const close = observer === undefined ? closed : () => observer.run(closed);
    if (handle === undefined) process.nextTick(close);
    else if (isUnacknowledged) awaitFarewell(handle, this.#isReferenced, () => this.#leave(close));
    else this.#leave(close);
  }

  #leave(close: () => void): void {
    // As with libuv, 'close' comes from the loop and behind 'error'.
    setImmediate(close);
    this._server?._connectionClosed(this);
    this._server = null;
  }

  get #writing(): WriteSide {
    this.#writeSide ??= new WriteSide();
    return this.#writeSide;
  }

  #isIdle(): boolean {
    return this.#handle === undefined && !this.connecting;
  }

  #setService(service: unknown): void {
    this.#service = { id: checkServiceID(service, 'serviceID'), text: String(service) };
  }

  #failTwice(): this {
    const code = this.connecting ? ErrorCode.alreadyConnecting : ErrorCode.alreadyConnected;
    return this.destroy(namedError(code, 'connect', this.#service));
  }

  #lookUp(id: ServiceID, options: ConnectOptions): void {
    this._host = typeof options.host === 'string' ? options.host : (this.#service?.text ?? '');
    lookUpName(this, this._host, options, () => this.#open(id, options));
  }

  #open(target: ServiceID, options: ConnectOptions): void {
    const observer = new SocketObserver(this, StreamSocket.#reactions);
    try {
      const host = hostOf(options, this.#options);
      this.#attach(host.connect(target, handleOptions(options), observer), observer);
    } catch (error) {
      this.destroy(operationError(error, 'connect', this.#service));
    }
  }

  #attach(handle: StreamHandle, observer: SocketObserver<StreamSocket>): void {
    this.#handle = handle;
    this.#observer = observer;
    if (!this.#isReferenced) setReferenced(handle, false);
  }

  /** Ends the handle's part, and gives it away. */
  #detach(): StreamHandle | undefined {
    const handle = this.#handle;
    if (handle === undefined) return undefined;
    this.#lastPeer = this.#peerAddress();
    this.#handle = undefined;
    this.#isReading = false;
    handle.setObserver(SILENT_OBSERVER);
    if (this.#isResetting) handle.reset();
    else handle.close();
    this.#isResetting = false;
    return handle;
  }

  /** A closed socket may connect again, as in `node:net`. */
  #revive(): void {
    (this as unknown as { _undestroy(): void })._undestroy();
    // Uncovers the method, which the peer's end may have covered.
    Reflect.deleteProperty(this, 'write');
    this.#hasEnded = false;
    this.#bytesRead = 0;
    this.#writeSide = undefined;
    this.#lastPeer = undefined;
  }

  #peerAddress(): NetworkAddress | undefined {
    return (this.connecting ? undefined : this.#handle?.remoteAddress) ?? this.#lastPeer;
  }

  #startReading(): void {
    if (this.#isReading || this.#handle === undefined) return;
    if (this.#userBuffer?.deliverRest() === false) return;
    this.#isReading = true;
    this.#handle?.startReading();
  }

  #stopReading(): void {
    this.#isReading = false;
    this.#handle?.stopReading();
  }

  #writeLater(chunks: readonly Uint8Array[], callback: WriteCallback): void {
    if (!this.connecting) return callback(stateError('ERR_SOCKET_CLOSED'));
    const write = this.#writing.hold(chunks, callback);
    this.once('connect', () => this.#writing.isHolding(write) && this.#advanceWrite());
  }

  #advanceWrite(): void {
    if (this.#handle === undefined) return;
    this._unrefTimer();
    this.#writeSide?.advance(this.#handle);
  }

  #connected(): void {
    // An accepted connection is told so as well, and emits nothing.
    if (!this.connecting) return;
    this.connecting = false;
    this._unrefTimer();
    if (this.#handle !== undefined) this.#transportOptions.applyTo(this.#handle);
    this.emit('connect');
    this.emit('ready');
    if (!this.isPaused()) this.read(0);
  }

  #received(chunk: Buffer): void {
    this._unrefTimer();
    this.#bytesRead += chunk.length;
    const wantsMore = this.#userBuffer?.deliver(chunk) ?? (handOn(this, chunk) || this.push(chunk));
    if (!wantsMore) this.#stopReading();
  }

  #ended(): void {
    this._unrefTimer();
    this.#hasEnded = true;
    this.push(null);
    this.read(0);
  }

  #failed(error: ServalError): void {
    this.destroy(operationError(error, this.connecting ? 'connect' : 'read', this.#service));
  }

  /** Nothing will come any more. What was received and not yet read stays readable. */
  #closed(): void {
    this.#writeSide?.acknowledged();
    if (!this.#hasEnded) this.destroy();
  }

  static readonly #reactions: SocketReactions<StreamSocket> = {
    connected: (socket) => socket.#connected(),
    received: (socket, chunk) => socket.#received(chunk),
    ended: (socket) => socket.#ended(),
    writable: (socket) => socket.#advanceWrite(),
    finished: (socket) => socket.#writeSide?.acknowledged(),
    ...migrationReactions((socket: StreamSocket) => socket.#service),
    flowsChanged: (socket) => socket.emit('flows'),
    failed: (socket, error) => socket.#failed(error),
    closed: (socket) => socket.#closed(),
  };

  static {
    defineAddressProperties<StreamSocket>(StreamSocket.prototype, {
      remote: (socket) => socket.#peerAddress(),
      local: (socket) => socket.#handle?.localAddress,
    });
  }
}
