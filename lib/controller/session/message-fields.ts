// The parts that the messages of a host's registry and of a controller session have in common: JSON objects of one
// line, prefixes in their one spelling, and counts. What comes out of a parse function is valid.

import type { TransportProtocol } from '../../stack/control-interface';
import { isPickerName, type PickerName } from '../../table/pickers/picker-names';
import { ServiceID, ServicePrefix } from '../../wire/service-id';

export type Fields = Readonly<Record<string, unknown>>;

/** One object a line; a prefix as its text. */
export function formatLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

export function parseObject(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** What a socket listens to. */
export interface RegisteredName {
  readonly prefix: ServicePrefix;
  readonly protocol: TransportProtocol;
}

export function parseRegistration(fields: Fields): RegisteredName | undefined {
  const prefix = parsePrefix(fields['prefix']);
  const { protocol } = fields;
  if (prefix === undefined || (protocol !== 6 && protocol !== 17)) return undefined;
  return { prefix, protocol };
}

/** What somebody wishes who may know more pickers than we do: those are no wish. */
export function parsePicker(value: unknown): { readonly picker?: PickerName } {
  return isPickerName(value) ? { picker: value } : {};
}

/** `HEX/bits`, in the one spelling that `ServicePrefix.toString` gives. */
export function parsePrefix(value: unknown): ServicePrefix | undefined {
  const match = typeof value === 'string' ? /^([0-9a-f]{64})\/(\d{1,3})$/.exec(value) : null;
  if (match === null) return undefined;
  const bits = Number(match[2]);
  // Nobody registers the default prefix: it would take every unknown service.
  if (bits < 1 || bits > 256) return undefined;
  const prefix = ServicePrefix.of(ServiceID.fromHex(match[1]!)!, bits);
  return prefix.toString() === value ? prefix : undefined;
}

/** 0 to 2^31 - 1. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= COUNT_MAXIMUM;
}

export function isPort(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= 65_535;
}

/** Names a registration in the answers to it: it comes round after 2^31 - 1 of them. */
export function nextId(id: number): number {
  return (id % COUNT_MAXIMUM) + 1;
}

/** Where a socket is known by; unlike those of other prefixes and protocols. */
export function keyOf(prefix: ServicePrefix, protocol: TransportProtocol): string {
  return `${prefix} ${protocol}`;
}

export const COUNT_MAXIMUM = 0x7fffffff;
