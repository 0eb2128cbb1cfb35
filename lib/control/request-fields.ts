// The fields of a request, from a JSON body or a query, each checked when it is asked for. What nobody asked for is
// a mistake of the sender's, who is told.

import { servicePrefix } from '../socket/service-name';
import { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import { ControlError, ControlErrorCode } from './control-error';

export class RequestFields {
  private readonly asked = new Set<string>();

  private constructor(
    private readonly values: ReadonlyMap<string, unknown>,
    /** Everything is text: numbers and booleans are read from it. */
    private readonly isText: boolean,
  ) {}

  static ofBody(body: object): RequestFields {
    return new RequestFields(new Map(Object.entries(body)), false);
  }

  static ofQuery(query: URLSearchParams): RequestFields {
    return new RequestFields(new Map(query), true);
  }

  /** Call it when every field that there can be was asked for. */
  checkNoOthers(): void {
    for (const name of this.values.keys()) {
      if (!this.asked.has(name)) throw wrong(`there is no field ${JSON.stringify(name)} here`);
    }
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  prefix(name: string): ServicePrefix | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw wrong(`${name} must be a name of services or HEX/bits`);
    try {
      return servicePrefix(value);
    } catch (error) {
      throw wrong(`${name}: ${(error as Error).message}`);
    }
  }

  /** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`. */
  address(name: string, defaultPort: number): NetworkAddress | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const address = typeof value === 'string' ? NetworkAddress.parseEndpoint(value, defaultPort) : undefined;
    if (address === undefined) throw wrong(`${name} must be ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT`);
    return address;
  }

  text(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    throw wrong(`${name} must be a text`);
  }

  integer(name: string, minimum: number, maximum: number): number | undefined {
    const given = this.value(name);
    if (given === undefined) return undefined;
    const value = this.isText && typeof given === 'string' && /^-?\d{1,15}$/.test(given) ? Number(given) : given;
    if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    throw wrong(`${name} must be a whole number from ${minimum} to ${maximum}`);
  }

  boolean(name: string): boolean | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'boolean') return value;
    if (this.isText && (value === 'true' || value === 'false')) return value === 'true';
    throw wrong(`${name} must be true or false`);
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const value = this.value(name);
    if (value === undefined || choices.includes(value as Choice)) return value as Choice | undefined;
    throw wrong(`${name} must be one of ${choices.join(', ')}`);
  }

  required<Value>(name: string, value: Value | undefined): Value {
    if (value === undefined) throw wrong(`${name} is missing`);
    return value;
  }

  private value(name: string): unknown {
    this.asked.add(name);
    return this.values.get(name) ?? undefined;
  }
}

/** The longest delay that a timer of Node takes, milliseconds. */
export const TIMER_MAXIMUM = 2 ** 31 - 1;

export function wrong(message: string): ControlError {
  return new ControlError(ControlErrorCode.field, message);
}
