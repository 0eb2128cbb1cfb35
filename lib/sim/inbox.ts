// The receive half of a simulated socket: packets that arrive at one instant become one burst, joined to
// trains as a real link joins them. The slab is spoiled after each burst, so that whoever kept a view of it
// without taking it is found out.

import type { NetworkAddress } from '../wire/network-address';
import { ReceivedBatch, RowFlag } from '../wire/received-batch';
import { TrainJoiner } from '../wire/train-joiner';
import { createWireErrorCounters } from '../wire/wire-error';
import type { SimulatedClock } from './clock';

export interface Arrival {
  readonly bytes: Uint8Array;
  readonly source: NetworkAddress;
  readonly local: NetworkAddress;
  readonly broadcast: boolean;
}

export class Inbox {
  readonly errors = createWireErrorCounters();
  private readonly joiner = new TrainJoiner(this.errors);
  private readonly batch = new ReceivedBatch(BATCH_ROWS, Buffer.alloc(SLAB_BYTES));
  private arrivals: Arrival[] = [];
  private isHeld = false;
  /** How much of the slab the present burst fills. */
  private end = 0;

  constructor(
    private readonly clock: SimulatedClock,
    private readonly received: (batch: ReceivedBatch) => void,
  ) {}

  /** False when the socket's buffer is full. */
  offer(arrival: Arrival): boolean {
    if (this.arrivals.length >= SOCKET_BUFFER_PACKETS) return false;
    this.arrivals.push(arrival);
    // Behind what else arrives at this instant: one burst.
    if (this.arrivals.length === 1) this.scheduleDelivery();
    return true;
  }

  /** Nobody reads the socket: what arrives waits in its buffer. */
  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    if (this.arrivals.length > 0) this.scheduleDelivery();
  }

  clear(): void {
    this.arrivals = [];
  }

  private scheduleDelivery(): void {
    this.clock.schedule(this.clock.now(), () => this.deliver());
  }

  private deliver(): void {
    if (this.isHeld) return;
    const arrivals = this.arrivals;
    this.arrivals = [];
    for (let next = 0; next < arrivals.length; ) {
      next = this.fill(arrivals, next);
      this.received(this.batch);
      this.recycle();
    }
  }

  /** Puts arrivals into the batch from `next` on, as many as it takes, and returns the first left out. */
  private fill(arrivals: readonly Arrival[], next: number): number {
    const { batch } = this;
    this.end = 0;
    while (next < arrivals.length && batch.count < batch.capacity) {
      const { bytes, source, local, broadcast } = arrivals[next]!;
      if (this.end + bytes.length > batch.slab.length) break;
      batch.slab.set(bytes, this.end);
      this.joiner.append(batch, source, local, broadcast ? RowFlag.broadcast : 0, this.end, bytes.length);
      this.end += bytes.length;
      next++;
    }
    return next;
  }

  private recycle(): void {
    const { batch } = this;
    if (batch.retainedEnd > 0) batch.slab = Buffer.alloc(SLAB_BYTES);
    else batch.slab.fill(SPOILED, 0, this.end);
    batch.reset();
  }
}

const BATCH_ROWS = 64;
const SLAB_BYTES = 131_072;
const SPOILED = 0xdd;
/** About what fits the default receive buffer of a Linux socket when packets are full. */
const SOCKET_BUFFER_PACKETS = 2048;
