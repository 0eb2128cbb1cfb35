// What the stack hands to a link: rows of integers, each one train - a header, payload by reference, and
// the size to cut it to. A link turns a row into packets: packet i has a copy of the header in which, when
// the row is a TCP train, the sequence number is i * segmentSize higher, and FIN and PSH stand in the last
// only. A row without FLAG train is one packet.

import { COPIED_BYTES_MAXIMUM } from '../limits';
import { clearAddressWords, writeAddressWords } from './address-words';
import type { NetworkAddress } from './network-address';

/** Offsets of a row's 32-bit fields. */
export const TransmitField = {
  destinationFamilyPort: 0,
  destinationIp: 1,
  /** The local address to send from; family 0 lets the kernel choose. */
  sourceFamilyPort: 5,
  sourceIp: 6,
  headerOffset: 10,
  headerLength: 11,
  firstPiece: 12,
  pieceCount: 13,
  payloadLength: 14,
  /** Payload bytes of each packet but the last; payloadLength for a single packet. */
  segmentSize: 15,
  flags: 16,
} as const;

export const TRANSMIT_ROW_INTS = 18;

export const TransmitFlag = {
  /** The header ends in a TCP header behind a 12-byte SAL header, to be numbered for each segment. */
  train: 1,
  /** Do not fragment, and do not let the kernel clamp it: a path MTU probe (RFC 8899). */
  probe: 2,
} as const;

export class TransmitBatch {
  readonly rows: Int32Array;
  readonly headers: Uint8Array;
  /** The same bytes, for writers of words. */
  readonly headersView: DataView;
  readonly pieces: Uint8Array[] = [];
  /** offset, length of each piece within its buffer. */
  pieceSpans: Int32Array;
  count = 0;
  headerEnd = 0;
  pieceCount = 0;
  /** How often it was emptied. */
  turn = 0;
  /** Payload bytes of all rows: what a fair driver counts as one turn's work. */
  payloadBytes = 0;
  private rowPayload = 0;
  /** Of the bytes in `headers`, those that are copied payload. */
  private copiedBytes = 0;

  constructor(
    readonly capacity: number,
    private readonly maximumPieces = capacity * 4,
  ) {
    this.rows = new Int32Array(capacity * TRANSMIT_ROW_INTS);
    this.headers = new Uint8Array(capacity * HEADER_ROOM + COPIED_BYTES_MAXIMUM);
    this.headersView = new DataView(this.headers.buffer);
    this.pieceSpans = new Int32Array(this.maximumPieces * 2);
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  reset(): void {
    this.turn++;
    this.count = 0;
    this.headerEnd = 0;
    this.copiedBytes = 0;
    if (this.pieceCount > 0) this.pieces.length = 0;
    this.pieceCount = 0;
    this.payloadBytes = 0;
  }

  /** Whether one more row with a header of the greatest size, `copied` bytes and `pieces` pieces fits. */
  hasRoom(copied = 0, pieces = 8): boolean {
    return (
      this.count < this.capacity &&
      this.headerEnd - this.copiedBytes + GREATEST_HEADER <= this.capacity * HEADER_ROOM &&
      this.hasCopyRoom(copied) &&
      this.pieceCount + pieces <= this.maximumPieces
    );
  }

  /** Whether a row may have so many bytes of payload by copy. */
  hasCopyRoom(bytes: number): boolean {
    return this.copiedBytes + bytes <= COPIED_BYTES_MAXIMUM;
  }

  /** Starts a row; the caller appends header bytes at `headerEnd` and pieces, then calls `finish`. */
  begin(destination: NetworkAddress, source: NetworkAddress | undefined): void {
    const at = this.count * TRANSMIT_ROW_INTS;
    writeAddressWords(this.rows, at + TransmitField.destinationFamilyPort, destination);
    if (source === undefined) clearAddressWords(this.rows, at + TransmitField.sourceFamilyPort);
    else writeAddressWords(this.rows, at + TransmitField.sourceFamilyPort, source);
    this.rows[at + TransmitField.headerOffset] = this.headerEnd;
    this.rows[at + TransmitField.firstPiece] = this.pieceCount;
    this.rowPayload = 0;
  }

  /**
   * Appends payload by copy, as part of the header: for messages whose owner may change them at once. Packets that
   * stand side by side like this cost the kernel one piece, not one each.
   */
  appendCopy(payload: Uint8Array): void {
    this.headers.set(payload, this.headerEnd);
    this.headerEnd += payload.length;
    this.copiedBytes += payload.length;
    this.payloadBytes += payload.length;
  }

  /** The same for a few bytes of a buffer, where there is room for them: by words, and no view of them is made. */
  appendCopyOf(view: DataView, offset: number, length: number): void {
    const { headersView, headerEnd } = this;
    let at = 0;
    for (; at + 4 <= length; at += 4) headersView.setInt32(headerEnd + at, view.getInt32(offset + at));
    for (; at < length; at++) headersView.setUint8(headerEnd + at, view.getUint8(offset + at));
    this.headerEnd = headerEnd + length;
    this.copiedBytes += length;
    this.payloadBytes += length;
  }

  /** Appends payload by reference; it must stay unchanged until the link has transmitted the batch. */
  appendPiece(buffer: Uint8Array, offset: number, length: number): void {
    this.pieces.push(buffer);
    this.pieceSpans[this.pieceCount * 2] = offset;
    this.pieceSpans[this.pieceCount * 2 + 1] = length;
    this.pieceCount++;
    this.rowPayload += length;
  }

  /** Ends the row begun last. `segmentSize` 0 means one packet. */
  finish(segmentSize: number, flags: number): void {
    const at = this.count * TRANSMIT_ROW_INTS;
    const rows = this.rows;
    rows[at + TransmitField.headerLength] = this.headerEnd - rows[at + TransmitField.headerOffset]!;
    rows[at + TransmitField.pieceCount] = this.pieceCount - rows[at + TransmitField.firstPiece]!;
    rows[at + TransmitField.payloadLength] = this.rowPayload;
    rows[at + TransmitField.segmentSize] = segmentSize === 0 ? this.rowPayload : segmentSize;
    rows[at + TransmitField.flags] = flags;
    this.payloadBytes += this.rowPayload;
    this.count++;
  }

  field(row: number, field: number): number {
    return this.rows[row * TRANSMIT_ROW_INTS + field]!;
  }
}

/** SAL header with extensions is at most 1,020 bytes, a TCP header at most 60. */
const GREATEST_HEADER = 1080;
/** Average header bytes a row is given; most rows carry 32. */
const HEADER_ROOM = 192;
