// The TCP segments that ride on the SAL's SYN, SYN-ACK and ACK: initial sequence numbers and options. One of
// these stands for a half-open request, so it holds numbers only; retransmission is the SAL's (§4.4).

import {
  RECEIVE_BUFFER_MAXIMUM,
  RECEIVE_BUFFER_MINIMUM,
  SEGMENT_BYTES_MAXIMUM,
  SEGMENT_BYTES_MINIMUM,
} from '../../limits';
import { advance } from '../../wire/serial-number';
import { parseTcpHeader, TCP_HEADER_BYTES, TcpFlag, type TcpHeader, writeTcpHeader } from '../../wire/tcp-header';
import { type SynOptions, synOptionsBytes, TcpOptions, writeSynOptions } from '../../wire/tcp-options';

export interface HandshakeOptions {
  /** Random: the first sequence number of what we send. */
  readonly initialSequence: number;
  /** Largest payload of a segment that we can receive, bytes. */
  readonly maximumSegment: number;
  /** Receive window to begin with, bytes. */
  readonly receiveBuffer: number;
}

/** What the three segments agreed on: all that an established stream must know of its beginning. */
export interface StreamNegotiation {
  readonly localSequence: number;
  readonly peerSequence: number;
  /** Largest payload the peer takes in one segment. */
  readonly peerMaximumSegment: number;
  /** Shift of the windows that we send, and of those that the peer sends (RFC 7323). */
  readonly localWindowShift: number;
  readonly peerWindowShift: number;
  /** Both ends take SACK (RFC 2018). */
  readonly selective: boolean;
  /** Bytes the peer has room for. */
  readonly peerWindow: number;
  /** Bytes we announced room for. */
  readonly localWindow: number;
}

/** Scratch of all handshakes. */
const options = new TcpOptions();

/** RFC 9293 3.7.1 (MUST-15): what holds when the peer announced no MSS. */
const MAXIMUM_SEGMENT_DEFAULT = 536;

/** Becomes the negotiation, and so stays with the connection. */
export class StreamHandshake implements StreamNegotiation {
  readonly localWindow: number;
  peerMaximumSegment = MAXIMUM_SEGMENT_DEFAULT;
  peerWindowShift = 0;
  selective = false;
  peerWindow = 0;
  private readonly maximumSegment: number;
  private peerScales = false;
  // As signed integers, which V8 keeps in place; half of all unsigned ones would be objects.
  private readonly initialSequence: number;
  private peerInitialSequence = 0;

  constructor(options: HandshakeOptions) {
    this.initialSequence = options.initialSequence | 0;
    this.maximumSegment = announcedMaximumSegment(options.maximumSegment);
    const buffer = Math.min(Math.max(options.receiveBuffer, RECEIVE_BUFFER_MINIMUM), RECEIVE_BUFFER_MAXIMUM);
    // The windows of SYN and SYN-ACK are never scaled (RFC 7323 2.2).
    this.localWindow = Math.min(buffer, 0xffff);
  }

  /** Each `write` writes a TCP header with options, checksum 0, and returns its length. */
  writeSyn(bytes: Uint8Array, at: number): number {
    return this.write(bytes, at, TcpFlag.syn, LOCAL_WINDOW_SHIFT, true);
  }

  /** Offers only what the SYN offered. */
  writeSynAck(bytes: Uint8Array, at: number): number {
    const windowScale = this.peerScales ? LOCAL_WINDOW_SHIFT : undefined;
    return this.write(bytes, at, TcpFlag.syn | TcpFlag.ack, windowScale, this.selective);
  }

  writeAck(bytes: Uint8Array, at: number): number {
    return writeTcpHeader(bytes, at, {
      sequence: advance(this.initialSequence, 1),
      acknowledgment: advance(this.peerSequence, 1),
      flags: TcpFlag.ack,
      window: this.localWindow >>> this.localWindowShift,
    });
  }

  /** Each `handle` takes a segment of `length` bytes; false means unacceptable: drop the packet. */
  handleSyn(bytes: Uint8Array, offset: number, length: number): boolean {
    const header = parseTcpHeader(bytes, offset, length);
    if (typeof header === 'string') return false;
    if ((header.flags & HANDSHAKE_FLAGS) !== TcpFlag.syn) return false;
    return this.takeSyn(bytes, header);
  }

  handleSynAck(bytes: Uint8Array, offset: number, length: number): boolean {
    const header = parseTcpHeader(bytes, offset, length);
    if (typeof header === 'string') return false;
    if ((header.flags & HANDSHAKE_FLAGS) !== (TcpFlag.syn | TcpFlag.ack)) return false;
    if (header.acknowledgment !== advance(this.initialSequence, 1)) return false;
    return this.takeSyn(bytes, header);
  }

  handleAck(bytes: Uint8Array, offset: number, length: number): boolean {
    const header = parseTcpHeader(bytes, offset, length);
    if (typeof header === 'string') return false;
    if ((header.flags & HANDSHAKE_FLAGS) !== TcpFlag.ack) return false;
    if (header.acknowledgment !== advance(this.initialSequence, 1)) return false;
    if (header.sequence !== advance(this.peerSequence, 1)) return false;
    this.peerWindow = header.window << this.peerWindowShift;
    return true;
  }

  get localSequence(): number {
    return this.initialSequence >>> 0;
  }

  get peerSequence(): number {
    return this.peerInitialSequence >>> 0;
  }

  get localWindowShift(): number {
    return this.peerScales ? LOCAL_WINDOW_SHIFT : 0;
  }

  private takeSyn(bytes: Uint8Array, header: TcpHeader): boolean {
    if (options.parse(bytes, header.optionsOffset, header.optionsLength) !== undefined) return false;
    this.peerInitialSequence = header.sequence | 0;
    this.peerScales = options.windowScale !== undefined;
    this.peerWindowShift = options.windowScale ?? 0;
    this.selective = options.sackPermitted;
    const announced = options.maximumSegmentSize ?? MAXIMUM_SEGMENT_DEFAULT;
    this.peerMaximumSegment = Math.min(Math.max(announced, SEGMENT_BYTES_MINIMUM), SEGMENT_BYTES_MAXIMUM);
    // The original's SYN says 0 here; its third segment says the truth, and `handleAck` takes it from there.
    this.peerWindow = header.window;
    return true;
  }

  private write(
    bytes: Uint8Array,
    at: number,
    flags: number,
    windowScale: number | undefined,
    sackPermitted: boolean,
  ): number {
    const offer: SynOptions = { windowScale, sackPermitted, maximumSegmentSize: this.maximumSegment };
    const written = writeTcpHeader(bytes, at, {
      sequence: this.localSequence,
      acknowledgment: (flags & TcpFlag.ack) === 0 ? 0 : advance(this.peerSequence, 1),
      flags,
      window: this.localWindow,
      optionsLength: synOptionsBytes(offer),
    });
    return written + writeSynOptions(bytes, at + TCP_HEADER_BYTES, offer);
  }
}

const HANDSHAKE_FLAGS = TcpFlag.syn | TcpFlag.ack | TcpFlag.rst | TcpFlag.fin;

/** The least shift with which the greatest window can be said in 16 bits. */
const LOCAL_WINDOW_SHIFT = Math.max(0, Math.ceil(Math.log2(RECEIVE_BUFFER_MAXIMUM / 0xffff)));

/**
 * The original reads the MSS with its bytes swapped and cuts segments to the result, so 1280 (0x0500) reads
 * as 5. A low byte of at least 8 keeps what it reads above 2,048, which is no limit on its paths.
 */
function announcedMaximumSegment(wanted: number): number {
  const size = Math.min(Math.max(Math.floor(wanted), SEGMENT_BYTES_MINIMUM), SEGMENT_BYTES_MAXIMUM);
  if ((size & 0xff) >= 8 || size < 0x100) return size;
  return size - (size & 0xff) - 1;
}
