// What a resolver has answered, checked and in the terms of the policy. A resolver is somebody's program: what it gives
// is looked at before it becomes rules, and a TypeError or RangeError says what is wrong with it.

import { LOOKUP_LIFETIME_MAXIMUM, LOOKUP_LIFETIME_MINIMUM } from '../controller/policies/discovery-limits';
import type { LookupAnswer, LookupInstance } from '../controller/policies/on-demand-lookup';
import type { Resolution } from '../resolver/resolver';
import { DEFAULT_RULE_WEIGHT } from '../table/service-rule';
import { type Duration, milliseconds } from '../time/instant';
import { NetworkAddress } from '../wire/network-address';
import { type ServiceID, ServicePrefix } from '../wire/service-id';

export interface AnswerContext {
  /** What the resolver was asked for, and what it may say something about. */
  readonly serviceID: ServiceID;
  readonly within: ServicePrefix;
  /** Of an address without a port; `undefined` on a link that has none. */
  readonly port: number | undefined;
}

export function lookupAnswerOf(resolution: Resolution, context: AnswerContext): LookupAnswer {
  if (typeof resolution !== 'object' || resolution === null) throw new TypeError('the answer must be an object');
  const { instances, lifetime, idleTimeout } = resolution;
  if (!Array.isArray(instances)) throw new TypeError('instances must be a list');
  return {
    prefix: prefixOf(resolution, context),
    instances: instances.map((instance) => instanceOf(instance, context)),
    lifetime: bounded('lifetime', lifetime),
    idleTimeout: idleTimeout === undefined ? undefined : bounded('idleTimeout', idleTimeout),
  };
}

function prefixOf({ prefix }: Resolution, { serviceID, within }: AnswerContext): ServicePrefix {
  if (prefix === undefined) return ServicePrefix.of(serviceID);
  if (!(prefix instanceof ServicePrefix)) throw new TypeError('prefix must be a ServicePrefix');
  if (!prefix.contains(serviceID)) throw new RangeError(`${prefix} does not hold the service that was asked for`);
  // It may know about more than it is asked for.
  return within.containsPrefix(prefix) ? prefix : within;
}

function instanceOf(instance: Resolution['instances'][number], { port }: AnswerContext): LookupInstance {
  const isPlain = typeof instance === 'string' || instance instanceof NetworkAddress;
  const { address, priority = 0, weight = DEFAULT_RULE_WEIGHT } = isPlain ? { address: instance } : instance;
  if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAXIMUM) {
    throw new RangeError(`priority must be an integer from 0 to ${PRIORITY_MAXIMUM}, not ${priority}`);
  }
  if (weight >>> 0 !== weight || weight === 0) throw new RangeError(`weight must be 1 to 2^32 - 1, not ${weight}`);
  return { address: addressOf(address, port), priority, weight };
}

function addressOf(value: string | NetworkAddress, port: number | undefined): NetworkAddress {
  const address = typeof value === 'string' ? NetworkAddress.parseEndpoint(value, port ?? 0) : value;
  if (!(address instanceof NetworkAddress)) throw new TypeError(`${JSON.stringify(value)} is no address`);
  if (!address.isUnicast) throw new RangeError(`${address} is not the address of one host`);
  if (port === undefined) return address.withPort(0);
  return address.port === 0 ? address.withPort(port) : address;
}

/** What is longer than the bounds is cut: a directory may say "a week", or "not at all". */
function bounded(name: string, value: number): Duration {
  if (typeof value !== 'number' || Number.isNaN(value) || value < 0) {
    throw new RangeError(`${name} must be milliseconds, not ${value}`);
  }
  return milliseconds(Math.min(Math.max(value, LOOKUP_LIFETIME_MINIMUM), LOOKUP_LIFETIME_MAXIMUM));
}

const PRIORITY_MAXIMUM = 1000;
