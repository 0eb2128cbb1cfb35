// The options of datagram sockets, and the overloads of `send`:
// `send(message[, offset, length][, serviceID][, callback])`.

import type { SocketHost } from '../driver/handles';
import { withCode } from '../errors';
import { checkAbortSignal, checkObject, checkOptionalInteger } from './argument-checks';
import { checkSocketHost } from './connect-options';
import { invalidArgumentType } from './node-error';

export interface DatagramOptions {
  /** The host to work on; the process's default host where it is left out. */
  host?: SocketHost | string | null | undefined;
  /** Closes the socket. */
  signal?: AbortSignal | undefined;
  /** Accepted as in `node:dgram`, without effect: addresses are the network's affair. */
  type?: string | undefined;
  /** As of `EventEmitter`. */
  captureRejections?: boolean | undefined;
}

export interface DatagramConnectOptions {
  /** Milliseconds until the handshake fails with ETIMEDOUT. Default CONNECT_TIMEOUT, 8 s. */
  connectTimeout?: number | undefined;
}

/** What one datagram may be given as: text is sent as UTF-8, the parts of a list one behind the other. */
export type Message = string | NodeJS.ArrayBufferView | readonly (string | NodeJS.ArrayBufferView)[];

/** Called when the datagram has left the host, with its size in bytes; or with what prevented it. */
export type SendCallback = (error: Error | null, bytes?: number) => void;

export interface SendArguments {
  readonly bytes: Uint8Array;
  /** Unchecked; undefined when none was named. */
  readonly target: unknown;
  readonly callback: SendCallback | undefined;
}

export function sendArguments(message: unknown, args: readonly unknown[]): SendArguments {
  const bytes = messageBytes(message);
  let count = args.length;
  while (count > 0 && (args[count - 1] === undefined || args[count - 1] === null)) count--;
  const callback = typeof args[count - 1] === 'function' ? (args[--count] as SendCallback) : undefined;
  if (count === 0 || typeof args[0] !== 'number')
    return { bytes, target: count === 0 ? undefined : (args[0] ?? undefined), callback };
  return {
    bytes: slice(bytes, args[0], count > 1 ? args[1] : undefined),
    target: count > 2 ? args[2] : undefined,
    callback,
  };
}

export function checkDatagramOptions(options: DatagramOptions): void {
  checkObject(options, 'options');
  checkSocketHost(options.host);
  if (options.signal !== undefined) checkAbortSignal(options.signal, 'options.signal');
}

export function checkDatagramConnectOptions(options: DatagramConnectOptions): void {
  checkOptionalInteger(options.connectTimeout, 'options.connectTimeout', 1, 2 ** 31 - 1);
}

function messageBytes(message: unknown): Uint8Array {
  if (Array.isArray(message)) return Buffer.concat(message.map((part) => partBytes(part, 'buffer list arguments')));
  return partBytes(message, 'buffer');
}

function partBytes(part: unknown, name: string): Uint8Array {
  if (typeof part === 'string') return Buffer.from(part);
  if (part instanceof Uint8Array) return part;
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  throw invalidArgumentType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', part);
}

function slice(bytes: Uint8Array, offset: number, length: unknown): Uint8Array {
  if (typeof length !== 'number') throw invalidArgumentType('length', 'of type number', length);
  if (offset >>> 0 > bytes.length) throw outOfBounds('offset');
  if ((offset >>> 0) + (length >>> 0) > bytes.length) throw outOfBounds('length');
  return bytes.subarray(offset >>> 0, (offset >>> 0) + (length >>> 0));
}

function outOfBounds(name: string): RangeError {
  return withCode(new RangeError(`"${name}" is outside of buffer bounds`), 'ERR_BUFFER_OUT_OF_BOUNDS');
}
