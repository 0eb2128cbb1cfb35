// Bytes that tell by themselves whether they are the right ones: each stream and datagram has a key, and
// every byte follows from the key and its position. A head of eight bytes says key and length.

import { SeededRandom } from '../../lib/time/seeded-random';

export const HEAD_BYTES = 8;

/** Bytes `from` to `to` of what has that key and length. */
export function patternBytes(key: number, length: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  const start = (key >>> 0) % PERIOD;
  for (let at = from; at < to; ) {
    const offset = (start + at) % PERIOD;
    const count = Math.min(to - at, PERIOD - offset);
    bytes.set(TABLE.subarray(offset, offset + count), at - from);
    at += count;
  }
  if (from < HEAD_BYTES) headOf(key, length).copy(bytes, 0, from, Math.min(to, HEAD_BYTES));
  return bytes;
}

export function readHead(bytes: Buffer): { key: number; length: number } {
  return { key: bytes.readUInt32BE(0), length: bytes.readUInt32BE(4) };
}

function headOf(key: number, length: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(key >>> 0, 0);
  head.writeUInt32BE(length, 4);
  return head;
}

/** A prime, so that no segment size repeats the same bytes. */
const PERIOD = 65_521;
const TABLE = (() => {
  const random = SeededRandom.of(0xc0ffee);
  return Uint8Array.from({ length: PERIOD }, () => random.uint32() >>> 24);
})();
