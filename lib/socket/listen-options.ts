// The options of `createServer` and `listen`, and the ways to pass them: `listen([serviceID][, options][, cb])`
// and `listen(options[, cb])`; `createServer` likewise.

import { isPickerName, PICKER_NAMES, type PickerName, type SocketHost } from '../driver/handles';
import { ServiceID, ServicePrefix } from '../wire/service-id';
import { checkWeight } from './admission';
import { checkAbortSignal, checkNumber, checkOptionalInteger, type ServiceScope } from './argument-checks';
import { checkBufferSizes, checkSocketHost } from './connect-options';
import { checkMultipath, type MultipathOptions } from './multipath-options';
import { invalidArgumentType, invalidArgumentValue } from './node-error';

export interface ServerOptions {
  /** The host to work on; the process's default host where it is left out. A text chooses nothing. */
  host?: SocketHost | string | null | undefined;
  /** What `listen` serves when it is not told. */
  serviceID?: ServiceScope | undefined;
  /** As of each accepted socket. Default false; http and TLS on top want true. */
  allowHalfOpen?: boolean | undefined;
  /** Accepted sockets start paused. Default false. */
  pauseOnConnect?: boolean | undefined;
  /** Accepted sockets send small segments at once. Default false. */
  noDelay?: boolean | undefined;
  /** Accepted sockets probe a silent peer. Default false. */
  keepAlive?: boolean | undefined;
  /** Milliseconds of silence before the first probe; 0 for the host's default. */
  keepAliveInitialDelay?: number | undefined;
  /** Bytes, of accepted sockets' stream buffers; default as in `node:stream`. */
  highWaterMark?: number | undefined;
  /** As of `EventEmitter`. */
  captureRejections?: boolean | undefined;
}

export interface ListenOptions {
  serviceID?: ServiceScope | undefined;
  /** Connections that wait to be accepted, 1 to 65535; further ones are dropped. Default 511. */
  backlog?: number | undefined;
  /**
   * This instance's share when instances of one service are sampled (§4.2), up to 65535; 0 takes none for now. Default
   * what `server.weight` says, at first 1.
   */
  weight?: number | undefined;
  /**
   * How this instance wishes that one of several is chosen for each connection, by routers that are not told otherwise
   * (docs/choosing-instances.md).
   */
  picker?: PickerName | undefined;
  /** Bytes, of each accepted connection: accepted from the application before the peer has acknowledged them. */
  sendBuffer?: number | undefined;
  /** Bytes, of each accepted connection: what the peer may send before the application reads. */
  receiveBuffer?: number | undefined;
  /** Whether peers may open further flows for their connections, over other paths (§4.4). Default true. */
  multipath?: boolean | MultipathOptions | undefined;
  /** Closes the server. */
  signal?: AbortSignal | undefined;
}

export interface ScopedArguments<Options> {
  readonly scope: unknown;
  readonly options: Options;
  readonly listener: ((...args: never[]) => void) | undefined;
}

/** Sorts `([serviceID][, options][, listener])`; the scope is still unchecked. */
export function scopedArguments<Options extends { serviceID?: unknown }>(
  args: readonly unknown[],
): ScopedArguments<Options> {
  const rest = [...args];
  const listener = typeof rest.at(-1) === 'function' ? (rest.pop() as () => void) : undefined;
  while (rest.length > 0 && (rest.at(-1) === undefined || rest.at(-1) === null)) rest.pop();
  const [first, second] = rest;
  const named = typeof first === 'string' || first instanceof ServiceID || first instanceof ServicePrefix;
  const options = named ? second : first;
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw invalidArgumentType(named ? 'options' : 'serviceID', named ? 'of type object' : 'of type string', options);
  }
  const given = (options ?? {}) as Options;
  return { scope: named ? first : given.serviceID, options: given, listener };
}

export function checkServerOptions(options: ServerOptions): void {
  checkSocketHost(options.host);
  if (options.keepAliveInitialDelay !== undefined) {
    checkNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  }
  if (options.highWaterMark !== undefined) checkNumber(options.highWaterMark, 'options.highWaterMark');
}

export function checkListenOptions(options: ListenOptions): void {
  checkOptionalInteger(options.backlog, 'options.backlog', 1, 65535);
  if (options.weight !== undefined) checkWeight(options.weight, 'options.weight');
  checkMultipath(options.multipath, 'options.multipath');
  checkPicker(options.picker, 'options.picker');
  checkBufferSizes(options);
  if (options.signal !== undefined) checkAbortSignal(options.signal, 'options.signal');
}

function checkPicker(value: unknown, name: string): void {
  if (value === undefined || isPickerName(value)) return;
  throw invalidArgumentValue(name, value, `must be one of ${PICKER_NAMES.join(', ')}`);
}
