// TCP options: MSS (RFC 9293 3.2), window scale (RFC 7323), SACK permitted and SACK blocks (RFC 2018). Others
// are skipped, as the original skips those it does not know. `TcpOptions` is read into again and again.

import { readUint16, readUint32, writeUint16, writeUint32 } from './big-endian';
import type { WireError } from './wire-error';

const Kind = { end: 0, noOperation: 1, maximumSegmentSize: 2, windowScale: 3, sackPermitted: 4, sack: 5 } as const;

/** More do not fit into 40 bytes of options. */
export const SACK_BLOCKS_MAXIMUM = 4;
const SACK_BLOCK_BYTES = 8;
/** RFC 7323 2.3: a larger shift is taken as 14. */
const WINDOW_SCALE_MAXIMUM = 14;

/** The options of one header. `undefined` where an option was absent; all valid until the next `parse`. */
export class TcpOptions {
  maximumSegmentSize: number | undefined;
  windowScale: number | undefined;
  sackPermitted = false;
  sackCount = 0;
  /** Left and right edge of `sackCount` blocks, in the order received. */
  readonly sackEdges = new Uint32Array(SACK_BLOCKS_MAXIMUM * 2);

  /** Reads `length` bytes of options. On an error what was read before it stands. Allocates nothing. */
  parse(bytes: Uint8Array, offset: number, length: number): WireError | undefined {
    this.clear();
    const end = offset + length;
    if (offset < 0 || end > bytes.length) return 'tcpOptionLength';
    let at = offset;
    while (at < end) {
      const kind = bytes[at]!;
      if (kind === Kind.end) return undefined;
      if (kind === Kind.noOperation) {
        at += 1;
        continue;
      }
      const optionLength = at + 1 < end ? bytes[at + 1]! : 0;
      if (optionLength < 2 || at + optionLength > end) return 'tcpOptionLength';
      if (!this.accept(kind, bytes, at + 2, optionLength - 2)) return 'tcpOptionLength';
      at += optionLength;
    }
    return undefined;
  }

  private clear(): void {
    this.maximumSegmentSize = undefined;
    this.windowScale = undefined;
    this.sackPermitted = false;
    this.sackCount = 0;
  }

  /** Takes the value of one option; false when it has a length that this kind cannot have. */
  private accept(kind: number, bytes: Uint8Array, at: number, length: number): boolean {
    switch (kind) {
      case Kind.maximumSegmentSize:
        if (length !== 2) return false;
        this.maximumSegmentSize = readUint16(bytes, at);
        return true;
      case Kind.windowScale:
        if (length !== 1) return false;
        this.windowScale = Math.min(bytes[at]!, WINDOW_SCALE_MAXIMUM);
        return true;
      case Kind.sackPermitted:
        this.sackPermitted = true;
        return length === 0;
      case Kind.sack:
        return this.acceptSack(bytes, at, length);
      default:
        return true;
    }
  }

  private acceptSack(bytes: Uint8Array, at: number, length: number): boolean {
    const count = length / SACK_BLOCK_BYTES;
    if (!Number.isInteger(count) || count < 1 || count > SACK_BLOCKS_MAXIMUM) return false;
    for (let edge = 0; edge < count * 2; edge++) this.sackEdges[edge] = readUint32(bytes, at + edge * 4);
    this.sackCount = count;
    return true;
  }
}

export interface SynOptions {
  readonly maximumSegmentSize: number;
  readonly windowScale?: number | undefined;
  readonly sackPermitted?: boolean | undefined;
}

/** Bytes that `writeSynOptions` will write: a multiple of 4. */
export function synOptionsBytes(options: SynOptions): number {
  return 4 + (options.windowScale === undefined ? 0 : 4) + (options.sackPermitted ? 4 : 0);
}

/** MSS, NOP and window scale as the original writes them, then SACK permitted behind two NOPs. */
export function writeSynOptions(bytes: Uint8Array, at: number, options: SynOptions): number {
  let end = at;
  end = writeOptionHead(bytes, end, Kind.maximumSegmentSize, 4);
  writeUint16(bytes, end, options.maximumSegmentSize);
  end += 2;
  if (options.windowScale !== undefined) {
    bytes[end] = Kind.noOperation;
    end = writeOptionHead(bytes, end + 1, Kind.windowScale, 3);
    bytes[end++] = options.windowScale;
  }
  if (options.sackPermitted) {
    bytes[end] = Kind.noOperation;
    bytes[end + 1] = Kind.noOperation;
    end = writeOptionHead(bytes, end + 2, Kind.sackPermitted, 2);
  }
  return end - at;
}

/** Bytes that `writeSackOption` will write: a multiple of 4, 0 without blocks. */
export function sackOptionBytes(count: number): number {
  return count === 0 ? 0 : 4 + count * SACK_BLOCK_BYTES;
}

/** Writes the first `count` (at most 4) blocks of `edges` behind two NOPs. */
export function writeSackOption(bytes: Uint8Array, at: number, edges: ArrayLike<number>, count: number): number {
  if (count > SACK_BLOCKS_MAXIMUM) throw new RangeError(`a header holds ${SACK_BLOCKS_MAXIMUM} SACK blocks at most`);
  if (count === 0) return 0;
  bytes[at] = Kind.noOperation;
  bytes[at + 1] = Kind.noOperation;
  const first = writeOptionHead(bytes, at + 2, Kind.sack, 2 + count * SACK_BLOCK_BYTES);
  for (let edge = 0; edge < count * 2; edge++) writeUint32(bytes, first + edge * 4, edges[edge]!);
  return sackOptionBytes(count);
}

function writeOptionHead(bytes: Uint8Array, at: number, kind: number, length: number): number {
  bytes[at] = kind;
  bytes[at + 1] = length;
  return at + 2;
}
