// Dresses what the stack reports for the application: the system call that failed, the service it was about,
// Node's `errno`, and Node's `connect ECONNREFUSED acme/web` as text.

import { constants } from 'node:os';
import { type ErrorCode, ServalError } from '../errors';
import type { ServiceID } from '../wire/service-id';

export type Syscall =
  | 'connect'
  | 'listen'
  | 'read'
  | 'bind'
  | 'send'
  | 'migrate'
  | 'openFlow'
  | 'handoff'
  | 'adopt'
  | `${'add' | 'drop'}${'' | 'SourceSpecific'}Membership`;

/** `service` is the name as the application wrote it; the error's `serviceID` is its 64 hex digits. */
export interface FailedService {
  readonly id: ServiceID | undefined;
  readonly text: string;
}

/** A service without a name of the application's. Its text is made for errors: few connections need one. */
export class ServiceOfID implements FailedService {
  private static last: ServiceOfID | undefined;

  private constructor(readonly id: ServiceID) {}

  /** All connections of one listener are to one service, and share this. */
  static of(id: ServiceID): ServiceOfID {
    const { last } = ServiceOfID;
    if (last?.id === id) return last;
    ServiceOfID.last = new ServiceOfID(id);
    return ServiceOfID.last;
  }

  get text(): string {
    return this.id.toString();
  }
}

export function operationError(cause: unknown, syscall: Syscall, service: FailedService | undefined): Error {
  if (!(cause instanceof ServalError)) return cause instanceof Error ? cause : new Error(String(cause));
  return namedError(cause.code, syscall, service, cause);
}

export function namedError(
  code: ErrorCode,
  syscall: Syscall,
  service: FailedService | undefined,
  cause?: ServalError,
): ServalError {
  const errno = (constants.errno as Record<string, number | undefined>)[code];
  // Codes of our own say in words what is wrong; those of the system are the same for everybody.
  const message = errno === undefined && cause !== undefined ? cause.message : `${syscall} ${code}`;
  return new ServalError(code, service === undefined ? message : `${message} ${service.text}`, {
    syscall,
    ...(service?.id === undefined ? undefined : { serviceID: service.id.toString() }),
    ...(errno === undefined ? undefined : { errno: -errno }),
    ...(cause?.address === undefined ? undefined : { address: cause.address }),
    ...(cause?.port === undefined ? undefined : { port: cause.port }),
    ...(cause === undefined ? undefined : { cause }),
  });
}
