// The SERVICE extension: a serviceID, by which the first packet of a flow and every unconnected datagram is
// resolved (§4.2). The first in a packet names the destination, a second one the source.

import { writeUint16 } from './big-endian';
import { SERVICE_ID_BYTES, ServiceID } from './service-id';
import type { WireError } from './wire-error';

export const SERVICE_EXTENSION_TYPE = 2;
export const SERVICE_EXTENSION_BYTES = 4 + SERVICE_ID_BYTES;

const RESERVED = 2;
const SERVICE_ID = 4;

export function parseServiceExtension(bytes: Uint8Array, at: number, length: number): ServiceID | WireError {
  if (length !== SERVICE_EXTENSION_BYTES) return 'extensionLength';
  if (!last.isAt(bytes, at + SERVICE_ID)) last = ServiceID.fromBytes(bytes, at + SERVICE_ID);
  return last;
}

/** ServiceIDs are immutable, and first packets that come together are for few services. */
let last = ServiceID.zero;

export function writeServiceExtension(bytes: Uint8Array, at: number, serviceID: ServiceID): number {
  bytes[at] = SERVICE_EXTENSION_TYPE << 4;
  bytes[at + 1] = SERVICE_EXTENSION_BYTES;
  writeUint16(bytes, at + RESERVED, 0);
  serviceID.writeTo(bytes, at + SERVICE_ID);
  return SERVICE_EXTENSION_BYTES;
}
