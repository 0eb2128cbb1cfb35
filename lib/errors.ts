// All error codes. An operation that fails gives a `ServalError` with one of them; misuse throws a
// `TypeError` or `RangeError` with a code of Node's at once. docs/errors.md is the table for users.

export const ErrorCode = {
  /** The service refused: a host it resolved to has no such service. */
  connectionRefused: 'ECONNREFUSED',
  connectionReset: 'ECONNRESET',
  timedOut: 'ETIMEDOUT',
  serviceInUse: 'EADDRINUSE',
  noRoute: 'EHOSTUNREACH',
  networkUnreachable: 'ENETUNREACH',
  brokenPipe: 'EPIPE',
  alreadyConnected: 'EISCONN',
  alreadyConnecting: 'EALREADY',
  optionNotSupported: 'ENOPROTOOPT',
  messageTooLarge: 'EMSGSIZE',
  notPermitted: 'EPERM',
  familyNotSupported: 'EAFNOSUPPORT',
  noBufferSpace: 'ENOBUFS',
  notConnected: 'ENOTCONN',
  noInterface: 'ENODEV',
  addressNotAvailable: 'EADDRNOTAVAIL',
  aborted: 'ABORT_ERR',
  hostClosed: 'ERR_SERVAL_HOST_CLOSED',
  nativeUnavailable: 'ERR_SERVAL_NATIVE_UNAVAILABLE',
  badName: 'ERR_SERVAL_INVALID_NAME',
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

export interface ServalErrorContext {
  readonly syscall?: string;
  readonly serviceID?: string;
  readonly address?: string;
  readonly port?: number;
  readonly errno?: number;
  readonly cause?: unknown;
}

/** An operation that failed. `code` is stable; the message is for people. */
export class ServalError extends Error {
  override readonly name: string = 'ServalError';
  readonly syscall?: string;
  readonly serviceID?: string;
  readonly address?: string;
  readonly port?: number;
  readonly errno?: number;

  constructor(
    readonly code: ErrorCode,
    message: string,
    context: ServalErrorContext = {},
  ) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    if (context.syscall !== undefined) this.syscall = context.syscall;
    if (context.serviceID !== undefined) this.serviceID = context.serviceID;
    if (context.address !== undefined) this.address = context.address;
    if (context.port !== undefined) this.port = context.port;
    if (context.errno !== undefined) this.errno = context.errno;
  }
}

/** For the errors of misuse, which are Node's own classes with a code. */
export function withCode<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code });
}
