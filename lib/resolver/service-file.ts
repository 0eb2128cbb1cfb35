// The text of a file of services: JSON, checked as a whole, so that a file that is half written or mistyped is refused
// before any of it is used. Which of its entries a service meets: the longest prefix, as in a service table.

import { SERVICE_FILE_LIFETIME_DEFAULT, SERVICE_FILE_NEGATIVE_LIFETIME_DEFAULT } from '../limits';
import { servicePrefix } from '../socket/service-name';
import { NetworkAddress } from '../wire/network-address';
import { type ServiceID, ServicePrefix } from '../wire/service-id';
import type { Resolution, ResolvedInstance } from './resolver';

interface Entry {
  readonly prefix: ServicePrefix;
  readonly resolution: Resolution;
  /** To see whether it has changed. */
  readonly text: string;
  /** Whether another entry is for a part of the prefix. */
  hasParts: boolean;
}

export class ServiceFile {
  /** Lengths of the prefixes, the longest first. */
  private readonly lengths: readonly number[];

  private constructor(
    private readonly entries: ReadonlyMap<string, Entry>,
    private readonly negativeLifetime: number,
  ) {
    this.lengths = [...new Set([...entries.values()].map(({ prefix }) => prefix.bits))].sort((a, b) => b - a);
    for (const { prefix } of entries.values()) this.markParts(prefix);
  }

  /** Throws a TypeError or RangeError that says which entry is wrong. */
  static parse(text: string): ServiceFile {
    const { services, lifetime, negativeLifetime, ...others } = object('the file', JSON.parse(text));
    refuseOthers('the file', others);
    const usual = { lifetime: milliseconds('lifetime', lifetime, SERVICE_FILE_LIFETIME_DEFAULT) };
    const entries = new Map<string, Entry>();
    for (const [name, value] of Object.entries(object('services', services))) {
      const prefix = servicePrefix(name);
      if (entries.has(prefix.toString())) throw new TypeError(`${name} is there twice`);
      const resolution = entryOf(name, value, usual.lifetime);
      entries.set(prefix.toString(), { prefix, resolution, text: JSON.stringify(value), hasParts: false });
    }
    const fallback = SERVICE_FILE_NEGATIVE_LIFETIME_DEFAULT;
    return new ServiceFile(entries, milliseconds('negativeLifetime', negativeLifetime, fallback));
  }

  resolve(serviceID: ServiceID): Resolution {
    for (const bits of this.lengths) {
      const entry = this.entries.get(ServicePrefix.of(serviceID, bits).toString());
      if (entry === undefined) continue;
      return entry.hasParts ? entry.resolution : { ...entry.resolution, prefix: entry.prefix };
    }
    return { instances: [], lifetime: this.negativeLifetime };
  }

  /** The prefixes that this file and `other` say different things about. */
  differencesFrom(other: ServiceFile): ServicePrefix[] {
    const keys = new Set([...this.entries.keys(), ...other.entries.keys()]);
    const changed = [...keys].filter((key) => this.entries.get(key)?.text !== other.entries.get(key)?.text);
    return changed.map((key) => (this.entries.get(key) ?? other.entries.get(key))!.prefix);
  }

  private markParts(prefix: ServicePrefix): void {
    for (const bits of this.lengths) {
      if (bits >= prefix.bits) continue;
      const around = this.entries.get(ServicePrefix.of(prefix.base, bits).toString());
      if (around !== undefined) around.hasParts = true;
    }
  }
}

/** A list of instances, or an object with that list and a lifetime. */
function entryOf(name: string, value: unknown, usualLifetime: number): Resolution {
  const { instances, lifetime, idleTimeout, ...others } = Array.isArray(value)
    ? { instances: value }
    : object(name, value);
  refuseOthers(name, others);
  if (!Array.isArray(instances)) throw new TypeError(`${name} must have a list of instances`);
  return {
    instances: instances.map((instance) => instanceOf(name, instance)),
    lifetime: milliseconds(`lifetime of ${name}`, lifetime, usualLifetime),
    ...(idleTimeout === undefined ? {} : { idleTimeout: milliseconds(`idleTimeout of ${name}`, idleTimeout, 0) }),
  };
}

function instanceOf(name: string, value: unknown): ResolvedInstance {
  const {
    address,
    priority = 0,
    weight = 1,
    ...others
  } = typeof value === 'string' ? { address: value } : object(name, value);
  refuseOthers(name, others);
  if (typeof address !== 'string' || NetworkAddress.parseEndpoint(address, 0) === undefined) {
    throw new TypeError(`${name} has ${JSON.stringify(address)}, which is no address`);
  }
  return { address, priority: integer(`priority in ${name}`, priority), weight: integer(`weight in ${name}`, weight) };
}

function integer(what: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw new RangeError(`the ${what} must be a whole number, not ${JSON.stringify(value)}`);
  }
  return value;
}

function milliseconds(what: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= 0) return value;
  throw new RangeError(`the ${what} must be milliseconds, not ${JSON.stringify(value)}`);
}

function object(what: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`${what} must be an object, not ${JSON.stringify(value)}`);
}

/** A misspelt setting that is ignored costs hours. */
function refuseOthers(what: string, others: Record<string, unknown>): void {
  const [name] = Object.keys(others);
  if (name !== undefined) throw new TypeError(`${what} has ${JSON.stringify(name)}, which means nothing`);
}
