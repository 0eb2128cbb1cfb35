// The Internet checksum (RFC 1071). Who covers which bytes is the business of the formats that use it.

import { writeUint16 } from './big-endian';

/** Adds the 16-bit words of a range to `sum`, folded to 16 bits. Only the last range may be of odd length. */
export function addToSum(sum: number, bytes: Uint8Array, offset: number, length: number): number {
  let total = sum;
  let at = offset;
  const end = offset + length;
  while (end - at >= 2) {
    const stop = Math.min(end - 1, at + FOLD_BYTES);
    for (; at < stop; at += 2) total += (bytes[at]! << 8) | bytes[at + 1]!;
    total = fold(total);
  }
  if (at < end) total += bytes[at]! << 8;
  return fold(total);
}

/** Adds one 16-bit or 32-bit number to `sum`, folded to 16 bits. */
export function addWordToSum(sum: number, word: number): number {
  return fold(sum + (word >>> 16) + (word & 0xffff));
}

/** The checksum of what was summed: 0 when the range held its own, right checksum. */
export function checksumOfSum(sum: number): number {
  return ~sum & 0xffff;
}

export function internetChecksum(bytes: Uint8Array, offset: number, length: number): number {
  return checksumOfSum(addToSum(0, bytes, offset, length));
}

/** Sets the 16-bit field at `field` so that the range sums up. */
export function sealInternetChecksum(bytes: Uint8Array, offset: number, length: number, field: number): void {
  writeUint16(bytes, field, 0);
  writeUint16(bytes, field, internetChecksum(bytes, offset, length));
}

function fold(sum: number): number {
  let folded = (sum >>> 16) + (sum & 0xffff);
  folded = (folded >>> 16) + (folded & 0xffff);
  return folded;
}

/** Words of so many bytes cannot overflow 31 bits: the loop stays in integers. */
const FOLD_BYTES = 32_768;
