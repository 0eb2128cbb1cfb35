// The options of `connect` and of `new Socket`, and the many ways to pass them: `connect(serviceID[, options]
// [, listener])`, `connect(options[, listener])` as http agents do, and `connect(port, host)` as drivers do
// that were given a socket which already knows its service.

import type { LookupFunction } from 'node:net';
import type { DuplexOptions } from 'node:stream';
import type { ConnectOptions as HandleOptions, SocketHost } from '../driver/handles';
import { ServiceID } from '../wire/service-id';
import { checkNumber, checkOptionalFunction, checkOptionalInteger, given, type ServiceName } from './argument-checks';
import { defaultHost } from './default-host';
import { checkMultipath, type MultipathOptions, multipathOf } from './multipath-options';
import { invalidArgumentType, invalidArgumentValue } from './node-error';
import type { OnReadOptions } from './user-buffer';

export interface SocketOptions
  extends Pick<DuplexOptions, 'highWaterMark' | 'readableHighWaterMark' | 'writableHighWaterMark'> {
  /** The host to work on; the process's default host where it is left out. A text is a host name, as `node:net` has it, and chooses nothing. */
  host?: SocketHost | string | null | undefined;
  /** What `connect` connects to when it is not told, for drivers that call `socket.connect(port, host)` themselves. */
  serviceID?: ServiceName | undefined;
  /** False: the socket ends its own side when the peer has ended. Default false. */
  allowHalfOpen?: boolean | undefined;
  /** Send small segments at once instead of gathering them (Nagle). Default false. */
  noDelay?: boolean | undefined;
  /** Probe the peer when the connection is silent. Default false. */
  keepAlive?: boolean | undefined;
  /** Milliseconds of silence before the first probe; 0 for the host's default. */
  keepAliveInitialDelay?: number | undefined;
  /** Destroys the socket with an AbortError. */
  signal?: AbortSignal | undefined;
  /** Reads into one buffer of the application instead of emitting 'data'. */
  onread?: OnReadOptions | null | undefined;
}

export interface ConnectOptions extends SocketOptions {
  /** Milliseconds of silence until 'timeout', as `socket.setTimeout`. Default: none. */
  timeout?: number | undefined;
  /** Milliseconds until the attempt fails with ETIMEDOUT, 1 to 2^31-1. Default CONNECT_TIMEOUT, 8 s. */
  connectTimeout?: number | undefined;
  /** Bytes that are accepted before the peer has acknowledged them. */
  sendBuffer?: number | undefined;
  /** Bytes that the peer may send before the application reads. */
  receiveBuffer?: number | undefined;
  /**
   * Whether the connection uses several paths at once where both ends have them: further flows are opened from other
   * interfaces and to other addresses of the peer, while it runs (§4.4; docs/multipath.md). Default false.
   */
  multipath?: boolean | MultipathOptions | undefined;
  /** Called before the attempt, and its error honoured; its answer is not used: the service table routes. */
  lookup?: LookupFunction | undefined;
  /** Passed to `lookup`. */
  family?: number | string | undefined;
  /** Passed to `lookup`. */
  hints?: number | undefined;
  /** Accepted as in `node:net`, without effect. */
  port?: number | string | null | undefined;
  /** Accepted as in `node:net`, without effect. */
  path?: string | null | undefined;
  /** Accepted as in `node:net`, without effect. */
  localAddress?: string | undefined;
  /** Accepted as in `node:net`, without effect. */
  localPort?: number | undefined;
  /** Accepted as in `node:net`; asks `lookup` for all addresses unless false. */
  autoSelectFamily?: boolean | undefined;
  /** Accepted as in `node:net`, without effect. */
  autoSelectFamilyAttemptTimeout?: number | undefined;
}

export interface ConnectArguments {
  readonly service: unknown;
  readonly options: ConnectOptions;
  readonly listener: (() => void) | undefined;
}

const TIMEOUT_MAXIMUM = 2 ** 31 - 1;
const BUFFER_MAXIMUM = 2 ** 30;

/** Sorts the arguments of `connect`; `service` is still unchecked, and undefined when none was named. */
export function connectArguments(args: readonly unknown[]): ConnectArguments {
  const last = args.at(-1);
  const listener = typeof last === 'function' ? (last as () => void) : undefined;
  const [first, second] = args;
  if (typeof first === 'object' && first !== null && !(first instanceof ServiceID)) {
    const options = first as ConnectOptions;
    return { service: options.serviceID, options, listener };
  }
  const options = typeof second === 'object' && second !== null ? (second as ConnectOptions) : {};
  if (second !== undefined && second !== null && !['object', 'function', 'string'].includes(typeof second)) {
    throw invalidArgumentType('options', 'of type object', second);
  }
  // A port chooses nothing here, but must not be taken for a name.
  const service = typeof first === 'number' || first === listener ? undefined : first;
  return { service: service === undefined ? options.serviceID : service, options, listener };
}

export function checkSocketOptions(options: SocketOptions & { fd?: unknown; handle?: unknown }): void {
  for (const name of ['fd', 'handle', 'objectMode', 'readableObjectMode', 'writableObjectMode'] as const) {
    const value = (options as Record<string, unknown>)[name];
    if (value) throw invalidArgumentValue(`options.${name}`, value, 'is not supported');
  }
  checkSocketHost(options.host);
  if (options.keepAliveInitialDelay !== undefined) {
    checkNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  }
}

export function checkConnectOptions(options: ConnectOptions): void {
  checkSocketHost(options.host);
  checkOptionalFunction(options.lookup, 'options.lookup');
  checkOptionalInteger(options.connectTimeout, 'options.connectTimeout', 1, TIMEOUT_MAXIMUM);
  checkMultipath(options.multipath, 'options.multipath');
  checkBufferSizes(options);
}

export function checkBufferSizes(options: { sendBuffer?: unknown; receiveBuffer?: unknown }): void {
  checkOptionalInteger(options.sendBuffer, 'options.sendBuffer', 1, BUFFER_MAXIMUM);
  checkOptionalInteger(options.receiveBuffer, 'options.receiveBuffer', 1, BUFFER_MAXIMUM);
}

export function checkSocketHost(host: unknown): void {
  if (host === undefined || host === null || typeof host === 'string') return;
  if (typeof host === 'object' && typeof (host as SocketHost).connect === 'function') return;
  throw invalidArgumentType('options.host', 'an instance of Host', host);
}

/** The host that the first of these options names, or else the default host. */
export function hostOf(...choices: readonly { host?: unknown }[]): SocketHost {
  for (const { host } of choices) if (typeof host === 'object' && host !== null) return host as SocketHost;
  return defaultHost();
}

/** What the host is told of them. */
export function handleOptions(options: ConnectOptions): HandleOptions {
  const { connectTimeout: timeout, sendBuffer, receiveBuffer } = options;
  return { timeout, sendBuffer, receiveBuffer, multipath: multipathOf(options.multipath) };
}

/** What `stream.Duplex` is told of them. */
export function duplexOptions(options: SocketOptions): DuplexOptions {
  const { highWaterMark, readableHighWaterMark, writableHighWaterMark } = options;
  const usual = options.allowHalfOpen ? HALF_OPEN : CLOSED_TOGETHER;
  const isUsual = (highWaterMark ?? readableHighWaterMark ?? writableHighWaterMark) === undefined;
  return isUsual ? usual : { ...usual, ...given({ highWaterMark, readableHighWaterMark, writableHighWaterMark }) };
}

/** Node's net emits 'close' by hand, when the handle is closed; and so does this. */
const CLOSED_TOGETHER: DuplexOptions = { allowHalfOpen: false, emitClose: false };
const HALF_OPEN: DuplexOptions = { allowHalfOpen: true, emitClose: false };
