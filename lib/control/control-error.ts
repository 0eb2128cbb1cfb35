// Why a request to the control interface is not carried out: an HTTP status, and a code that stays the same.
// docs/control.md is the table for users.

export const ControlErrorCode = {
  /** No such resource. */
  notFound: 'CONTROL_NOT_FOUND',
  /** The resource has no such method. */
  method: 'CONTROL_METHOD',
  /** The body is no JSON object, or is too large. */
  body: 'CONTROL_BODY',
  bodyTooLarge: 'CONTROL_BODY_TOO_LARGE',
  /** A field of the body or of the query is missing, unknown, or not what it must be. */
  field: 'CONTROL_FIELD',
  /** No rule has that prefix, action and address. */
  noRule: 'CONTROL_NO_RULE',
  /** Several rules do: say which. */
  severalRules: 'CONTROL_SEVERAL_RULES',
  /** The rule belongs to a socket: it comes, goes and changes with that. */
  socketRule: 'CONTROL_SOCKET_RULE',
  /** The table takes no more rules, or the prefix does not. */
  full: 'CONTROL_FULL',
  /** The last rule of a prefix that leads somewhere cannot be ejected. */
  lastRule: 'CONTROL_LAST_RULE',
  /** No socket of this process listens to that service. */
  noService: 'CONTROL_NO_SERVICE',
  /** This process has no such flow, or none that could move. */
  noFlow: 'CONTROL_NO_FLOW',
  /** A mistake of ours. */
  internal: 'CONTROL_INTERNAL',
} as const;

export type ControlErrorCode = (typeof ControlErrorCode)[keyof typeof ControlErrorCode];

const STATUS: Readonly<Record<ControlErrorCode, number>> = {
  CONTROL_NOT_FOUND: 404,
  CONTROL_METHOD: 405,
  CONTROL_BODY: 400,
  CONTROL_BODY_TOO_LARGE: 413,
  CONTROL_FIELD: 400,
  CONTROL_NO_RULE: 404,
  CONTROL_SEVERAL_RULES: 409,
  CONTROL_SOCKET_RULE: 409,
  CONTROL_FULL: 507,
  CONTROL_LAST_RULE: 409,
  CONTROL_NO_SERVICE: 404,
  CONTROL_NO_FLOW: 404,
  CONTROL_INTERNAL: 500,
};

export class ControlError extends Error {
  override readonly name = 'ControlError';

  constructor(
    readonly code: ControlErrorCode,
    message: string,
  ) {
    super(message);
  }

  get status(): number {
    return STATUS[this.code];
  }
}
