// What endless streams carry: bytes that follow from where they stand, so that a receiver can compare every one of them.

/** No segment size divides it: a segment that is missing or comes twice is seen. */
const PERIOD = 65_521;
const TWICE = Buffer.from(Array.from({ length: 2 * PERIOD }, (_, index) => byteAt(index % PERIOD)));

export const PATTERN_PIECE_MAXIMUM = PERIOD;

/** A view, not a copy; at most `PATTERN_PIECE_MAXIMUM` bytes. */
export function patternAt(position: number, length: number): Buffer {
  const from = position % PERIOD;
  return TWICE.subarray(from, from + length);
}

/** What has come of a stream, and whether it is what was sent. */
export class PatternCheck {
  bytes = 0;
  isRight = true;

  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += PERIOD) {
      const piece = chunk.subarray(at, at + PERIOD);
      this.isRight &&= patternAt(this.bytes, piece.length).equals(piece);
      this.bytes += piece.length;
    }
  }
}

function byteAt(index: number): number {
  return (index * 167 + (index >> 8)) & 0xff;
}
