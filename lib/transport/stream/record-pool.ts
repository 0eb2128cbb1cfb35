// Storage for the records of sent trains of all streams: columns of numbers and a free list, so that the
// data path makes no object and an idle connection costs nothing. `Scoreboard` links the records.

export const NO_RECORD = -1;

/** Bits of `flags`. */
export const RecordFlag = {
  /** The peer reported it (SACK). */
  selected: 1,
  /** Counts as lost and waits to be sent again. */
  lost: 2,
  /** Was sent more than once: gives no round-trip sample (Karn). */
  retransmitted: 4,
  /** Tries a larger packet size (RFC 8899): its loss says nothing of congestion. */
  probe: 8,
} as const;

export class RecordPool {
  /** Position in the stream: first byte, and behind the last. */
  start = new Float64Array(0);
  end = new Float64Array(0);
  /** Instant of the last transmission. */
  sentAt = new Float64Array(0);
  next = new Int32Array(0);
  previous = new Int32Array(0);
  /** Payload of each packet that the train was cut into. */
  segmentSize = new Int32Array(0);
  flags = new Uint8Array(0);
  private firstFree = NO_RECORD;
  private inUse = 0;

  get used(): number {
    return this.inUse;
  }

  allocate(): number {
    if (this.firstFree === NO_RECORD) this.grow();
    const index = this.firstFree;
    this.firstFree = this.next[index]!;
    this.inUse++;
    return index;
  }

  free(index: number): void {
    this.next[index] = this.firstFree;
    this.firstFree = index;
    this.inUse--;
  }

  private grow(): void {
    const before = this.next.length;
    const capacity = Math.max(64, before * 2);
    this.start = enlarged(this.start, new Float64Array(capacity));
    this.end = enlarged(this.end, new Float64Array(capacity));
    this.sentAt = enlarged(this.sentAt, new Float64Array(capacity));
    this.next = enlarged(this.next, new Int32Array(capacity));
    this.previous = enlarged(this.previous, new Int32Array(capacity));
    this.segmentSize = enlarged(this.segmentSize, new Int32Array(capacity));
    this.flags = enlarged(this.flags, new Uint8Array(capacity));
    for (let index = capacity - 1; index >= before; index--) {
      this.next[index] = this.firstFree;
      this.firstFree = index;
    }
  }
}

function enlarged<Column extends Float64Array | Int32Array | Uint8Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
