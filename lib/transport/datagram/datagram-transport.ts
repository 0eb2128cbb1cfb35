// Messages instead of a stream (§2.2): a UDP header before each, and a bounded queue of those that wait for
// the application. Nothing is retransmitted, ordered or acknowledged. The checksum is the link's.

import { DATAGRAM_QUEUE_BYTES_MAXIMUM, DATAGRAM_QUEUE_MAXIMUM } from '../../limits';
import type { ReceivedBatch } from '../../wire/received-batch';
import type { TransmitBatch } from '../../wire/transmit-batch';
import { parseUdpHeader, writeUdpHeader } from '../../wire/udp-header';
import { isWireError, type WireError } from '../../wire/wire-error';

/** `Source` is whatever the owner knows of a sender; the transport does not look inside. */
export class DatagramTransport<Source> {
  /** Messages and their sources, in step. What is in front of `next` was read, and counts until all was. */
  private messages: Buffer[] = [];
  private sources: Source[] = [];
  private next = 0;
  private queuedBytes = 0;

  /** Gives the next message to `take`, whose own it is then. False when there is none. */
  read(take: (message: Buffer, source: Source) => void): boolean {
    const { messages, sources, next } = this;
    if (next === messages.length) return false;
    const message = messages[next]!;
    const source = sources[next]!;
    this.queuedBytes -= message.length;
    if (++this.next === messages.length) this.empty();
    take(message, source);
    return true;
  }

  /** Takes the UDP header and message in `length` bytes of the batch's slab; says why if it did not. */
  handleMessage(
    batch: ReceivedBatch,
    offset: number,
    length: number,
    source: Source,
  ): WireError | 'datagramQueueFull' | undefined {
    const header = parseUdpHeader(batch.slab, offset, length);
    if (isWireError(header)) return header;
    if (!this.hasRoom(header.payloadLength)) return 'datagramQueueFull';
    this.queuedBytes += header.payloadLength;
    this.messages.push(batch.take(header.payloadOffset, header.payloadLength));
    this.sources.push(source);
    return undefined;
  }

  clear(): void {
    this.queuedBytes = 0;
    this.empty();
  }

  private empty(): void {
    this.messages.length = 0;
    this.sources.length = 0;
    this.next = 0;
  }

  private hasRoom(bytes: number): boolean {
    return this.messages.length < DATAGRAM_QUEUE_MAXIMUM && this.queuedBytes + bytes <= DATAGRAM_QUEUE_BYTES_MAXIMUM;
  }
}

/** Ends the row that was begun behind its SAL header: the UDP header, and a copy of the message. */
export function writeDatagram(batch: TransmitBatch, message: Uint8Array): void {
  batch.headerEnd += writeUdpHeader(batch.headers, batch.headerEnd, message.length);
  batch.appendCopy(message);
  batch.finish(0, 0);
}
