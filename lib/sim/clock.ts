// Virtual time: a queue of events that happen at an instant, and in the order in which they were scheduled
// where the instant is the same. Nothing here waits; time jumps from event to event.

import { after, type Duration, type Instant } from '../time/instant';

/** Something that will happen, unless cancelled. */
export interface ScheduledEvent {
  readonly at: Instant;
  cancel(): void;
}

export class SimulatedClock {
  /** A binary heap, ordered by instant and then by serial. */
  private readonly heap: QueuedEvent[] = [];
  private serial = 0;
  private live = 0;
  private current: Instant;

  constructor(start: Instant = 0 as Instant) {
    this.current = start;
  }

  now(): Instant {
    return this.current;
  }

  /** Events that wait, cancelled ones not counted. */
  get pending(): number {
    return this.live;
  }

  /** Runs `action` at `at`, or as the next thing of this instant when `at` is past. */
  schedule(at: Instant, action: () => void): ScheduledEvent {
    const event = new QueuedEvent(at < this.current ? this.current : at, this.serial++, action, () => this.live--);
    this.live++;
    this.heap.push(event);
    this.siftUp(this.heap.length - 1);
    return event;
  }

  scheduleAfter(delay: Duration, action: () => void): ScheduledEvent {
    return this.schedule(after(this.current, delay), action);
  }

  /** When the next event happens; `undefined` when nothing is left. */
  nextAt(): Instant | undefined {
    while (this.heap.length > 0 && this.heap[0]!.action === undefined) this.popHead();
    return this.heap[0]?.at;
  }

  /** Takes time to the next event and runs it. Returns false when nothing is left. */
  step(): boolean {
    if (this.nextAt() === undefined) return false;
    const event = this.popHead();
    this.current = event.at;
    const action = event.action!;
    event.cancel();
    action();
    return true;
  }

  /** Takes time to `instant`, where nothing happens in between. */
  advanceTo(instant: Instant): void {
    const next = this.nextAt();
    if (next !== undefined && next < instant)
      throw new Error(`cannot skip the event at ${next} on the way to ${instant}`);
    if (instant > this.current) this.current = instant;
  }

  private popHead(): QueuedEvent {
    const head = this.heap[0]!;
    const last = this.heap.pop()!;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.siftDown();
    }
    return head;
  }

  private siftUp(index: number): void {
    const { heap } = this;
    const event = heap[index]!;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!event.isBefore(heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  private siftDown(): void {
    const { heap } = this;
    const event = heap[0]!;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.isBefore(heap[child]!)) child++;
      if (!heap[child]!.isBefore(event)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = event;
  }
}

class QueuedEvent implements ScheduledEvent {
  constructor(
    readonly at: Instant,
    private readonly serial: number,
    public action: (() => void) | undefined,
    private readonly settled: () => void,
  ) {}

  cancel(): void {
    if (this.action === undefined) return;
    this.action = undefined;
    this.settled();
  }

  isBefore(other: QueuedEvent): boolean {
    return this.at < other.at || (this.at === other.at && this.serial < other.serial);
  }
}
