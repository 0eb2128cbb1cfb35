// A hash of 32-bit words for choosing: each bit of the input moves half of the output. No secret is kept by it.

import type { NetworkAddress } from '../wire/network-address';

/** The finalizer of MurmurHash3, signed. */
export function mixBits(word: number): number {
  let mixed = word | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

export function mixTwo(first: number, second: number): number {
  return mixBits(mixBits(first) + second);
}

/** From 0 to below 1, by 53 bits of two words. */
export function unitFraction(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

export function mixAddress({ word0, word1, word2, word3 }: NetworkAddress): number {
  return mixTwo(mixTwo(mixTwo(word0, word1), word2), word3);
}
