// What the processes of a host say to each other over the registry's connection: one JSON object a line.
// Here the lines are made and checked; a value that comes out of a parse function is valid.

import {
  type Fields,
  formatLine,
  isCount,
  isPort,
  parseObject,
  parsePicker,
  parseRegistration,
} from '../controller/session/message-fields';
import type { TransportProtocol } from '../stack/control-interface';
import type { PickerName } from '../table/pickers/picker-names';
import type { ServicePrefix } from '../wire/service-id';
import type { ProcessPort } from './process-port';

/** Raised when an older process could not follow; processes of different versions do not share a host. */
export const REGISTRY_VERSION = 2;

export type MemberMessage =
  /** The first line. `ports`: where this process receives data, at most one a family. */
  | { readonly type: 'hello'; readonly version: number; readonly pid: number; readonly ports: readonly ProcessPort[] }
  | {
      readonly type: 'register';
      readonly id: number;
      readonly prefix: ServicePrefix;
      readonly protocol: TransportProtocol;
      readonly weight: number;
      readonly picker?: PickerName | undefined;
    }
  | {
      readonly type: 'unregister';
      readonly prefix: ServicePrefix;
      readonly protocol: TransportProtocol;
      /** Its socket is still there, and refuses who comes. */
      readonly withdrawn?: boolean;
    }
  /** The answer to `ask`. */
  | { readonly type: 'alive' }
  /** This process is a service router: it has to be the holder itself. */
  | { readonly type: 'yield' }
  /** The process leaves in order: its connections have ended by themselves. */
  | { readonly type: 'bye' };

export type HolderMessage =
  /** The holder's data ports, and the ports at which it resolves first packets. */
  | {
      readonly type: 'welcome';
      readonly pid: number;
      readonly ports: readonly ProcessPort[];
      readonly service: readonly ProcessPort[];
    }
  /** The rule for the registration with this id is in place. */
  | { readonly type: 'registered'; readonly id: number }
  /** `id` of the registration that was refused; without it the member itself is, and the connection ends. */
  | { readonly type: 'refused'; readonly id?: number; readonly reason: string }
  | { readonly type: 'peerGone'; readonly ports: readonly ProcessPort[] }
  /** Each beat: whoever answers is not stuck, and whoever asks is not, either. */
  | { readonly type: 'ask' }
  /** `yields`: to a service router, which is to find the place free. */
  | { readonly type: 'bye'; readonly yields?: true };

export function formatMessage(message: MemberMessage | HolderMessage): string {
  return formatLine(message);
}

/** A line from a member; `undefined` when it is not exactly one. */
export function parseMemberMessage(line: string): MemberMessage | undefined {
  const fields = parseObject(line);
  switch (fields?.['type']) {
    case 'hello':
      return parseHello(fields);
    case 'register': {
      const registration = parseRegistration(fields);
      const { id, weight } = fields;
      if (registration === undefined || !isCount(id) || !isCount(weight) || weight < 1) return undefined;
      return { type: 'register', id, ...registration, weight, ...parsePicker(fields['picker']) };
    }
    case 'unregister': {
      const registration = parseRegistration(fields);
      const withdrawn = fields['withdrawn'] === true;
      return registration && { type: 'unregister', ...registration, ...(withdrawn ? { withdrawn } : {}) };
    }
    case 'alive':
      return { type: 'alive' };
    case 'yield':
      return { type: 'yield' };
    case 'bye':
      return { type: 'bye' };
    default:
      return undefined;
  }
}

/** A line from the holder; `undefined` when it is not exactly one. */
export function parseHolderMessage(line: string): HolderMessage | undefined {
  const fields = parseObject(line);
  switch (fields?.['type']) {
    case 'welcome': {
      const { pid } = fields;
      const ports = parsePorts(fields['ports']);
      const service = parsePorts(fields['service']);
      if (!isCount(pid) || ports === undefined || service === undefined || service.length === 0) return undefined;
      return { type: 'welcome', pid, ports, service };
    }
    case 'registered':
      return isCount(fields['id']) ? { type: 'registered', id: fields['id'] } : undefined;
    case 'refused':
      return parseRefused(fields);
    case 'peerGone': {
      const ports = parsePorts(fields['ports']);
      return ports && { type: 'peerGone', ports };
    }
    case 'ask':
      return { type: 'ask' };
    case 'bye':
      return fields['yields'] === true ? { type: 'bye', yields: true } : { type: 'bye' };
    default:
      return undefined;
  }
}

function parseHello(fields: Fields): MemberMessage | undefined {
  const { version, pid } = fields;
  const ports = parsePorts(fields['ports']);
  if (!isCount(version) || !isCount(pid) || ports === undefined) return undefined;
  return { type: 'hello', version, pid, ports };
}

function parseRefused(fields: Fields): HolderMessage | undefined {
  const { id, reason } = fields;
  if (typeof reason !== 'string') return undefined;
  if (id === undefined) return { type: 'refused', reason };
  return isCount(id) ? { type: 'refused', id, reason } : undefined;
}

/** At most one port for each family. */
function parsePorts(value: unknown): ProcessPort[] | undefined {
  if (!Array.isArray(value) || value.length > 2) return undefined;
  const ports: ProcessPort[] = [];
  for (const entry of value as unknown[]) {
    if (typeof entry !== 'object' || entry === null) return undefined;
    const { family, port } = entry as Fields;
    if (family !== 4 && family !== 6) return undefined;
    if (!isPort(port) || ports.some((known) => known.family === family)) return undefined;
    ports.push({ family, port });
  }
  return ports;
}
