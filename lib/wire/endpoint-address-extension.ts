// ENDPOINT_ADDRESS: the ADDRESS extension (§4.4) with ports and IPv6. It is ours, not the original's, which drops a packet
// that carries it; it travels only on encapsulated hops between stacks of this kind.
//
//   0x60 | length in bytes | flags 16 | sequence 32 | acknowledgment 32 | entries (endpoint-entries.ts)
//
// The list is all addresses that its sender may be reached at, and replaces those before it; it may be empty. A port of 0
// is the one that the packet came from. Sequence numbers the lists of one flow from 1; acknowledgment is the number of
// the latest list of the peer, 0 before the first. The flags say whether the flow is for reserve (flow-priority.ts).

import { TOLD_ADDRESSES_MAXIMUM } from '../limits';
import type { AddressExtension } from './address-extension';
import { readUint16, readUint32, writeUint16, writeUint32 } from './big-endian';
import { controlSequence } from './control-extension';
import { endpointEntriesBytes, parseEndpointEntries, writeEndpointEntries } from './endpoint-entries';
import { isWireError, type WireError } from './wire-error';

export const ENDPOINT_ADDRESS_EXTENSION_TYPE = 6;

const FLAGS = 2;
const SEQUENCE = 4;
const ACK = 8;
const ENTRIES = 12;

export function endpointAddressExtensionBytes({ addresses }: AddressExtension): number {
  return ENTRIES + endpointEntriesBytes(addresses);
}

export function parseEndpointAddressExtension(
  bytes: Uint8Array,
  at: number,
  length: number,
): AddressExtension | WireError {
  if (length < ENTRIES) return 'extensionLength';
  const addresses = parseEndpointEntries(bytes, at + ENTRIES, at + length, TOLD_ADDRESSES_MAXIMUM);
  if (isWireError(addresses)) return addresses;
  const flags = readUint16(bytes, at + FLAGS);
  return {
    controlSequence: controlSequence(readUint32(bytes, at + SEQUENCE)),
    controlAck: controlSequence(readUint32(bytes, at + ACK)),
    addresses,
    ...(flags === 0 ? undefined : { flags }),
  };
}

/** Throws a RangeError when there are more than TOLD_ADDRESSES_MAXIMUM addresses: a fault of ours. */
export function writeEndpointAddressExtension(bytes: Uint8Array, at: number, extension: AddressExtension): number {
  if (extension.addresses.length > TOLD_ADDRESSES_MAXIMUM) {
    throw new RangeError(`ENDPOINT_ADDRESS holds ${TOLD_ADDRESSES_MAXIMUM} addresses at most`);
  }
  const length = endpointAddressExtensionBytes(extension);
  bytes[at] = ENDPOINT_ADDRESS_EXTENSION_TYPE << 4;
  bytes[at + 1] = length;
  writeUint16(bytes, at + FLAGS, extension.flags ?? 0);
  writeUint32(bytes, at + SEQUENCE, extension.controlSequence);
  writeUint32(bytes, at + ACK, extension.controlAck);
  writeEndpointEntries(bytes, at + ENTRIES, extension.addresses);
  return length;
}
