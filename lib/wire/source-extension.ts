// The SOURCE extension of the original: the client's IPv4 address and those of the service routers that the
// packet passed, each as it was addressed (§5.1). The answer goes to the first; a hop that finds itself
// in the list has found a loop. Ports and IPv6 need `endpoint-source-extension.ts`.

import { SOURCE_ADDRESSES_MAXIMUM } from '../limits';
import { readInt32, writeUint16, writeUint32 } from './big-endian';
import { NetworkAddress } from './network-address';
import type { WireError } from './wire-error';

export const SOURCE_EXTENSION_TYPE = 4;
/** The original drops a packet with a shorter list: the first hop adds the client's address and its own. */
export const SOURCE_EXTENSION_ADDRESSES_MINIMUM = 2;

const RESERVED = 2;
const ADDRESSES = 4;

export function sourceExtensionBytes(addresses: readonly NetworkAddress[]): number {
  return ADDRESSES + addresses.length * 4;
}

/** Whether `addresses` can be written as this extension: IPv4, no ports, not too few and not too many. */
export function fitsSourceExtension(addresses: readonly NetworkAddress[]): boolean {
  return (
    addresses.length >= SOURCE_EXTENSION_ADDRESSES_MINIMUM &&
    addresses.length <= SOURCE_ADDRESSES_MAXIMUM &&
    addresses.every((address) => address.family === 4)
  );
}

export function parseSourceExtension(bytes: Uint8Array, at: number, length: number): NetworkAddress[] | WireError {
  if (length < ADDRESSES || length % 4 !== 0) return 'extensionLength';
  const count = (length - ADDRESSES) / 4;
  if (count < SOURCE_EXTENSION_ADDRESSES_MINIMUM || count > SOURCE_ADDRESSES_MAXIMUM) return 'sourceAddresses';
  const addresses: NetworkAddress[] = [];
  for (let entry = at + ADDRESSES; entry < at + length; entry += 4) {
    addresses.push(NetworkAddress.fromWords(4, 0, readInt32(bytes, entry), 0, 0, 0));
  }
  return addresses;
}

/** Ports are left out. Throws a RangeError when `fitsSourceExtension` is false: a fault of ours. */
export function writeSourceExtension(bytes: Uint8Array, at: number, addresses: readonly NetworkAddress[]): number {
  if (!fitsSourceExtension(addresses)) throw new RangeError('these addresses do not fit a SOURCE extension');
  const length = sourceExtensionBytes(addresses);
  bytes[at] = SOURCE_EXTENSION_TYPE << 4;
  bytes[at + 1] = length;
  writeUint16(bytes, at + RESERVED, 0);
  for (const [index, address] of addresses.entries()) writeUint32(bytes, at + ADDRESSES + index * 4, address.word0);
  return length;
}
