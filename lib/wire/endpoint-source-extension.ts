// ENDPOINT_SOURCE: the list of the SOURCE extension (§5.1) with what UDP encapsulation needs besides - a
// port and IPv6. It is ours, not the original's, which drops a packet that carries it; it travels only on
// encapsulated hops between stacks of this kind.
//
//   0x50 | length in bytes | flags 8 | reserved 8 | entries (endpoint-entries.ts)
//
// The first entry may be the unspecified address: the IP source of the packet that carries it, with this port, or with the
// port it came from when that is 0. Flag 0x80: whoever answers is to send the list back.

import { SOURCE_ADDRESSES_MAXIMUM } from '../limits';
import { writeUint16 } from './big-endian';
import { endpointEntriesBytes, parseEndpointEntries, writeEndpointEntries } from './endpoint-entries';
import type { NetworkAddress } from './network-address';
import { isWireError, type WireError } from './wire-error';

export const ENDPOINT_SOURCE_EXTENSION_TYPE = 5;

const FLAGS = 2;
const ENTRIES = 4;
export const ENDPOINT_SOURCE_LENGTH_MAXIMUM = 252;
const RECORD_ROUTE = 0x80;

export function endpointSourceExtensionBytes(addresses: readonly NetworkAddress[]): number {
  return ENTRIES + endpointEntriesBytes(addresses);
}

/** Whether `addresses` can be written as this extension: one at least, and bounded by count and length byte. */
export function fitsEndpointSourceExtension(addresses: readonly NetworkAddress[]): boolean {
  return (
    addresses.length >= 1 &&
    addresses.length <= SOURCE_ADDRESSES_MAXIMUM &&
    endpointSourceExtensionBytes(addresses) <= ENDPOINT_SOURCE_LENGTH_MAXIMUM
  );
}

export function parseEndpointSourceExtension(
  bytes: Uint8Array,
  at: number,
  length: number,
): NetworkAddress[] | WireError {
  const addresses = parseEndpointEntries(bytes, at + ENTRIES, at + length, SOURCE_ADDRESSES_MAXIMUM);
  return !isWireError(addresses) && addresses.length === 0 ? 'sourceAddresses' : addresses;
}

/** Whether whoever answers is to send the list back. */
export function readRecordsRoute(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + FLAGS]! & RECORD_ROUTE) !== 0;
}

/** Throws a RangeError when `fitsEndpointSourceExtension` is false: a fault of ours. */
export function writeEndpointSourceExtension(
  bytes: Uint8Array,
  at: number,
  addresses: readonly NetworkAddress[],
  recordsRoute = false,
): number {
  if (!fitsEndpointSourceExtension(addresses)) throw new RangeError('these addresses do not fit ENDPOINT_SOURCE');
  const length = endpointSourceExtensionBytes(addresses);
  bytes[at] = ENDPOINT_SOURCE_EXTENSION_TYPE << 4;
  bytes[at + 1] = length;
  writeUint16(bytes, at + FLAGS, recordsRoute ? RECORD_ROUTE << 8 : 0);
  writeEndpointEntries(bytes, at + ENTRIES, addresses);
  return length;
}
