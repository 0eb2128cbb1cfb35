// The messages of the control exchange. The client asks, the server accepts or refuses; when all streams are there
// it says `running`; each end sends its results when its part is done. `stop` ends the sending early, `alive` says
// that somebody is still there. What `error` and `version` look like stays the same in all versions.

import { type ErrorDescription, harmlessText, PerfError, PerfErrorCode } from './perf-error';
import { PERF_TEXT_MAXIMUM } from './perf-limits';

export const PERF_PROTOCOL_VERSION = 1;

export type Message =
  /** `parameters` are unchecked still. */
  | { readonly type: 'request'; readonly version: number; readonly parameters: unknown }
  | {
      readonly type: 'accepted';
      readonly version: number;
      /** What shows that a stream or datagram belongs to this test: 32 hex digits. */
      readonly token: string;
      /** Of the very instance that answered; others may have the service's name. 64 hex digits. */
      readonly instance: string;
    }
  | ({ readonly type: 'error' } & ErrorDescription)
  | { readonly type: 'running' }
  | { readonly type: 'alive' }
  | { readonly type: 'stop' }
  /** `report` is unchecked still. */
  | { readonly type: 'results'; readonly report: unknown };

/** Throws a PerfError PERF_PROTOCOL for what is no message. */
export function checkMessage(value: unknown): Message {
  const given = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const { type } = given;
  switch (type) {
    case 'request':
      return { type, version: checkVersion(given['version']), parameters: given['parameters'] };
    case 'accepted': {
      const [token, instance] = [checkHex(given['token'], 32), checkHex(given['instance'], 64)];
      return { type, version: checkVersion(given['version']), token, instance };
    }
    case 'error':
      return { type, code: checkCode(given['code']), message: harmlessText(String(given['message'])) };
    case 'running':
    case 'alive':
    case 'stop':
      return { type };
    case 'results':
      return { type, report: given['report'] };
    default:
      throw malformed();
  }
}

function checkVersion(value: unknown): number {
  if (!Number.isInteger(value)) throw malformed();
  if (value === PERF_PROTOCOL_VERSION) return value;
  const message = `the other end speaks version ${value} of the exchange, this one ${PERF_PROTOCOL_VERSION}`;
  throw new PerfError(PerfErrorCode.version, message);
}

function checkHex(value: unknown, digits: number): string {
  if (typeof value !== 'string' || value.length !== digits || !/^[0-9a-f]+$/.test(value)) throw malformed();
  return value;
}

function checkCode(value: unknown): string {
  if (typeof value !== 'string' || value.length > PERF_TEXT_MAXIMUM || !/^[A-Z0-9_]+$/.test(value)) throw malformed();
  return value;
}

function malformed(): PerfError {
  return new PerfError(PerfErrorCode.protocol, 'the other end sent a message that is none');
}
