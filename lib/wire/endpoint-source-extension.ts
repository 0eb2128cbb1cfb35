// ENDPOINT_SOURCE: the list of the SOURCE extension (§5.1) with what UDP encapsulation needs besides - a
// port and IPv6. It is ours, not the original's, which drops a packet that carries it; it travels only on
// encapsulated hops between stacks of this kind.
//
//   0x50 | length in bytes | flags 8 | relay 8 | entries (endpoint-entries.ts)
//
// The first entry may be the unspecified address: the IP source of the packet that carries it, with this port, or with the
// port it came from when that is 0. The flags say what is to become of the answer (docs/protocol.md).

import { SOURCE_ADDRESSES_MAXIMUM } from '../limits';
import { endpointEntriesBytes, parseEndpointEntries, writeEndpointEntries } from './endpoint-entries';
import type { NetworkAddress } from './network-address';
import { isWireError, type WireError } from './wire-error';

export const ENDPOINT_SOURCE_EXTENSION_TYPE = 5;

const FLAGS = 2;
const RELAY = 3;
const ENTRIES = 4;
export const ENDPOINT_SOURCE_LENGTH_MAXIMUM = 252;

export const EndpointSourceFlag = {
  /** In a SYN: whoever answers is to send the list back. */
  record: 0x80,
  /** In a SYN: its answer is to go to a router of the list. In an answer: that is to pass it on towards the client. */
  relay: 0x40,
  /** In an answer that was passed on: the list begins with who answers. */
  relayed: 0x20,
} as const;
/** Besides, in a SYN: the number of the router that is not to pass it on, but to refuse it; 0 for none. */
export const ENDPOINT_SOURCE_STOP = 0x1f;

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

/** A sum of `EndpointSourceFlag`, of the number of a router, and with `relay` of whose. */
export function readEndpointSourceFlags(bytes: Uint8Array, at: number): number {
  const flags = bytes[at + FLAGS]!;
  return (flags & EndpointSourceFlag.relay) === 0 ? flags : flags | (bytes[at + RELAY]! << 8);
}

/** The same flags, and: the answer is to go to the entry of this number, from 0. */
export function withRelay(flags: number, index: number): number {
  return (flags & 0xff) | EndpointSourceFlag.relay | (index << 8);
}

/** The number of that entry: the first router's, unless another one is named. */
export function relayIndex(flags: number): number {
  return flags >>> 8 || 1;
}

/** Throws a RangeError when `fitsEndpointSourceExtension` is false: a fault of ours. */
export function writeEndpointSourceExtension(
  bytes: Uint8Array,
  at: number,
  addresses: readonly NetworkAddress[],
  flags = 0,
): number {
  if (!fitsEndpointSourceExtension(addresses)) throw new RangeError('these addresses do not fit ENDPOINT_SOURCE');
  const length = endpointSourceExtensionBytes(addresses);
  bytes[at] = ENDPOINT_SOURCE_EXTENSION_TYPE << 4;
  bytes[at + 1] = length;
  bytes[at + FLAGS] = flags;
  bytes[at + RELAY] = flags >>> 8;
  writeEndpointEntries(bytes, at + ENTRIES, addresses);
  return length;
}
