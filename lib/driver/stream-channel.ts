// A controller session's channel over one of the stack's own streams: registration travels over Serval itself (§4.3),
// and the handshake has shown that the peer is where it says it is.

import { LineReader } from '../controller/session/line-reader';
import type { ChannelObserver, SessionChannel } from '../controller/session/session-channel';
import { SESSION_BACKLOG_MAXIMUM, SESSION_LINE_MAXIMUM } from '../controller/session/session-limits';
import { ErrorCode, type ServalError } from '../errors';
import { type Duration, type Instant, milliseconds } from '../time/instant';
import { NetworkAddress } from '../wire/network-address';
import type { StreamHandle, StreamObserver } from './handles';

/** What a channel needs of the driver around it. */
export interface ChannelContext {
  now(): Instant;
  /** Its observer may have decided something: have it carried out. */
  settle(): void;
}

export class StreamChannel implements SessionChannel, StreamObserver {
  private readonly reader = new LineReader(SESSION_LINE_MAXIMUM);
  /** What the send buffer did not take yet. */
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private isOpen = false;
  private isEnding = false;
  private isOver = false;
  private isRefused = false;

  constructor(
    private readonly handle: StreamHandle,
    private readonly observer: ChannelObserver,
    private readonly sourcePort: number,
    private readonly context: ChannelContext,
  ) {
    // A registration is no reason for a process to live on.
    handle.unref?.();
    handle.setNoDelay(true);
  }

  // ---- SessionChannel ----

  get local(): { readonly ip: string; readonly port: number } {
    const address = this.handle.localAddress;
    const ip = address === undefined || address.isUnspecified ? '' : address.ip;
    return { ip, port: this.sourcePort };
  }

  get remote(): NetworkAddress {
    return this.handle.remoteAddress ?? UNSPECIFIED;
  }

  get roundTripTime(): Duration | undefined {
    const roundTripTime = this.handle.flows[0]?.roundTripTime;
    return roundTripTime === undefined ? undefined : milliseconds(roundTripTime);
  }

  send(line: string): void {
    if (this.isOver || this.isEnding) return;
    const bytes = ENCODER.encode(line);
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    this.pump();
    // It does not read: it is cut off, and comes back when it does.
    if (this.waitingBytes > SESSION_BACKLOG_MAXIMUM) this.handle.reset();
  }

  end(): void {
    if (!this.isOpen) return this.reset();
    // What still comes is read, so that it does not hold up the end, and thrown away.
    this.isEnding = true;
    this.pump();
  }

  reset(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.handle.reset();
  }

  // ---- StreamObserver ----

  connected(): void {
    if (this.isOver) return;
    this.isOpen = true;
    this.handle.startReading();
    this.tell(() => this.observer.opened(this.context.now()));
  }

  data(chunk: Uint8Array): void {
    if (this.isOver || this.isEnding) return;
    const lines = this.reader.handleChunk(chunk);
    if (lines?.length !== 0) this.tell(() => this.observer.lines(lines, this.context.now()));
  }

  /** Half a session is none. */
  ended(): void {
    this.handle.close();
    this.finish();
  }

  writable(): void {
    this.pump();
  }

  finished(): void {
    this.handle.close();
  }

  failed(error: ServalError): void {
    this.isRefused = error.code === ErrorCode.connectionRefused;
    this.finish();
  }

  closed(): void {
    this.finish();
  }

  private pump(): void {
    let count = 0;
    for (const bytes of this.waiting) {
      const taken = this.handle.write(bytes);
      this.waitingBytes -= taken;
      if (taken < bytes.length) {
        this.waiting[count] = bytes.subarray(taken);
        break;
      }
      count++;
    }
    if (count > 0) this.waiting.splice(0, count);
    if (this.isEnding && this.waiting.length === 0) this.handle.shutdown();
  }

  private finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.waiting = [];
    if (!this.isEnding) this.tell(() => this.observer.closed(this.context.now(), this.isRefused));
  }

  private tell(say: () => void): void {
    say();
    this.context.settle();
  }
}

const ENCODER = new TextEncoder();
const UNSPECIFIED = NetworkAddress.parse('0.0.0.0')!;
