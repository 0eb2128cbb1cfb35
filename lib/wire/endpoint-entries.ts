// Addresses with what UDP encapsulation needs besides IPv4 - a port, and IPv6 - as ENDPOINT_SOURCE and ENDPOINT_ADDRESS
// list them. Each entry: family 8 (4 or 6) | reserved 8 | port 16 | address. An IPv4 entry is 8 bytes and an IPv6 entry
// 20, so that a list needs no padding.

import { readInt32, readUint16, writeUint16, writeUint32 } from './big-endian';
import { NetworkAddress } from './network-address';
import type { WireError } from './wire-error';

const ENTRY_PORT = 2;
const ENTRY_ADDRESS = 4;
const IPV4_ENTRY_BYTES = 8;
const IPV6_ENTRY_BYTES = 20;

export function endpointEntriesBytes(addresses: readonly NetworkAddress[]): number {
  let length = 0;
  for (const address of addresses) length += entryBytes(address.family);
  return length;
}

/** The entries in [start, end), at most `maximum`, which they fill exactly. */
export function parseEndpointEntries(
  bytes: Uint8Array,
  start: number,
  end: number,
  maximum: number,
): NetworkAddress[] | WireError {
  const addresses: NetworkAddress[] = [];
  let entry = start;
  while (entry < end) {
    const family = bytes[entry]!;
    if (family !== 4 && family !== 6) return 'endpointFamily';
    if (entry + entryBytes(family) > end) return 'extensionLength';
    if (addresses.length === maximum) return 'sourceAddresses';
    addresses.push(parseEntry(bytes, entry, family));
    entry += entryBytes(family);
  }
  return entry === end ? addresses : 'extensionLength';
}

export function writeEndpointEntries(bytes: Uint8Array, at: number, addresses: readonly NetworkAddress[]): void {
  let entry = at;
  for (const address of addresses) entry += writeEntry(bytes, entry, address);
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
