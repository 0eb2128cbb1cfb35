// Names for serviceIDs, which are hashes: those that this process has been given as text, and our own.

import { rememberedName, servicePrefix } from '../socket/service-name';
import { type ServiceID, ServicePrefix } from '../wire/service-id';

/** Null when nobody here has said it. */
export function nameOf(prefix: ServicePrefix): string | null {
  const text = prefix.toString();
  return rememberedName(text) ?? OUR_OWN.get(text) ?? null;
}

export function nameOfService(id: ServiceID): string | null {
  return nameOf(ServicePrefix.of(id));
}

/** Where service routers take registrations. */
const OUR_OWN = new Map(['serval/controller'].map((name) => [servicePrefix(name).toString(), name]));
