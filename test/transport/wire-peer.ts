// A stream transport opposite a script: the test plays the peer segment by segment and sees what leaves, as
// packetdrill does. Sequence numbers in scripts count from 0 behind the SYN, in both directions.

import { type Duration, type Instant, NEVER } from '../../lib/time/instant';
import type { StreamNegotiation } from '../../lib/transport/stream/stream-handshake';
import { type StreamOptions, StreamTransport } from '../../lib/transport/stream/stream-transport';
import type { Subflow } from '../../lib/transport/stream/subflow';
import type { PathSize, SegmentSink } from '../../lib/transport/transport';
import { NetworkAddress } from '../../lib/wire/network-address';
import { RECEIVED_ROW_INTS, ReceivedBatch, ReceivedField, RowKind } from '../../lib/wire/received-batch';
import { parseTcpHeader, TcpFlag } from '../../lib/wire/tcp-header';
import { TcpOptions, writeSackOption } from '../../lib/wire/tcp-options';
import { packetCount, packetLength, writePacket } from '../../lib/wire/train-cutter';
import { TransmitBatch, TransmitField, TransmitFlag } from '../../lib/wire/transmit-batch';

export interface WireOptions {
  stream?: StreamOptions;
  negotiation?: Partial<StreamNegotiation>;
  size?: PathSize;
}

/** A segment that left the transport. */
export interface SentSegment {
  readonly at: number;
  readonly seq: number;
  readonly length: number;
  readonly ack: number;
  /** Letters of A, P, F, R, S. */
  readonly flags: string;
  readonly window: number;
  readonly sack: readonly (readonly [number, number])[];
  readonly isProbe: boolean;
  readonly payload: Buffer;
}

/** A segment or train of the script's. */
export interface Injected {
  seq?: number;
  ack?: number;
  /** As on the wire, not scaled. */
  window?: number;
  /** Payload, or its length. */
  data?: Buffer | number;
  flags?: number;
  /** A train of so many segments. */
  segments?: number;
  sack?: readonly (readonly [number, number])[];
}

/** Segment size 1000 and no search for another, so that scripts have round numbers. */
export const THOUSAND: PathSize = { base: 1020, maximum: 1020 };
export const LOCAL_SEQUENCE = 0xffff_f000;
export const PEER_SEQUENCE = 0xffff_fe00;
const SAL_HEADER = 12;

export class WirePeer implements SegmentSink {
  readonly transport: StreamTransport;
  readonly flow: number;
  /** Rows that left since the start. */
  rows = 0;
  now = 10_000;
  signals = 0;
  /** What the peer has sent so far, and what it acknowledges when the script does not say. */
  next = 0;
  acknowledged = 0;
  window = 60_000;
  private sent: SentSegment[] = [];
  private readonly batch = new TransmitBatch(256);
  readonly negotiation: StreamNegotiation;

  constructor(options: WireOptions = {}) {
    this.negotiation = {
      localSequence: LOCAL_SEQUENCE,
      peerSequence: PEER_SEQUENCE,
      peerMaximumSegment: 1000,
      localWindowShift: 0,
      peerWindowShift: 0,
      selective: true,
      peerWindow: 60_000,
      localWindow: 60_000,
      ...options.negotiation,
    };
    this.window = this.negotiation.peerWindow;
    this.transport = new StreamTransport({ receiveBuffer: 60_000, ...options.stream });
    this.flow = this.transport.establish(this.negotiation, options.size ?? THOUSAND, this.instant);
  }

  get instant(): Instant {
    return this.now as Instant;
  }

  get subflow(): Subflow {
    return this.transport.subflow(this.flow, this.instant)!;
  }

  // ---- what the application does ----

  write(bytes: number | string): number {
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.alloc(bytes, 'x');
    const count = this.transport.write(data, 0, this.instant);
    this.poll();
    return count;
  }

  shutdown(): void {
    this.transport.shutdown(this.instant);
    this.poll();
  }

  /** Everything that can be read, joined. */
  readAll(): Buffer {
    const chunks: Buffer[] = [];
    for (let chunk = this.transport.read(this.instant); chunk; chunk = this.transport.read(this.instant)) {
      chunks.push(chunk);
    }
    this.poll();
    return Buffer.concat(chunks);
  }

  do(action: (transport: StreamTransport, now: Instant) => void): void {
    action(this.transport, this.instant);
    this.poll();
  }

  // ---- what the peer does ----

  /** Sends one row and polls; several rows of one turn go through `injectAll`. */
  inject(segment: Injected): void {
    this.injectAll([segment]);
  }

  injectAll(segments: readonly Injected[]): void {
    for (const segment of segments) this.handle(segment);
    this.poll();
  }

  /** Acknowledges up to `to`, optionally with SACK blocks. */
  ack(to: number, sack: readonly (readonly [number, number])[] = [], window = this.window): void {
    this.acknowledged = Math.max(this.acknowledged, to);
    this.inject({ ack: to, sack, window });
  }

  // ---- time ----

  /** Lets time pass, deadline by deadline. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (let turns = 0; ; turns++) {
      if (turns > 10_000) throw new Error('a deadline does not move on');
      const deadline = this.transport.nextDeadline();
      if (deadline === NEVER || deadline > end) break;
      this.now = Math.max(this.now, deadline);
      this.transport.handleDeadline(this.instant);
      this.poll();
    }
    this.now = end;
  }

  // ---- what leaves ----

  /** What left since this was asked last. */
  take(): SentSegment[] {
    return this.sent.splice(0);
  }

  /** The same in short: `seq+length flags ack`. */
  takeText(): string[] {
    return this.take().map((segment) => `${segment.seq}+${segment.length} ${segment.flags} ${segment.ack}`);
  }

  has(signal: number): boolean {
    return (this.signals & signal) !== 0;
  }

  begin(): TransmitBatch | undefined {
    if (!this.batch.hasRoom()) return undefined;
    this.batch.begin(ADDRESS, undefined);
    this.batch.headerEnd += SAL_HEADER;
    return this.batch;
  }

  poll(): void {
    let more = true;
    while (more) {
      this.batch.reset();
      more = this.transport.pollTransmit(this.flow, this, this.instant);
      for (let row = 0; row < this.batch.count; row++) this.record(row);
    }
    this.signals |= this.transport.takeSignals();
  }

  private record(row: number): void {
    this.rows++;
    for (let index = 0; index < packetCount(this.batch, row); index++) {
      const packet = Buffer.alloc(packetLength(this.batch, row, index));
      writePacket(this.batch, row, index, packet, 0);
      const header = parseTcpHeader(packet, SAL_HEADER, packet.length - SAL_HEADER);
      if (typeof header === 'string') throw new Error(`a segment left that cannot be parsed: ${header}`);
      const options = new TcpOptions();
      options.parse(packet, header.optionsOffset, header.optionsLength);
      const sack: [number, number][] = [];
      for (let block = 0; block < options.sackCount; block++) {
        const edge = (at: number): number => (options.sackEdges[at]! - PEER_SEQUENCE - 1) | 0;
        sack.push([edge(block * 2), edge(block * 2 + 1)]);
      }
      this.sent.push({
        at: this.now,
        seq: (header.sequence - LOCAL_SEQUENCE - 1) | 0,
        ack: (header.acknowledgment - PEER_SEQUENCE - 1) | 0,
        length: header.payloadLength,
        flags: flagLetters(header.flags),
        window: header.window,
        sack,
        isProbe: (this.batch.field(row, TransmitField.flags) & TransmitFlag.probe) !== 0,
        payload: packet.subarray(header.payloadOffset),
      });
    }
  }

  private handle(segment: Injected): void {
    const data = typeof segment.data === 'number' ? Buffer.alloc(segment.data, 'y') : (segment.data ?? EMPTY);
    const sequence = segment.seq ?? this.next;
    const slab = Buffer.alloc(data.length + 40);
    data.copy(slab);
    const batch = new ReceivedBatch(1, slab);
    const rows = batch.rows;
    const edges = (segment.sack ?? []).flat().map((position) => (position + LOCAL_SEQUENCE + 1) >>> 0);
    const segments = segment.segments ?? 1;
    rows[ReceivedField.kind] = RowKind.train;
    rows[ReceivedField.length] = data.length;
    rows[ReceivedField.sequence] = (sequence + PEER_SEQUENCE + 1) | 0;
    rows[ReceivedField.acknowledgment] = ((segment.ack ?? this.acknowledged) + LOCAL_SEQUENCE + 1) | 0;
    rows[ReceivedField.window] = segment.window ?? this.window;
    rows[ReceivedField.tcpFlags] = segment.flags ?? TcpFlag.ack;
    rows[ReceivedField.segments] = segments;
    rows[ReceivedField.segmentSize] = Math.ceil(data.length / segments);
    rows[ReceivedField.optionsOffset] = data.length;
    rows[ReceivedField.optionsLength] = writeSackOption(slab, data.length, edges, edges.length / 2);
    batch.count = rows.length / RECEIVED_ROW_INTS;
    const fin = ((segment.flags ?? 0) & TcpFlag.fin) !== 0 ? 1 : 0;
    if (sequence === this.next) this.next += data.length + fin;
    this.transport.handleTrain(this.flow, batch, 0, this.instant);
  }
}

export const ms = (count: number): Duration => count as Duration;

const ADDRESS = NetworkAddress.parse('192.0.2.1', 1)!;
const EMPTY = Buffer.alloc(0);

function flagLetters(flags: number): string {
  let text = '';
  if ((flags & TcpFlag.syn) !== 0) text += 'S';
  if ((flags & TcpFlag.fin) !== 0) text += 'F';
  if ((flags & TcpFlag.rst) !== 0) text += 'R';
  if ((flags & TcpFlag.psh) !== 0) text += 'P';
  if ((flags & TcpFlag.ack) !== 0) text += 'A';
  return text;
}
