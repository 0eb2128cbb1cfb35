// The link on which a process reaches itself: what is transmitted is received in a later turn of the event
// loop. No socket is involved, so it is there before any network and when all networks are gone.

import type { LinkProperties } from '../sal/link-properties';
import { NetworkAddress } from '../wire/network-address';
import { ReceivedBatch } from '../wire/received-batch';
import { packetCount, packetLength, writePacket } from '../wire/train-cutter';
import { TrainJoiner } from '../wire/train-joiner';
import type { TransmitBatch } from '../wire/transmit-batch';
import { createWireErrorCounters } from '../wire/wire-error';
import type { Link, LinkHandler } from './link';

export class LoopbackLink implements Link {
  readonly properties: LinkProperties = { kind: 'memory', encapsulated: false, role: 'data', mtu: 65_535 };
  readonly port = 0;
  private readonly counters = createWireErrorCounters();
  private readonly joiner = new TrainJoiner(this.counters);
  private handler: LinkHandler | undefined;
  private waiting: ReceivedBatch[] = [];
  private filled = 0;
  private packets = 0;
  private bytes = 0;

  get statistics(): Readonly<Record<string, number>> {
    const { packets, bytes } = this;
    return { ...this.counters, packetsSent: packets, bytesSent: bytes, packetsReceived: packets, bytesReceived: bytes };
  }

  async start(handler: LinkHandler): Promise<void> {
    this.handler = handler;
  }

  transmit(batch: TransmitBatch): boolean {
    if (this.handler === undefined) return true;
    for (let row = 0; row < batch.count; row++) {
      const count = packetCount(batch, row);
      for (let index = 0; index < count; index++) this.append(batch, row, index);
    }
    return true;
  }

  ref(): void {}

  unref(): void {}

  async close(): Promise<void> {
    this.handler = undefined;
    this.waiting = [];
  }

  private append(batch: TransmitBatch, row: number, index: number): void {
    const length = packetLength(batch, row, index);
    const target = this.batchFor(length);
    writePacket(batch, row, index, target.slab, this.filled);
    this.joiner.append(target, SELF, SELF, 0, this.filled, length);
    this.filled += length;
    this.packets++;
    this.bytes += length;
  }

  /** A batch with room for another row and `length` bytes; the first one schedules its delivery. */
  private batchFor(length: number): ReceivedBatch {
    const last = this.waiting[this.waiting.length - 1];
    if (last !== undefined && last.count < last.capacity && this.filled + length <= last.slab.length) return last;
    if (last === undefined) setImmediate(() => this.deliver());
    const batch = new ReceivedBatch(BATCH_ROWS, Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, length)));
    this.waiting.push(batch);
    this.filled = 0;
    return batch;
  }

  private deliver(): void {
    const batches = this.waiting;
    this.waiting = [];
    for (const batch of batches) this.handler?.received(batch);
  }
}

const SELF = NetworkAddress.parse('127.0.0.1')!;
const BATCH_ROWS = 256;
const SLAB_BYTES = 262_144;
