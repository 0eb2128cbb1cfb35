// Turns a row of a `TransmitBatch` into the packets it stands for. The pure TypeScript link and the
// simulator cut with it; the native links have a twin that is tested with the same vectors.

import { readUint32, writeUint32 } from './big-endian';
import type { NetworkAddress } from './network-address';
import { readHeaderLength, readProtocol, SAL_HEADER_BYTES } from './sal-header';
import { TcpField, TcpFlag } from './tcp-header';
import { type TransmitBatch, TransmitField, TransmitFlag } from './transmit-batch';
import { sealTransportChecksum } from './transport-checksum';

/** How many packets a row is cut into: one at least, for a header goes without payload too. */
export function packetCount(batch: TransmitBatch, row: number): number {
  const segmentSize = batch.field(row, TransmitField.segmentSize);
  const payloadLength = batch.field(row, TransmitField.payloadLength);
  return !isTrain(batch, row) || payloadLength <= segmentSize ? 1 : Math.ceil(payloadLength / segmentSize);
}

/** Bytes of packet `index` of a row. */
export function packetLength(batch: TransmitBatch, row: number, index: number): number {
  return batch.field(row, TransmitField.headerLength) + payloadOfPacket(batch, row, index);
}

/** Writes packet `index` of a row into `target` at `at`, where it must fit, and returns its length. */
export function writePacket(batch: TransmitBatch, row: number, index: number, target: Uint8Array, at: number): number {
  const headerLength = copyHeader(batch, row, target, at);
  const payloadStart = index * batch.field(row, TransmitField.segmentSize);
  const payloadLength = payloadOfPacket(batch, row, index);
  copyPayload(batch, row, payloadStart, payloadLength, target, at + headerLength);
  if (isTrain(batch, row)) {
    numberSegment(target, at + SAL_HEADER_BYTES, payloadStart, index === packetCount(batch, row) - 1);
  }
  return headerLength + payloadLength;
}

/** Cuts a row and gives each packet to `emit` in order: a view of `scratch`, valid during the call. */
export function cutTrain(
  batch: TransmitBatch,
  row: number,
  scratch: Uint8Array,
  emit: (packet: Uint8Array) => void,
): void {
  const count = packetCount(batch, row);
  for (let index = 0; index < count; index++) {
    emit(scratch.subarray(0, writePacket(batch, row, index, scratch, 0)));
  }
}

/**
 * Fills in the transport checksum of a packet of ours, whatever extensions it has: for raw links, where no
 * outer checksum covers it. `source` and `destination` are those of its IP header.
 */
export function sealCutPacket(packet: Uint8Array, source: NetworkAddress, destination: NetworkAddress): void {
  const at = readHeaderLength(packet, 0);
  sealTransportChecksum(packet, at, packet.length - at, readProtocol(packet, 0), source, destination);
}

function isTrain(batch: TransmitBatch, row: number): boolean {
  return (batch.field(row, TransmitField.flags) & TransmitFlag.train) !== 0;
}

function payloadOfPacket(batch: TransmitBatch, row: number, index: number): number {
  const payloadLength = batch.field(row, TransmitField.payloadLength);
  if (!isTrain(batch, row)) return payloadLength;
  const segmentSize = batch.field(row, TransmitField.segmentSize);
  return Math.min(segmentSize, payloadLength - index * segmentSize);
}

function copyHeader(batch: TransmitBatch, row: number, target: Uint8Array, at: number): number {
  const offset = batch.field(row, TransmitField.headerOffset);
  const length = batch.field(row, TransmitField.headerLength);
  target.set(batch.headers.subarray(offset, offset + length), at);
  return length;
}

/** Copies `length` bytes of the row's payload from `start` on, across its pieces. */
function copyPayload(
  batch: TransmitBatch,
  row: number,
  start: number,
  length: number,
  target: Uint8Array,
  at: number,
): void {
  let piece = batch.field(row, TransmitField.firstPiece);
  let skip = start;
  let copied = 0;
  while (copied < length) {
    const offset = batch.pieceSpans[piece * 2]!;
    const available = batch.pieceSpans[piece * 2 + 1]! - skip;
    if (available > 0) {
      const count = Math.min(available, length - copied);
      target.set(batch.pieces[piece]!.subarray(offset + skip, offset + skip + count), at + copied);
      copied += count;
      skip = 0;
    } else {
      skip = -available;
    }
    piece++;
  }
}

/** FIN and PSH belong to the last byte, so only the last segment carries them. */
function numberSegment(target: Uint8Array, tcp: number, payloadStart: number, isLast: boolean): void {
  writeUint32(target, tcp + TcpField.sequence, readUint32(target, tcp + TcpField.sequence) + payloadStart);
  if (!isLast) target[tcp + TcpField.flags] = target[tcp + TcpField.flags]! & ~(TcpFlag.fin | TcpFlag.psh);
}
