// An address as five integers of a row: family << 16 | port, then four words. The one place that writes, reads and
// compares them, so that the data path needs no new object for a packet.

import { ADDRESSES_KEPT } from '../limits';
import { NetworkAddress } from './network-address';

export const ADDRESS_INTS = 5;

export function writeAddressWords(rows: Int32Array, at: number, address: NetworkAddress): void {
  rows[at] = (address.family << 16) | address.port;
  rows[at + 1] = address.word0;
  rows[at + 2] = address.word1;
  rows[at + 3] = address.word2;
  rows[at + 4] = address.word3;
}

/** No address: family 0. */
export function clearAddressWords(rows: Int32Array, at: number): void {
  for (let index = 0; index < ADDRESS_INTS; index++) rows[at + index] = 0;
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

/** The address in a row: the same object again, as long as few others are read. */
export function readAddressWords(rows: Int32Array, at: number): NetworkAddress {
  const place = Math.imul(rows[at]! ^ rows[at + 1]! ^ Math.imul(rows[at + 4]!, 31), HASH_FACTOR) >>> HASH_SHIFT;
  const known = kept[place];
  if (known !== undefined && areAddressWords(rows, at, known)) return known;
  const address = addressOf(rows, at);
  kept[place] = address;
  return address;
}

function addressOf(rows: Int32Array, at: number): NetworkAddress {
  const familyPort = rows[at]!;
  const family = familyPort >>> 16 === 6 ? 6 : 4;
  const port = familyPort & 0xffff;
  return NetworkAddress.fromWords(family, port, rows[at + 1]!, rows[at + 2]!, rows[at + 3]!, rows[at + 4]!);
}

/** Addresses are immutable: who shares one cannot tell. */
const kept: (NetworkAddress | undefined)[] = new Array(ADDRESSES_KEPT).fill(undefined);
/** Fibonacci hashing: the upper bits of the product are the well mixed ones. */
const HASH_FACTOR = 0x9e3779b1;
const HASH_SHIFT = 32 - Math.log2(ADDRESSES_KEPT);
