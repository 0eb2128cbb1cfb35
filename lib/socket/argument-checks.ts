// The checks that every entry point of the API makes on its arguments, each in one line for the caller.
// What a text means as a service's name is service-name.ts's affair.

import { ServiceID, ServicePrefix } from '../wire/service-id';
import { invalidArgumentType, outOfRange } from './node-error';
import { serviceID, servicePrefix } from './service-name';

/** How an application names one service: a text (see `serviceID()`) or the value itself. */
export type ServiceName = string | ServiceID;

/** How an application names what it serves: one service, or all whose names share a prefix. */
export type ServiceScope = string | ServiceID | ServicePrefix;

/** As `serviceID`, but the error of a wrong type names the argument. */
export function checkServiceID(value: unknown, name: string): ServiceID {
  if (typeof value === 'string' || value instanceof ServiceID) return serviceID(value);
  throw invalidArgumentType(name, 'of type string or an instance of ServiceID', value);
}

/** As `servicePrefix`, likewise. */
export function checkServicePrefix(value: unknown, name: string): ServicePrefix {
  if (typeof value === 'string' || value instanceof ServiceID || value instanceof ServicePrefix) {
    return servicePrefix(value);
  }
  throw invalidArgumentType(name, 'of type string or an instance of ServiceID or ServicePrefix', value);
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw invalidArgumentType(name, 'of type function', value);
}

export function checkOptionalFunction(value: unknown, name: string): void {
  if (value !== undefined && value !== null) checkFunction(value, name);
}

export function checkObject(value: unknown, name: string): void {
  if (typeof value !== 'object' || value === null) throw invalidArgumentType(name, 'of type object', value);
}

export function checkNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw invalidArgumentType(name, 'of type number', value);
}

export function checkOptionalBoolean(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalidArgumentType(name, 'of type boolean', value);
}

/** `undefined`, or an integer from `minimum` to `maximum`. */
export function checkOptionalInteger(value: unknown, name: string, minimum: number, maximum: number): void {
  if (value === undefined || value === null) return;
  checkNumber(value, name);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < minimum || value > maximum) throw outOfRange(name, `>= ${minimum} && <= ${maximum}`, value);
}

/** As Node's `validateAbortSignal`: anything with `aborted` will do. */
export function checkAbortSignal(value: unknown, name: string): asserts value is AbortSignal {
  if (typeof value !== 'object' || value === null || !('aborted' in value)) {
    throw invalidArgumentType(name, 'an instance of AbortSignal', value);
  }
}

/** The same options without those left undefined, as the interfaces below want them. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const result: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const name of Object.keys(options) as (keyof T)[]) {
    const value = options[name];
    if (value !== undefined) result[name] = value as Exclude<T[keyof T], undefined>;
  }
  return result;
}
