// The errors of misuse, with Node's own codes and texts, so that code which tells them apart for `node:net`
// tells them apart here. What the network does to an operation is a `ServalError` instead.

import { inspect } from 'node:util';
import { withCode } from '../errors';

/** Errors of state: the object cannot do this now. The texts are those of Node. */
const STATE_MESSAGES = {
  ERR_SERVER_ALREADY_LISTEN: 'Listen method has been called more than once without closing.',
  ERR_SERVER_NOT_RUNNING: 'Server is not running.',
  ERR_SOCKET_ALREADY_BOUND: 'Socket is already bound',
  ERR_SOCKET_CLOSED: 'Socket is closed',
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION: 'Socket closed before the connection was established',
  ERR_SOCKET_DGRAM_IS_CONNECTED: 'Already connected',
  ERR_SOCKET_DGRAM_NOT_CONNECTED: 'Not connected',
  ERR_SOCKET_DGRAM_NOT_RUNNING: 'Not running',
} as const;

export type StateErrorCode = keyof typeof STATE_MESSAGES;

export function stateError(code: StateErrorCode): Error {
  return withCode(new Error(STATE_MESSAGES[code]), code);
}

export function invalidArgumentType(name: string, expected: string, actual: unknown): TypeError {
  const message = `The ${subject(name)} must be ${expected}. Received ${describe(actual)}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

export function invalidArgumentValue(name: string, actual: unknown, reason = 'is invalid'): TypeError {
  const message = `The ${subject(name)} ${reason}. Received ${inspect(actual, { depth: 0 })}`;
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

export function outOfRange(name: string, range: string, actual: unknown): RangeError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(actual)}`;
  return withCode(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

export function missingArgument(name: string): TypeError {
  return withCode(new TypeError(`The "${name}" argument must be specified`), 'ERR_MISSING_ARGS');
}

function subject(name: string): string {
  return name.includes('.') ? `"${name}" property` : `"${name}" argument`;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  return `type ${typeof value} (${inspect(value, { colors: false }).slice(0, 28)})`;
}
