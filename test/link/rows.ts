// Rows for links under test: builds what a stack would transmit, and records what a link hands up.

import type { LinkHandler } from '../../lib/link/link';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import type { NetworkAddress } from '../../lib/wire/network-address';
import { type ReceivedBatch, ReceivedField, RowKind } from '../../lib/wire/received-batch';
import { TransportProtocol, writeBareSalHeader } from '../../lib/wire/sal-header';
import { salPacketHeaderBytes, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID } from '../../lib/wire/service-id';
import { TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { type TransmitBatch, TransmitFlag } from '../../lib/wire/transmit-batch';

export interface TrainRequest {
  readonly to: NetworkAddress;
  readonly flow: number;
  /** Default SOURCE_FLOW. */
  readonly sourceFlow?: number;
  readonly pieces: readonly Uint8Array[];
  readonly segmentSize: number;
  readonly sequence?: number;
  readonly tcpFlags?: number;
  /** TCP options, a multiple of 4 bytes. */
  readonly options?: Uint8Array;
  /** Default: numbered for each segment. */
  readonly isTrain?: boolean;
}

export const SOURCE_FLOW = flowID(0xfeed0001);
export const ACKNOWLEDGMENT = 0xf0000001;
export const WINDOW = 0xabcd;

/** Appends a row of TCP behind a bare SAL header. */
export function appendTrain(batch: TransmitBatch, request: TrainRequest): void {
  const { to, flow, pieces, segmentSize, options, isTrain = true } = request;
  const source = flowID(request.sourceFlow ?? SOURCE_FLOW);
  batch.begin(to, undefined);
  batch.headerEnd += writeBareSalHeader(batch.headers, batch.headerEnd, source, flowID(flow), 6);
  batch.headerEnd += writeTcpHeader(batch.headers, batch.headerEnd, {
    sequence: request.sequence ?? 0,
    acknowledgment: ACKNOWLEDGMENT,
    flags: request.tcpFlags ?? TcpFlag.ack,
    window: WINDOW,
    optionsLength: options?.length ?? 0,
  });
  if (options !== undefined) {
    batch.headers.set(options, batch.headerEnd);
    batch.headerEnd += options.length;
  }
  for (const piece of pieces) appendMiddle(batch, piece);
  batch.finish(segmentSize, isTrain ? TransmitFlag.train : 0);
}

/** Payload stands in the middle of a larger buffer, as in a send buffer. */
function appendMiddle(batch: TransmitBatch, piece: Uint8Array): void {
  const room = new Uint8Array(piece.length + 5).fill(0xdd);
  room.set(piece, 3);
  batch.appendPiece(room, 3, piece.length);
}

/** Appends a packet as it stands, and returns a copy of its bytes. */
export function appendPacket(batch: TransmitBatch, to: NetworkAddress, bytes: Uint8Array): void {
  batch.begin(to, undefined);
  batch.headers.set(bytes, batch.headerEnd);
  batch.headerEnd += bytes.length;
  batch.finish(0, 0);
}

/** A SYN: CONTROL and SERVICE before a TCP header with options. */
export function synPacket(flow: number): Uint8Array {
  const header = {
    ...controlHeader(flow, ControlFlag.syn),
    destinationService: ServiceID.fromHex('0123456789abcdef'.repeat(4))!,
  };
  const bytes = new Uint8Array(salPacketHeaderBytes(header) + 28);
  const tcp = writeSalPacketHeader(bytes, 0, header);
  writeTcpHeader(bytes, tcp, { sequence: 7, acknowledgment: 0, flags: TcpFlag.syn, window: 0, optionsLength: 8 });
  bytes.set([2, 4, 5, 0xa8, 1, 3, 3, 1], tcp + 20);
  return bytes;
}

/** Signaling alone: a SAL ACK, without a transport part. */
export function controlPacket(flow: number): Uint8Array {
  const header = controlHeader(flow, ControlFlag.ack);
  const bytes = new Uint8Array(salPacketHeaderBytes(header));
  writeSalPacketHeader(bytes, 0, header);
  return bytes;
}

function controlHeader(flow: number, flags: number) {
  return {
    sourceFlowID: SOURCE_FLOW,
    destinationFlowID: flowID(flow),
    protocol: TransportProtocol.tcp,
    control: {
      flags,
      controlSequence: controlSequence(0x80000001),
      controlAck: controlSequence(3),
      nonce: FlowNonce.of(0x01020304, 0xa0b0c0d0),
    },
  };
}

export interface RecordedRow {
  readonly kind: number;
  readonly flags: number;
  readonly source: NetworkAddress;
  readonly local: NetworkAddress;
  readonly sourceFlowID: number;
  readonly flow: number;
  /** As `take` gave it. */
  readonly bytes: Buffer;
  /** A copy of the same, made at once. */
  readonly copy: Buffer;
  readonly options: Buffer;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly window: number;
  readonly tcpFlags: number;
  readonly segments: number;
  readonly segmentSize: number;
}

/** A handler that remembers everything. */
export class Recorder implements LinkHandler {
  readonly rows: RecordedRow[] = [];
  readonly failures: Error[] = [];
  writableCount = 0;

  received(batch: ReceivedBatch): void {
    for (let row = 0; row < batch.count; row++) this.rows.push(recordRow(batch, row));
  }

  writable(): void {
    this.writableCount++;
  }

  unreachable(): void {}

  packetTooBig(): void {}

  failed(error: Error): void {
    this.failures.push(error);
  }

  of(flow: number): RecordedRow[] {
    return this.rows.filter((row) => row.flow === flow);
  }

  /** Payload bytes of a flow's trains. */
  payloadOf(flow: number): Buffer {
    return Buffer.concat(this.of(flow).map((row) => row.bytes));
  }

  lengthOf(flow: number): number {
    return this.of(flow).reduce((sum, row) => sum + row.bytes.length, 0);
  }
}

function recordRow(batch: ReceivedBatch, row: number): RecordedRow {
  const field = (name: keyof typeof ReceivedField): number => batch.field(row, ReceivedField[name]);
  const isTrain = batch.kind(row) === RowKind.train;
  const optionsEnd = field('optionsOffset') + field('optionsLength');
  return {
    kind: batch.kind(row),
    flags: field('flags'),
    source: batch.source(row),
    local: batch.local(row),
    sourceFlowID: field('sourceFlowID') >>> 0,
    flow: batch.destinationFlowID(row),
    copy: Buffer.from(batch.slab.subarray(field('offset'), field('offset') + field('length'))),
    bytes: batch.take(field('offset'), field('length')),
    options: Buffer.from(isTrain ? batch.slab.subarray(field('optionsOffset'), optionsEnd) : []),
    sequence: field('sequence') >>> 0,
    acknowledgment: field('acknowledgment') >>> 0,
    window: field('window'),
    tcpFlags: field('tcpFlags'),
    segments: field('segments'),
    segmentSize: field('segmentSize'),
  };
}

/** Bytes that tell where they belong: no two places of a megabyte look alike. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed * 2654435761;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
