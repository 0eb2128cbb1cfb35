// Names for serviceIDs, which are hashes: those that this process has been given as text.

import { rememberedNames, servicePrefix } from '../socket/service-name';
import { type ServiceID, ServicePrefix } from '../wire/service-id';

export class ServiceNames {
  private readonly names = rememberedNames();

  constructor() {
    for (const name of OUR_OWN) this.names.set(servicePrefix(name).toString(), name);
  }

  /** Null when nobody here has said it. */
  of(prefix: ServicePrefix): string | null {
    return this.names.get(prefix.toString()) ?? null;
  }

  ofService(id: ServiceID): string | null {
    return this.of(ServicePrefix.of(id));
  }
}

/** Where service routers take registrations. */
const OUR_OWN = ['serval/controller'];
