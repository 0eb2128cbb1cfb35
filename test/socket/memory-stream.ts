// One end of a stream in memory: bounded buffers, delivery in later turns of the event loop, FIN and RST.
// What a real stack does over a network, as far as a socket can tell.

import type { FlowInformation, StreamHandle, StreamObserver } from '../../lib/driver/handles';
import { ErrorCode, ServalError } from '../../lib/errors';
import { NetworkAddress } from '../../lib/wire/network-address';
import type { ServiceID } from '../../lib/wire/service-id';

export interface MemoryStreamOptions {
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
}

export class MemoryStream implements StreamHandle {
  readonly calls: string[] = [];
  peer: MemoryStream | undefined;
  isReferenced = true;
  bytesSent = 0;
  bytesReceived = 0;
  private readonly unsent: Buffer[] = [];
  private readonly unread: Buffer[] = [];
  private unsentBytes = 0;
  private unreadBytes = 0;
  private isReading = false;
  private isFull = false;
  private isShutdown = false;
  private isFinSent = false;
  private isFinished = false;
  private isEndReceived = false;
  private isEndTold = false;
  private isClosing = false;
  private isGone = false;
  private isPumpDue = false;

  constructor(
    private observer: StreamObserver,
    readonly localServiceID: ServiceID | undefined,
    readonly remoteServiceID: ServiceID | undefined,
    readonly localAddress: NetworkAddress,
    readonly remoteAddress: NetworkAddress,
    private readonly options: MemoryStreamOptions,
  ) {}

  get flows(): readonly FlowInformation[] {
    return [];
  }

  get bytesBuffered(): number {
    return this.unsentBytes;
  }

  /** The application gave it up before there was a peer. */
  get isGivenUp(): boolean {
    return this.isClosing || this.isGone;
  }

  migrate(): 'settled' {
    return 'settled';
  }

  setObserver(observer: StreamObserver): void {
    this.observer = observer;
  }

  connected(): void {
    if (!this.isGone) this.observer.connected();
  }

  write(bytes: Uint8Array, offset = 0): number {
    if (this.isShutdown || this.isGone) throw new Error('the test writes to a stream that was shut down');
    const count = Math.min(bytes.length - offset, this.options.sendBuffer - this.unsentBytes);
    if (count < bytes.length - offset) this.isFull = true;
    if (count > 0) this.unsent.push(Buffer.from(bytes.subarray(offset, offset + count)));
    this.unsentBytes += count;
    this.pumpLater();
    return count;
  }

  shutdown(): void {
    this.isShutdown = true;
    this.pumpLater();
  }

  startReading(): void {
    this.isReading = true;
    this.pumpLater();
  }

  stopReading(): void {
    this.isReading = false;
  }

  reset(): void {
    this.calls.push('reset');
    const peer = this.peer;
    this.vanish();
    peer?.wasReset();
  }

  close(): void {
    this.calls.push('close');
    if (this.isGone) return;
    this.isClosing = true;
    if (this.unreadBytes > 0) this.reset();
    else this.shutdown();
  }

  setNoDelay(noDelay: boolean): void {
    this.calls.push(`noDelay ${noDelay}`);
  }

  setKeepAlive(enabled: boolean, delay: number): void {
    this.calls.push(`keepAlive ${enabled} ${delay}`);
  }

  setUserTimeout(timeout: number): void {
    this.calls.push(`userTimeout ${timeout}`);
  }

  ref(): void {
    this.isReferenced = true;
  }

  unref(): void {
    this.isReferenced = false;
  }

  /** The network's doing: the connection fails with this error. */
  fail(error: ServalError): void {
    if (this.isGone) return;
    setImmediate(() => {
      this.observer.failed(error);
      this.vanish();
    });
  }

  private wasReset(): void {
    this.fail(new ServalError(ErrorCode.connectionReset, 'reset by peer'));
  }

  private vanish(): void {
    if (this.isGone) return;
    this.isGone = true;
    setImmediate(() => this.observer.closed());
  }

  /** Everything that moves, moves here, in a turn of its own. */
  private pumpLater(): void {
    if (this.isPumpDue) return;
    this.isPumpDue = true;
    setImmediate(() => {
      this.isPumpDue = false;
      this.pump();
    });
  }

  private pump(): void {
    if (this.isGone) return;
    this.deliver();
    this.transmit();
    if (this.isFull && this.unsentBytes < this.options.sendBuffer) {
      this.isFull = false;
      this.observer.writable();
    }
    if (this.isFinished && this.isEndTold) this.vanish();
    else if (this.isFinished && this.isClosing && this.isEndReceived) this.vanish();
  }

  private transmit(): void {
    const peer = this.peer;
    if (peer === undefined) return;
    while (this.unsent.length > 0 && peer.unreadBytes < peer.options.receiveBuffer) {
      const chunk = this.unsent.shift()!;
      const room = peer.options.receiveBuffer - peer.unreadBytes;
      if (chunk.length > room) this.unsent.unshift(chunk.subarray(room));
      const sent = chunk.subarray(0, room);
      this.unsentBytes -= sent.length;
      this.bytesSent += sent.length;
      peer.receive(sent);
    }
    if (this.isShutdown && this.unsent.length === 0 && !this.isFinSent) this.sendFin(peer);
  }

  private sendFin(peer: MemoryStream): void {
    this.isFinSent = true;
    peer.isEndReceived = true;
    peer.pumpLater();
    setImmediate(() => {
      this.isFinished = true;
      if (!this.isGone) this.observer.finished();
      this.pumpLater();
    });
  }

  private receive(bytes: Buffer): void {
    if (this.isGone || this.isClosing) {
      // Bytes for an application that has closed: nobody will ever read them.
      this.isGone = true;
      setImmediate(() => this.peer?.wasReset());
      return;
    }
    this.unread.push(bytes);
    this.unreadBytes += bytes.length;
    this.pumpLater();
  }

  private deliver(): void {
    while (this.isReading && this.unread.length > 0 && !this.isGone) {
      const chunk = this.unread.shift()!;
      this.unreadBytes -= chunk.length;
      this.bytesReceived += chunk.length;
      this.peer?.pumpLater();
      this.observer.data(chunk);
    }
    if (this.isReading && this.isEndReceived && this.unread.length === 0 && !this.isEndTold && !this.isGone) {
      this.isEndTold = true;
      this.observer.ended();
    }
  }
}

export function address(last: number, port: number): NetworkAddress {
  return NetworkAddress.parse(`10.0.0.${last}`, port)!;
}
