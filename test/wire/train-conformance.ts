// What everything that cuts or joins trains must do, run for the TypeScript code here and for the native
// twin by its own tests: `describeCutter` and `describeJoiner` take the implementation as a function.

import { describe, expect, it } from 'vitest';
import { NetworkAddress } from '../../lib/wire/network-address';
import { type ReceivedBatch, ReceivedField, RowFlag, RowKind } from '../../lib/wire/received-batch';
import { TransmitBatch, TransmitFlag } from '../../lib/wire/transmit-batch';
import { bytesHex, hexBytes } from './bytes';
import {
  type Arrival,
  type CutVector,
  cutVectors,
  type JoinVector,
  joinVectors,
  type PacketRow,
  type TrainRow,
} from './train-vectors';

export interface PlacedPacket {
  readonly source: NetworkAddress;
  readonly local: NetworkAddress;
  readonly rowFlags: number;
  readonly bytes: Uint8Array;
}

/** Cuts row 0 of `batch` into packets. */
export type CutUnderTest = (batch: TransmitBatch) => Uint8Array[];

/** Fills a batch from packets in order, and tells how many were dropped for which reason. */
export type JoinUnderTest = (packets: readonly PlacedPacket[]) => {
  readonly batch: ReceivedBatch;
  readonly drops: Readonly<Record<string, number>>;
};

export const destination = NetworkAddress.parse('192.0.2.7', 54325)!;
export const local = NetworkAddress.parse('192.0.2.2', 40000)!;

export function describeCutter(name: string, cut: CutUnderTest): void {
  describe(`${name} cuts`, () => {
    it.each(cutVectors)('$name', (vector) => {
      expect(cut(transmitBatchOf(vector)).map(bytesHex)).toEqual(vector.packets.map(joined));
    });
  });
}

export function describeJoiner(name: string, join: JoinUnderTest): void {
  describe(`${name} joins`, () => {
    it.each(joinVectors)('$name', (vector) => {
      const { batch, drops } = join(packetsOf(vector));
      expect(rowsOf(batch)).toEqual(vector.rows.map(expectedRow));
      expect(Object.fromEntries(Object.entries(drops).filter(([, count]) => count > 0))).toEqual(vector.drops);
    });
  });
}

/** A batch whose row 0 is the vector's. */
export function transmitBatchOf(vector: CutVector): TransmitBatch {
  const batch = new TransmitBatch(4);
  batch.begin(destination, undefined);
  const header = hexBytes(vector.header);
  batch.headers.set(header, batch.headerEnd);
  batch.headerEnd += header.length;
  for (const piece of vector.pieces) {
    // Somewhere inside a larger buffer, as a send buffer gives it.
    const bytes = hexBytes(piece);
    const buffer = new Uint8Array(bytes.length + 5).fill(0xee);
    buffer.set(bytes, 3);
    batch.appendPiece(buffer, 3, bytes.length);
  }
  batch.finish(vector.segmentSize, vector.isTrain ? TransmitFlag.train : 0);
  return batch;
}

function packetsOf(vector: JoinVector): PlacedPacket[] {
  return vector.packets.map((packet) => ({
    ...addressesOf(packet),
    rowFlags: packet.isBroadcast ? RowFlag.broadcast : 0,
    bytes: hexBytes(packet.bytes),
  }));
}

function addressesOf(arrival: Arrival): { readonly source: NetworkAddress; readonly local: NetworkAddress } {
  const { source = '192.0.2.1', sourcePort = 54325, localPort = local.port } = arrival;
  return { source: NetworkAddress.parse(source, sourcePort)!, local: local.withPort(localPort) };
}

function expectedRow(row: TrainRow | PacketRow): object {
  const { source, local } = addressesOf(row);
  const common = {
    source: source.toString(),
    local: local.toString(),
    sourceFlowID: row.sourceFlowID ?? 0x0a000002,
    destinationFlowID: row.destinationFlowID ?? 0x0b000003,
    isBroadcast: row.isBroadcast ?? false,
  };
  if ('bytes' in row) return { kind: RowKind.packet, ...common, bytes: joined(row.bytes) };
  return {
    kind: RowKind.train,
    ...common,
    sequence: row.sequence,
    acknowledgment: row.acknowledgment ?? 77,
    window: row.window ?? 500,
    tcpFlags: row.tcpFlags,
    segments: row.segments,
    segmentSize: row.segmentSize,
    options: row.options ?? '',
    payload: joined(row.payload),
  };
}

function rowsOf(batch: ReceivedBatch): object[] {
  return Array.from({ length: batch.count }, (_, row) => rowOf(batch, row));
}

function rowOf(batch: ReceivedBatch, row: number): object {
  const field = (name: keyof typeof ReceivedField): number => batch.field(row, ReceivedField[name]);
  const slab = (offset: number, length: number): string => bytesHex(batch.slab.subarray(offset, offset + length));
  const common = {
    source: batch.source(row).toString(),
    local: batch.local(row).toString(),
    sourceFlowID: field('sourceFlowID') >>> 0,
    destinationFlowID: batch.destinationFlowID(row),
    isBroadcast: batch.isBroadcast(row),
  };
  const bytes = slab(field('offset'), field('length'));
  if (batch.kind(row) === RowKind.packet) return { kind: RowKind.packet, ...common, bytes };
  return {
    kind: RowKind.train,
    ...common,
    sequence: field('sequence') >>> 0,
    acknowledgment: field('acknowledgment') >>> 0,
    window: field('window'),
    tcpFlags: field('tcpFlags'),
    segments: field('segments'),
    segmentSize: field('segmentSize'),
    options: slab(field('optionsOffset'), field('optionsLength')),
    payload: bytes,
  };
}

function joined(text: string): string {
  return text.replaceAll(' ', '');
}
