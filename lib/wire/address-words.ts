// An address as five integers of a row: family << 16 | port, then four words. The one place that writes, reads and
// compares them, so that the data path needs no object for a packet.

import { NetworkAddress } from './network-address';

export const ADDRESS_INTS = 5;

export function writeAddressWords(rows: Int32Array, at: number, address: NetworkAddress): void {
  rows[at] = (address.family << 16) | address.port;
  rows[at + 1] = address.word0;
  rows[at + 2] = address.word1;
  rows[at + 3] = address.word2;
  rows[at + 4] = address.word3;
}

export function readAddressWords(rows: Int32Array, at: number): NetworkAddress {
  const familyPort = rows[at]!;
  const family = familyPort >>> 16 === 6 ? 6 : 4;
  return NetworkAddress.fromWords(
    family,
    familyPort & 0xffff,
    rows[at + 1]!,
    rows[at + 2]!,
    rows[at + 3]!,
    rows[at + 4]!,
  );
}

export function areAddressWords(rows: Int32Array, at: number, address: NetworkAddress): boolean {
  return (
    rows[at] === ((address.family << 16) | address.port) &&
    rows[at + 1] === address.word0 &&
    rows[at + 2] === address.word1 &&
    rows[at + 3] === address.word2 &&
    rows[at + 4] === address.word3
  );
}
