// What a host and the service router above it say to each other over a controller session: one JSON object a line.
// Here the lines are made and checked; a value that comes out of a parse function is valid. Unknown fields are
// ignored, so that a newer peer may say more.

import type { PickerName } from '../../table/pickers/picker-names';
import { type Duration, milliseconds } from '../../time/instant';
import {
  type Fields,
  isCount,
  isPort,
  parseObject,
  parsePicker,
  parseRegistration,
  type RegisteredName,
} from './message-fields';
import { SESSION_IDENTITY_DIGITS, SESSION_NAME_MAXIMUM, SESSION_PATH_MAXIMUM } from './session-limits';

/** Raised when an older peer could not follow. */
export const SESSION_VERSION = 1;

export interface Hello {
  readonly type: 'hello';
  readonly version: number;
  /** Random, and the same for all sessions of one run of the host: a newer one takes over what an older registered. */
  readonly identity: string;
  /** Counts the sessions of this identity: the highest is the newest. */
  readonly session: number;
  /** UDP port at which the host takes first packets; 0 on a link without ports. */
  readonly port: number;
  /** Address and port of this session's packets when they left the host: others on arrival mean a translator (NAT). */
  readonly source: { readonly ip: string; readonly port: number };
  /** For people to read. */
  readonly name?: string;
}

export interface Welcome {
  readonly type: 'welcome';
  readonly version: number;
  readonly identity: string;
  /** Without a sign of life for this long, what the session registered is void. */
  readonly lease: Duration;
  /** How often one is expected. */
  readonly heartbeat: Duration;
  /** UDP port at which the router takes first packets. */
  readonly port: number;
  /** The identities of the routers from this one up to the last: whoever is among them must not register here. */
  readonly path: readonly string[];
}

/** What an instance asks for. */
export interface RegisteredTerms {
  readonly weight: number;
  /** How it wishes that one of several instances is chosen. A router that does not know the field ignores it. */
  readonly picker?: PickerName | undefined;
}

export type DownstreamMessage =
  | Hello
  | ({ readonly type: 'register'; readonly id: number } & RegisteredTerms & RegisteredName)
  | ({ readonly type: 'unregister' } & RegisteredName)
  /** All that is offered has been registered: what a former session left and nobody named again is void. */
  | { readonly type: 'synced' }
  | { readonly type: 'heartbeat'; readonly count: number }
  | { readonly type: 'bye' };

export type UpstreamMessage =
  /** Told again when the path has changed. */
  | Welcome
  /** The rule for the registration with this id is in place. */
  | { readonly type: 'registered'; readonly id: number }
  /** `id` of the registration that was refused; without it the session itself is, and ends. */
  | { readonly type: 'refused'; readonly id?: number; readonly reason: string }
  | { readonly type: 'heartbeat'; readonly count: number }
  | { readonly type: 'bye' };

/** A line from below; `undefined` when it is not exactly one. */
export function parseDownstreamMessage(line: string): DownstreamMessage | undefined {
  const fields = parseObject(line);
  switch (fields?.['type']) {
    case 'hello':
      return parseHello(fields);
    case 'register':
      return parseRegister(fields);
    case 'unregister': {
      const name = parseRegistration(fields);
      return name && { type: 'unregister', ...name };
    }
    case 'synced':
      return { type: 'synced' };
    case 'heartbeat':
      return parseHeartbeat(fields);
    case 'bye':
      return { type: 'bye' };
    default:
      return undefined;
  }
}

/** A line from above; `undefined` when it is not exactly one. */
export function parseUpstreamMessage(line: string): UpstreamMessage | undefined {
  const fields = parseObject(line);
  switch (fields?.['type']) {
    case 'welcome':
      return parseWelcome(fields);
    case 'registered':
      return isCount(fields['id']) ? { type: 'registered', id: fields['id'] } : undefined;
    case 'refused':
      return parseRefused(fields);
    case 'heartbeat':
      return parseHeartbeat(fields);
    case 'bye':
      return { type: 'bye' };
    default:
      return undefined;
  }
}

function parseHello(fields: Fields): Hello | undefined {
  const { version, identity, session, port, name } = fields;
  const source = parseSource(fields['source']);
  if (!isCount(version) || !isIdentity(identity) || !isCount(session) || source === undefined) return undefined;
  if (port !== 0 && !isPort(port)) return undefined;
  const hello: Hello = { type: 'hello', version, identity, session, port, source };
  if (name === undefined) return hello;
  return typeof name === 'string' && name.length <= SESSION_NAME_MAXIMUM ? { ...hello, name } : undefined;
}

function parseSource(value: unknown): Hello['source'] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { ip, port } = value as Fields;
  if (typeof ip !== 'string' || ip.length > IP_TEXT_MAXIMUM || (port !== 0 && !isPort(port))) return undefined;
  return { ip, port };
}

function parseRegister(fields: Fields): DownstreamMessage | undefined {
  const registration = parseRegistration(fields);
  const { id, weight } = fields;
  if (registration === undefined || !isCount(id) || !isCount(weight) || weight < 1) return undefined;
  return { type: 'register', id, ...registration, weight, ...parsePicker(fields['picker']) };
}

function parseHeartbeat(fields: Fields): { type: 'heartbeat'; count: number } | undefined {
  return isCount(fields['count']) ? { type: 'heartbeat', count: fields['count'] } : undefined;
}

function parseWelcome(fields: Fields): Welcome | undefined {
  const { version, identity, lease, heartbeat, port, path } = fields;
  if (!isCount(version) || !isIdentity(identity) || (port !== 0 && !isPort(port))) return undefined;
  // More often than a thousand times a second nobody can mean it.
  if (!isCount(lease) || !isCount(heartbeat) || heartbeat < 1 || lease < heartbeat) return undefined;
  if (!Array.isArray(path) || path.length > SESSION_PATH_MAXIMUM || !path.every(isIdentity)) return undefined;
  const times = { lease: milliseconds(lease), heartbeat: milliseconds(heartbeat) };
  return { type: 'welcome', version, identity, ...times, port, path };
}

function parseRefused(fields: Fields): UpstreamMessage | undefined {
  const { id, reason } = fields;
  if (typeof reason !== 'string') return undefined;
  if (id === undefined) return { type: 'refused', reason };
  return isCount(id) ? { type: 'refused', id, reason } : undefined;
}

function isIdentity(value: unknown): value is string {
  return typeof value === 'string' && value.length === SESSION_IDENTITY_DIGITS && /^[0-9a-f]+$/.test(value);
}

/** An IPv6 address with an IPv4 address in it. */
const IP_TEXT_MAXIMUM = 45;
