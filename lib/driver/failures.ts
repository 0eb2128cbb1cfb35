// What a failed flow or datagram is for the application: a `ServalError` with one of Node's codes.

import { ErrorCode, ServalError, type ServalErrorContext } from '../errors';
import type { FlowFailure } from '../sal/flow';
import type { MigrationRefusal } from '../stack/control-interface';
import type { FlowRefusal } from '../stack/further-flows';
import type { SendRefusal } from '../stack/unconnected-sender';

export function flowError(failure: FlowFailure, context: ServalErrorContext): ServalError {
  const { code, text } = FLOW_ERRORS[failure];
  return new ServalError(code, `${context.syscall} ${code} ${text}`, context);
}

export function sendError(refusal: SendRefusal, context: ServalErrorContext): ServalError {
  const { code, text } = SEND_ERRORS[refusal];
  return new ServalError(code, `${context.syscall} ${code} ${text}`, context);
}

export function migrationError(refusal: MigrationRefusal | 'unanswered', context: ServalErrorContext): ServalError {
  const { code, text } = MIGRATION_ERRORS[refusal];
  return new ServalError(code, `migrate ${code} ${text}`, { ...context, syscall: 'migrate' });
}

/** Why a further flow of a connection is not there. */
export function openingError(why: FlowRefusal | FlowFailure, context: ServalErrorContext): ServalError {
  const { code, text } = OPENING_ERRORS[why];
  return new ServalError(code, `openFlow ${code} ${text}`, { ...context, syscall: 'openFlow' });
}

const MIGRATION_ERRORS: Record<MigrationRefusal | 'unanswered', { readonly code: ErrorCode; readonly text: string }> = {
  notConnected: { code: ErrorCode.notConnected, text: 'there is no established connection' },
  noInterface: { code: ErrorCode.noInterface, text: 'no interface of that name is up with an address' },
  noAddress: { code: ErrorCode.addressNotAvailable, text: 'this host does not have the address' },
  noFamily: { code: ErrorCode.networkUnreachable, text: 'no address of the peer is known in that family' },
  unanswered: { code: ErrorCode.timedOut, text: 'the peer did not answer at the new address' },
};

const FLOW_ERRORS: Record<FlowFailure, { readonly code: ErrorCode; readonly text: string }> = {
  refused: { code: ErrorCode.connectionRefused, text: 'the host it resolved to has no such service' },
  reset: { code: ErrorCode.connectionReset, text: 'the peer reset the connection' },
  timedOut: { code: ErrorCode.timedOut, text: 'no instance answered in time' },
  noRoute: { code: ErrorCode.noRoute, text: 'no rule of the service table leads anywhere' },
  noRoom: { code: ErrorCode.noBufferSpace, text: 'the flow table is full' },
  hostClosed: { code: ErrorCode.hostClosed, text: 'the host was closed' },
};

const OPENING_ERRORS: Record<FlowRefusal | FlowFailure, { readonly code: ErrorCode; readonly text: string }> = {
  ...FLOW_ERRORS,
  ...MIGRATION_ERRORS,
  inUse: { code: ErrorCode.alreadyConnected, text: 'a flow goes that way' },
  noRoom: { code: ErrorCode.noBufferSpace, text: 'the connection has as many flows as it may have' },
  refused: { code: ErrorCode.connectionRefused, text: 'the peer takes no further flow' },
  reset: { code: ErrorCode.connectionRefused, text: 'the peer takes no further flow' },
  timedOut: { code: ErrorCode.timedOut, text: 'the peer did not answer that way' },
};

const SEND_ERRORS: Record<SendRefusal, { readonly code: ErrorCode; readonly text: string }> = {
  tooLarge: { code: ErrorCode.messageTooLarge, text: 'the datagram is larger than the path carries' },
  noRoute: { code: ErrorCode.noRoute, text: 'no rule of the service table leads anywhere' },
  notConnected: { code: ErrorCode.noRoute, text: 'the peer is not connected any more' },
  noRoom: { code: ErrorCode.noBufferSpace, text: 'the link cannot take more now' },
  refused: { code: ErrorCode.connectionRefused, text: 'nobody has the service' },
  dropped: { code: ErrorCode.notPermitted, text: 'a DROP rule covers the service' },
};
