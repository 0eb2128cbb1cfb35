// ENDPOINT_SOURCE: the list of the SOURCE extension (§5.1) with what UDP encapsulation needs besides - a
// port and IPv6. It is ours, not the original's, which drops a packet that carries it; it travels only on
// encapsulated hops between stacks of this kind.
//
//   0x50 | length in bytes | flags 8 | reserved 8 | entries, each: family 8 (4 or 6) | reserved 8 | port 16 | address
//
// An IPv4 entry is 8 bytes and an IPv6 entry 20, so the extension is a multiple of 4 without padding. The
// first entry may be the unspecified address: the IP source of the packet that carries it, with this port, or with the
// port it came from when that is 0. Flag 0x80: whoever answers is to send the list back.

import { SOURCE_ADDRESSES_MAXIMUM } from '../limits';
import { readInt32, readUint16, writeUint16, writeUint32 } from './big-endian';
import { NetworkAddress } from './network-address';
import type { WireError } from './wire-error';

export const ENDPOINT_SOURCE_EXTENSION_TYPE = 5;

const FLAGS = 2;
const ENTRIES = 4;
const ENTRY_PORT = 2;
const ENTRY_ADDRESS = 4;
const IPV4_ENTRY_BYTES = 8;
const IPV6_ENTRY_BYTES = 20;
export const ENDPOINT_SOURCE_LENGTH_MAXIMUM = 252;
const RECORD_ROUTE = 0x80;

export function endpointSourceExtensionBytes(addresses: readonly NetworkAddress[]): number {
  let length = ENTRIES;
  for (const address of addresses) length += entryBytes(address.family);
  return length;
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
  const end = at + length;
  const addresses: NetworkAddress[] = [];
  let entry = at + ENTRIES;
  while (entry < end) {
    const family = bytes[entry]!;
    if (family !== 4 && family !== 6) return 'endpointFamily';
    if (entry + entryBytes(family) > end) return 'extensionLength';
    if (addresses.length === SOURCE_ADDRESSES_MAXIMUM) return 'sourceAddresses';
    addresses.push(parseEntry(bytes, entry, family));
    entry += entryBytes(family);
  }
  if (entry !== end) return 'extensionLength';
  return addresses.length === 0 ? 'sourceAddresses' : addresses;
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
  let entry = at + ENTRIES;
  for (const address of addresses) entry += writeEntry(bytes, entry, address);
  return length;
}

function parseEntry(bytes: Uint8Array, entry: number, family: 4 | 6): NetworkAddress {
  const port = readUint16(bytes, entry + ENTRY_PORT);
  const word = (index: number): number => readInt32(bytes, entry + ENTRY_ADDRESS + index * 4);
  if (family === 4) return NetworkAddress.fromWords(4, port, word(0), 0, 0, 0);
  return NetworkAddress.fromWords(6, port, word(0), word(1), word(2), word(3));
}

function writeEntry(bytes: Uint8Array, entry: number, address: NetworkAddress): number {
  writeUint16(bytes, entry, address.family << 8);
  writeUint16(bytes, entry + ENTRY_PORT, address.port);
  writeUint32(bytes, entry + ENTRY_ADDRESS, address.word0);
  if (address.family === 6) {
    writeUint32(bytes, entry + ENTRY_ADDRESS + 4, address.word1);
    writeUint32(bytes, entry + ENTRY_ADDRESS + 8, address.word2);
    writeUint32(bytes, entry + ENTRY_ADDRESS + 12, address.word3);
  }
  return entryBytes(address.family);
}

function entryBytes(family: 4 | 6): number {
  return family === 4 ? IPV4_ENTRY_BYTES : IPV6_ENTRY_BYTES;
}
