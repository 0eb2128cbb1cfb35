// Where a service router takes registrations (§4.3): over Serval itself, as the service `serval/controller`.

import { ServiceID, ServicePrefix } from '../wire/service-id';

/** The first 64 bits of the SHA-256 of `serval` and of `controller`, as every name of two parts (docs/protocol.md). */
export const CONTROLLER_SERVICE = ServiceID.fromHex(`39783a9eb9fdbf80c1472135b14c77c8${'0'.repeat(32)}`)!;
export const CONTROLLER_PREFIX = ServicePrefix.of(CONTROLLER_SERVICE);
