// The framing of the control exchange: four bytes that say how long the JSON behind them is, big-endian. The
// length is bounded before anything is kept, so that a peer can make us hold one message and no more.

import { PerfError, PerfErrorCode } from './perf-error';
import { PERF_MESSAGE_MAXIMUM } from './perf-limits';

export function encodeFrame(value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  if (text.length > PERF_MESSAGE_MAXIMUM) throw new RangeError(`a message of ${text.length} bytes is too long`);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + text.length);
  frame.writeUInt32BE(text.length);
  text.copy(frame, LENGTH_BYTES);
  return frame;
}

export class FrameReader {
  private chunks: Buffer[] = [];
  private held = 0;
  /** Bytes of the message that comes; undefined until its length has come. */
  private length: number | undefined;

  /** The values that are complete with this chunk. Throws a PerfError PERF_PROTOCOL for what is no such framing. */
  read(chunk: Buffer): unknown[] {
    this.chunks.push(chunk);
    this.held += chunk.length;
    const values: unknown[] = [];
    for (;;) {
      if (this.length === undefined) {
        if (this.held < LENGTH_BYTES) return values;
        this.length = this.take(LENGTH_BYTES).readUInt32BE();
        if (this.length > PERF_MESSAGE_MAXIMUM) throw malformed(`a message of ${this.length} bytes`);
      }
      if (this.held < this.length) return values;
      values.push(parse(this.take(this.length)));
      this.length = undefined;
    }
  }

  /** Joins what came once it is enough, not with every chunk: chunks may be small. */
  private take(length: number): Buffer {
    const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
    this.chunks = [all.subarray(length)];
    this.held -= length;
    return all.subarray(0, length);
  }
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    throw malformed('a message that is not JSON');
  }
}

function malformed(what: string): PerfError {
  return new PerfError(PerfErrorCode.protocol, `the other end is no serval perf: it sent ${what}`);
}

const LENGTH_BYTES = 4;
