// Errors of the system as errors of a link: what a caller of `Link.start` can meet has a code of ours.

import { ErrorCode, ServalError } from '../errors';

/** `what` goes on with "cannot", as in "bind UDP port 54325". An error without a code of ours is given back. */
export function linkError(error: NodeJS.ErrnoException, what: string, port?: number): Error {
  const code = error.code === undefined ? undefined : CODES.get(error.code);
  if (code === undefined) return error;
  return new ServalError(code, `cannot ${what}: ${error.message}`, {
    cause: error,
    ...(error.syscall !== undefined && { syscall: error.syscall }),
    ...(error.errno !== undefined && { errno: error.errno }),
    ...(port !== undefined && { port }),
  });
}

const CODES = new Map<string, ErrorCode>([
  ['EADDRINUSE', ErrorCode.serviceInUse],
  ['EACCES', ErrorCode.notPermitted],
  ['EPERM', ErrorCode.notPermitted],
  ['EAFNOSUPPORT', ErrorCode.familyNotSupported],
  ['EADDRNOTAVAIL', ErrorCode.familyNotSupported],
  ['EPROTONOSUPPORT', ErrorCode.familyNotSupported],
  ['EMFILE', ErrorCode.noBufferSpace],
  ['ENFILE', ErrorCode.noBufferSpace],
  ['ENOBUFS', ErrorCode.noBufferSpace],
  ['ENOMEM', ErrorCode.noBufferSpace],
]);
