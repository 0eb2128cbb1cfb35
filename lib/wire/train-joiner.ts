// Appends received packets to a `ReceivedBatch`, and joins consecutive in-order data segments of one flow
// into one row. The pure TypeScript link and the simulator receive with it; the native links have a twin
// that is tested with the same vectors. What has extensions, or is not TCP, is left to `parseSalPacket`.

import { areAddressWords, writeAddressWords } from './address-words';
import { readInt32, readUint16 } from './big-endian';
import { internetChecksum } from './internet-checksum';
import type { NetworkAddress } from './network-address';
import { RECEIVED_ROW_INTS, type ReceivedBatch, ReceivedField, RowKind } from './received-batch';
import { isBareTcp, readDestinationFlowID, readSourceFlowID, SAL_HEADER_BYTES, TransportProtocol } from './sal-header';
import { checkTcpHeader, TCP_HEADER_BYTES, TcpField, TcpFlag, tcpHeaderLength } from './tcp-header';
import { hasValidTransportChecksum } from './transport-checksum';
import type { WireError, WireErrorCounters } from './wire-error';

export interface TrainJoinerOptions {
  /** Verify the TCP checksum of trains: on raw links, where no outer checksum covers it. Default false. */
  readonly transportChecksums?: boolean;
}

export class TrainJoiner {
  private readonly transportChecksums: boolean;

  constructor(
    /** Counts what is dropped, by reason. */
    private readonly counters: WireErrorCounters,
    options: TrainJoinerOptions = {},
  ) {
    this.transportChecksums = options.transportChecksums ?? false;
  }

  /**
   * Takes the packet in `length` bytes of the batch's slab from `offset` on, at or behind all that was taken
   * before. Joining moves its payload up to that of the row before it. The batch must have room for a row.
   * Returns the reason when the packet was dropped.
   */
  append(
    batch: ReceivedBatch,
    source: NetworkAddress,
    local: NetworkAddress,
    rowFlags: number,
    offset: number,
    length: number,
  ): WireError | undefined {
    if (batch.count >= batch.capacity) throw new Error('a row is appended to a batch only while it has room');
    const slab = batch.slab;
    if (length < SAL_HEADER_BYTES || offset < 0 || offset + length > slab.length) return this.drop('truncated');
    if (!isBareTcp(slab, offset)) {
      startRow(batch, source, local, rowFlags, offset);
      finishPacketRow(batch, offset, length);
      return undefined;
    }
    const error = this.checkSegment(slab, source, local, offset, length);
    if (error !== undefined) return this.drop(error);
    if (joinLastRow(batch, source, local, rowFlags, offset, length)) return undefined;
    startRow(batch, source, local, rowFlags, offset);
    finishTrainRow(batch, offset, length);
    return undefined;
  }

  private checkSegment(
    slab: Uint8Array,
    source: NetworkAddress,
    local: NetworkAddress,
    offset: number,
    length: number,
  ): WireError | undefined {
    if (internetChecksum(slab, offset, SAL_HEADER_BYTES) !== 0) return 'badCheck';
    const tcp = offset + SAL_HEADER_BYTES;
    const tcpLength = length - SAL_HEADER_BYTES;
    const error = checkTcpHeader(slab, tcp, tcpLength);
    if (error !== undefined || !this.transportChecksums) return error;
    const valid = hasValidTransportChecksum(slab, tcp, tcpLength, TransportProtocol.tcp, source, local);
    return valid ? undefined : 'badTransportChecksum';
  }

  private drop(reason: WireError): WireError {
    this.counters[reason]++;
    return reason;
  }
}

/**
 * Joins the segment to the last row when it goes on exactly where that row ends. Pure acknowledgments are
 * never joined: a transport counts duplicates. PSH does not end a train; a short segment or FIN does.
 */
function joinLastRow(
  batch: ReceivedBatch,
  source: NetworkAddress,
  local: NetworkAddress,
  rowFlags: number,
  offset: number,
  length: number,
): boolean {
  const row = batch.count - 1;
  const tcp = offset + SAL_HEADER_BYTES;
  const payloadLength = length - SAL_HEADER_BYTES - TCP_HEADER_BYTES;
  if (row < 0 || !isExtensible(batch, row) || payloadLength <= 0) return false;
  if (!continuesTrain(batch, row, tcp, payloadLength)) return false;
  if (!isSameFlow(batch, row, source, local, rowFlags, offset)) return false;
  const base = row * RECEIVED_ROW_INTS;
  const rows = batch.rows;
  const trainLength = rows[base + ReceivedField.length]!;
  const trainEnd = rows[base + ReceivedField.offset]! + trainLength;
  rows[base + ReceivedField.length] = trainLength + payloadLength;
  rows[base + ReceivedField.tcpFlags] = rows[base + ReceivedField.tcpFlags]! | batch.slab[tcp + TcpField.flags]!;
  rows[base + ReceivedField.segments] = rows[base + ReceivedField.segments]! + 1;
  // Last, for it may overwrite the header.
  batch.slab.copyWithin(trainEnd, offset + length - payloadLength, offset + length);
  return true;
}

/** Plain data in segments of one size so far. A pure acknowledgment has size 0, so that nothing fits behind it. */
function isExtensible(batch: ReceivedBatch, row: number): boolean {
  const length = batch.field(row, ReceivedField.length);
  return (
    batch.kind(row) === RowKind.train &&
    batch.field(row, ReceivedField.optionsLength) === 0 &&
    (batch.field(row, ReceivedField.tcpFlags) & ~TcpFlag.psh) === TcpFlag.ack &&
    length === batch.field(row, ReceivedField.segments) * batch.field(row, ReceivedField.segmentSize)
  );
}

function continuesTrain(batch: ReceivedBatch, row: number, tcp: number, payloadLength: number): boolean {
  const slab = batch.slab;
  const sequence = batch.field(row, ReceivedField.sequence) + batch.field(row, ReceivedField.length);
  return (
    tcpHeaderLength(slab, tcp) === TCP_HEADER_BYTES &&
    (slab[tcp + TcpField.flags]! & ~(TcpFlag.psh | TcpFlag.fin)) === TcpFlag.ack &&
    readInt32(slab, tcp + TcpField.sequence) === (sequence | 0) &&
    readInt32(slab, tcp + TcpField.acknowledgment) === batch.field(row, ReceivedField.acknowledgment) &&
    readUint16(slab, tcp + TcpField.window) === batch.field(row, ReceivedField.window) &&
    payloadLength <= batch.field(row, ReceivedField.segmentSize)
  );
}

function isSameFlow(
  batch: ReceivedBatch,
  row: number,
  source: NetworkAddress,
  local: NetworkAddress,
  rowFlags: number,
  offset: number,
): boolean {
  return (
    (readDestinationFlowID(batch.slab, offset) | 0) === batch.field(row, ReceivedField.destinationFlowID) &&
    (readSourceFlowID(batch.slab, offset) | 0) === batch.field(row, ReceivedField.sourceFlowID) &&
    rowFlags === batch.field(row, ReceivedField.flags) &&
    areAddressWords(batch.rows, row * RECEIVED_ROW_INTS + ReceivedField.sourceFamilyPort, source) &&
    areAddressWords(batch.rows, row * RECEIVED_ROW_INTS + ReceivedField.localFamilyPort, local)
  );
}

/** Starts a row behind the last one: addresses, flags and flowIDs; all else 0. */
function startRow(
  batch: ReceivedBatch,
  source: NetworkAddress,
  local: NetworkAddress,
  rowFlags: number,
  offset: number,
): void {
  const base = batch.count * RECEIVED_ROW_INTS;
  const rows = batch.rows;
  rows.fill(0, base, base + RECEIVED_ROW_INTS);
  writeAddressWords(rows, base + ReceivedField.sourceFamilyPort, source);
  writeAddressWords(rows, base + ReceivedField.localFamilyPort, local);
  rows[base + ReceivedField.flags] = rowFlags;
  rows[base + ReceivedField.sourceFlowID] = readSourceFlowID(batch.slab, offset);
  rows[base + ReceivedField.destinationFlowID] = readDestinationFlowID(batch.slab, offset);
  rows[base + ReceivedField.segments] = 1;
}

function finishPacketRow(batch: ReceivedBatch, offset: number, length: number): void {
  const base = batch.count * RECEIVED_ROW_INTS;
  batch.rows[base + ReceivedField.kind] = RowKind.packet;
  batch.rows[base + ReceivedField.offset] = offset;
  batch.rows[base + ReceivedField.length] = length;
  batch.count++;
}

function finishTrainRow(batch: ReceivedBatch, offset: number, length: number): void {
  const base = batch.count * RECEIVED_ROW_INTS;
  const { rows, slab } = batch;
  const tcp = offset + SAL_HEADER_BYTES;
  const headerLength = tcpHeaderLength(slab, tcp);
  const payloadLength = length - SAL_HEADER_BYTES - headerLength;
  rows[base + ReceivedField.kind] = RowKind.train;
  rows[base + ReceivedField.offset] = tcp + headerLength;
  rows[base + ReceivedField.length] = payloadLength;
  rows[base + ReceivedField.sequence] = readInt32(slab, tcp + TcpField.sequence);
  rows[base + ReceivedField.acknowledgment] = readInt32(slab, tcp + TcpField.acknowledgment);
  rows[base + ReceivedField.window] = readUint16(slab, tcp + TcpField.window);
  rows[base + ReceivedField.tcpFlags] = slab[tcp + TcpField.flags]!;
  rows[base + ReceivedField.segmentSize] = payloadLength;
  if (headerLength > TCP_HEADER_BYTES) {
    rows[base + ReceivedField.optionsOffset] = tcp + TCP_HEADER_BYTES;
    rows[base + ReceivedField.optionsLength] = headerLength - TCP_HEADER_BYTES;
  }
  batch.count++;
}
