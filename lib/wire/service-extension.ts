// The SERVICE extension: a serviceID, by which the first packet of a flow and every unconnected datagram is
// resolved (§4.2). The first in a packet names the destination, a second one the source.

import { writeUint16 } from './big-endian';
import { CONTROL_EXTENSION_BYTES, CONTROL_EXTENSION_TYPE } from './control-extension';
import { SAL_HEADER_BYTES } from './sal-header';
import { readServiceIDWords, SERVICE_ID_BYTES, ServiceID } from './service-id';
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

/**
 * Reads into eight of `words` from `at` on which service a SAL packet seems to be for, and says whether it does: a
 * look at where the first packets that are sent have it. Whether the packet is a valid one, `parseSalPacket` tells.
 */
export function peekServiceID(
  bytes: Uint8Array,
  offset: number,
  length: number,
  words: Uint32Array,
  at: number,
): boolean {
  const first = offset + SAL_HEADER_BYTES;
  const isControl = length > SAL_HEADER_BYTES && bytes[first]! >>> 4 === CONTROL_EXTENSION_TYPE;
  const service = isControl ? first + CONTROL_EXTENSION_BYTES : first;
  if (service + SERVICE_EXTENSION_BYTES > Math.min(offset + length, bytes.length)) return false;
  if (bytes[service]! >>> 4 !== SERVICE_EXTENSION_TYPE) return false;
  readServiceIDWords(bytes, service + SERVICE_ID, words, at);
  return true;
}

export function writeServiceExtension(bytes: Uint8Array, at: number, serviceID: ServiceID): number {
  bytes[at] = SERVICE_EXTENSION_TYPE << 4;
  bytes[at + 1] = SERVICE_EXTENSION_BYTES;
  writeUint16(bytes, at + RESERVED, 0);
  serviceID.writeTo(bytes, at + SERVICE_ID);
  return SERVICE_EXTENSION_BYTES;
}
