// Messages instead of a stream (§2.2): a UDP header before each, and a bounded queue of those that wait for
// the application. Nothing is retransmitted, ordered or acknowledged. The checksum is the link's.

import { DATAGRAM_QUEUE_BYTES_MAXIMUM, DATAGRAM_QUEUE_MAXIMUM } from '../../limits';
import type { ReceivedBatch } from '../../wire/received-batch';
import type { TransmitBatch } from '../../wire/transmit-batch';
import { parseUdpHeader, writeUdpHeader } from '../../wire/udp-header';
import { isWireError, type WireError } from '../../wire/wire-error';

export interface QueuedDatagram<Source> {
  readonly bytes: Buffer;
  readonly source: Source;
}

/** `Source` is whatever the owner knows of a sender; the transport does not look inside. */
export class DatagramTransport<Source> {
  private queue: QueuedDatagram<Source>[] = [];
  private queuedBytes = 0;

  /** The next message; the chunk belongs to the caller. */
  read(): QueuedDatagram<Source> | undefined {
    const datagram = this.queue.shift();
    if (datagram !== undefined) this.queuedBytes -= datagram.bytes.length;
    return datagram;
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
    this.queue.push({ bytes: batch.take(header.payloadOffset, header.payloadLength), source });
    return undefined;
  }

  clear(): void {
    this.queue = [];
    this.queuedBytes = 0;
  }

  private hasRoom(bytes: number): boolean {
    return this.queue.length < DATAGRAM_QUEUE_MAXIMUM && this.queuedBytes + bytes <= DATAGRAM_QUEUE_BYTES_MAXIMUM;
  }
}

/** Ends the row that was begun behind its SAL header: the UDP header, and the message by reference. */
export function writeDatagram(batch: TransmitBatch, message: Uint8Array): void {
  batch.headerEnd += writeUdpHeader(batch.headers, batch.headerEnd, message.length);
  if (message.length > 0) batch.appendPiece(message, 0, message.length);
  batch.finish(0, 0);
}
