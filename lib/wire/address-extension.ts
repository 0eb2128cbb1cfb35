// The ADDRESS extension of the original: IPv4 addresses of further interfaces, numbered like control
// packets (§4.4). The original reads and ignores it and never sends it; so may we.

import { readInt32, readUint32, writeUint16, writeUint32 } from './big-endian';
import { type ControlSequence, controlSequence } from './control-extension';
import { NetworkAddress } from './network-address';
import type { WireError } from './wire-error';

export interface AddressExtension {
  readonly controlSequence: ControlSequence;
  readonly controlAck: ControlSequence;
  /** IPv4, port 0. */
  readonly addresses: readonly NetworkAddress[];
  /** Of an ENDPOINT_ADDRESS list, a sum of `FlowPriority`; 0 by default, and in an ADDRESS. */
  readonly flags?: number;
}

export const ADDRESS_EXTENSION_TYPE = 3;
/** What the length byte can express. */
export const ADDRESS_EXTENSION_ADDRESSES_MAXIMUM = 60;

const RESERVED = 2;
const SEQUENCE = 4;
const ACK = 8;
const ADDRESSES = 12;

export function addressExtensionBytes(extension: AddressExtension): number {
  return ADDRESSES + extension.addresses.length * 4;
}

export function parseAddressExtension(bytes: Uint8Array, at: number, length: number): AddressExtension | WireError {
  if (length < ADDRESSES || length % 4 !== 0) return 'extensionLength';
  const addresses: NetworkAddress[] = [];
  for (let entry = at + ADDRESSES; entry < at + length; entry += 4) {
    addresses.push(NetworkAddress.fromWords(4, 0, readInt32(bytes, entry), 0, 0, 0));
  }
  return {
    controlSequence: controlSequence(readUint32(bytes, at + SEQUENCE)),
    controlAck: controlSequence(readUint32(bytes, at + ACK)),
    addresses,
  };
}

/** Throws a RangeError when the addresses are not IPv4 or too many: a fault of ours. */
export function writeAddressExtension(bytes: Uint8Array, at: number, extension: AddressExtension): number {
  const length = addressExtensionBytes(extension);
  if (extension.addresses.length > ADDRESS_EXTENSION_ADDRESSES_MAXIMUM) {
    throw new RangeError(`an ADDRESS extension holds ${ADDRESS_EXTENSION_ADDRESSES_MAXIMUM} addresses at most`);
  }
  bytes[at] = ADDRESS_EXTENSION_TYPE << 4;
  bytes[at + 1] = length;
  writeUint16(bytes, at + RESERVED, 0);
  writeUint32(bytes, at + SEQUENCE, extension.controlSequence);
  writeUint32(bytes, at + ACK, extension.controlAck);
  for (const [index, address] of extension.addresses.entries()) {
    if (address.family !== 4) throw new RangeError('an ADDRESS extension holds IPv4 addresses only');
    writeUint32(bytes, at + ADDRESSES + index * 4, address.word0);
  }
  return length;
}
