// What a link hands to the stack: one burst of received packets as rows of integers over a slab of bytes.
// A row is a train - consecutive in-order data segments of one flow, joined - or one packet as it came.
// The native half writes the same layout (src-native/train/row_layout.h); a test compares the two.

import { areAddressWords, readAddressWords } from './address-words';
import { CopyPool } from './copy-pool';
import type { NetworkAddress } from './network-address';

/** Offsets of a row's 32-bit fields. Addresses are family << 16 | port, then four words. */
export const ReceivedField = {
  sourceFamilyPort: 0,
  sourceIp: 1,
  localFamilyPort: 5,
  localIp: 6,
  kind: 10,
  flags: 11,
  /** Packet: where the SAL header starts in the slab. Train: where the joined payload starts. */
  offset: 12,
  /** Packet: bytes of the whole SAL packet. Train: bytes of payload. */
  length: 13,
  sourceFlowID: 14,
  destinationFlowID: 15,
  sequence: 16,
  acknowledgment: 17,
  window: 18,
  tcpFlags: 19,
  /** How many packets the train was joined from. */
  segments: 20,
  /** Payload bytes of the largest of them. */
  segmentSize: 21,
  /** TCP options of the train (of its first segment), in the slab; length 0 when there are none. */
  optionsOffset: 22,
  optionsLength: 23,
} as const;

export const RECEIVED_ROW_INTS = 24;

export const RowKind = {
  /** Anything with a SAL extension, or that is not TCP: to be parsed by `parseSalPacket`. */
  packet: 0,
  /** TCP segments behind a bare 12-byte SAL header: already verified and parsed. */
  train: 1,
} as const;

export const RowFlag = {
  /** The IP destination was a broadcast or multicast address, or may have been. */
  broadcast: 1,
} as const;

/** Payloads up to this size are copied out of the slab, so that a small message does not pin it. */
export const COPY_OUT_BYTES = 2048;

export class ReceivedBatch {
  readonly rows: Int32Array;
  count = 0;
  /** The bytes the rows point into. The link may change it between bursts, never during one. */
  slab: Buffer;
  /** Set by `take`: the slab's bytes up to here belong to a receiver now and are never written again. */
  retainedEnd = 0;
  private copies: CopyPool | undefined;

  constructor(
    readonly capacity: number,
    slab: Buffer,
  ) {
    this.rows = new Int32Array(capacity * RECEIVED_ROW_INTS);
    this.slab = slab;
  }

  reset(): void {
    this.count = 0;
    this.retainedEnd = 0;
    this.copies?.endBurst();
  }

  field(row: number, field: number): number {
    return this.rows[row * RECEIVED_ROW_INTS + field]!;
  }

  /** Where the bytes of the last row end in the slab. */
  private get end(): number {
    return this.field(this.count - 1, ReceivedField.offset) + this.field(this.count - 1, ReceivedField.length);
  }

  kind(row: number): number {
    return this.field(row, ReceivedField.kind);
  }

  isBroadcast(row: number): boolean {
    return (this.field(row, ReceivedField.flags) & RowFlag.broadcast) !== 0;
  }

  destinationFlowID(row: number): number {
    return this.field(row, ReceivedField.destinationFlowID) >>> 0;
  }

  source(row: number): NetworkAddress {
    return readAddressWords(this.rows, row * RECEIVED_ROW_INTS + ReceivedField.sourceFamilyPort);
  }

  local(row: number): NetworkAddress {
    return readAddressWords(this.rows, row * RECEIVED_ROW_INTS + ReceivedField.localFamilyPort);
  }

  /** Whether the row came from `address`, without building an object. */
  isFrom(row: number, address: NetworkAddress): boolean {
    return areAddressWords(this.rows, row * RECEIVED_ROW_INTS + ReceivedField.sourceFamilyPort, address);
  }

  /**
   * Bytes of the slab as a chunk that its receiver may keep: small ones are copied, large ones stay where
   * they are and the link gives up that part of the slab.
   */
  take(offset: number, length: number): Buffer {
    if (length <= COPY_OUT_BYTES) {
      // One that comes alone would have a chunk of the pool for itself.
      if (this.count <= 1) return Buffer.from(this.slab.subarray(offset, offset + length));
      this.copies ??= new CopyPool();
      return this.copies.copy(this.slab, offset, length, this.end);
    }
    if (offset + length > this.retainedEnd) this.retainedEnd = offset + length;
    return this.slab.subarray(offset, offset + length);
  }

  /** The same for bytes that wait for others: a copy of any length, for a slab is a hundred times as large as most. */
  copy(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    bytes.set(this.slab.subarray(offset, offset + length));
    return bytes;
  }

  /** A packet row with its bytes as a batch of its own, to be handled later. */
  copyRow(row: number, offset: number, length: number): ReceivedBatch {
    const copy = new ReceivedBatch(1, Buffer.from(this.slab.subarray(offset, offset + length)));
    copy.rows.set(this.rows.subarray(row * RECEIVED_ROW_INTS, (row + 1) * RECEIVED_ROW_INTS));
    copy.rows[ReceivedField.offset] = 0;
    copy.count = 1;
    return copy;
  }
}
