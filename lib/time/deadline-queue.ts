// Which of many owners has to be called next: a binary heap of owners by deadline. What an owner then does,
// and which of its timers is meant, is its own matter (TimerTable).

import { type Instant, NEVER } from './instant';

/** The place of an owner in the one queue it may stand in. Written by the queue alone. */
export interface HasQueuePosition {
  /** Start with NOT_QUEUED. */
  queuePosition: number;
}

export const NOT_QUEUED = -1;

/**
 * Owners by deadline, equal deadlines in the order in which they were set: a simulation must not depend on
 * the shape of a heap. Moving the deadline of an owner costs O(log n) and no memory.
 */
export class DeadlineQueue<Owner extends HasQueuePosition> {
  // Three columns by heap position: arrays of doubles hold their numbers unboxed.
  private readonly owners: Owner[] = [];
  private readonly deadlines: number[] = [];
  private readonly turns: number[] = [];
  private lastTurn = 0;

  get size(): number {
    return this.owners.length;
  }

  has(owner: Owner): boolean {
    return this.owners[owner.queuePosition] === owner;
  }

  /** The owner's deadline; NEVER when it is not queued. */
  at(owner: Owner): Instant {
    return this.has(owner) ? (this.deadlines[owner.queuePosition] as Instant) : NEVER;
  }

  /** The earliest deadline; NEVER when the queue is empty. */
  next(): Instant {
    return this.deadlines.length === 0 ? NEVER : (this.deadlines[0] as Instant);
  }

  /**
   * Queues the owner, or moves it. `NEVER` removes it. An owner that is set to the deadline it already has
   * keeps its turn; any other change puts it behind those of equal deadline.
   */
  set(owner: Owner, at: Instant): void {
    if (Number.isNaN(at)) throw new RangeError('a deadline must be a number');
    if (at === NEVER) {
      this.remove(owner);
      return;
    }
    if (!this.has(owner)) {
      this.place(owner, at, ++this.lastTurn, this.owners.length);
      this.rise(owner.queuePosition);
      return;
    }
    const position = owner.queuePosition;
    const before = this.deadlines[position]!;
    if (at === before) return;
    this.place(owner, at, ++this.lastTurn, position);
    if (at < before) this.rise(position);
    else this.sink(position);
  }

  /**
   * Queues the owner, or moves it forward; a later deadline is left to the one it has. Most deadlines are moved away
   * before they come, again and again: whoever is popped and has another one by then sets that.
   */
  hasten(owner: Owner, at: Instant): void {
    const position = owner.queuePosition;
    if (position === NOT_QUEUED || at < this.deadlines[position]!) this.set(owner, at);
  }

  remove(owner: Owner): void {
    if (!this.has(owner)) return;
    const position = owner.queuePosition;
    owner.queuePosition = NOT_QUEUED;
    const last = this.owners.pop()!;
    const deadline = this.deadlines.pop()!;
    const turn = this.turns.pop()!;
    if (last === owner) return;
    this.place(last, deadline, turn, position);
    this.rise(position);
    this.sink(last.queuePosition);
  }

  /** Takes out the owner that comes first, if its deadline has come. Call until `undefined`. */
  popDue(now: Instant): Owner | undefined {
    if (this.deadlines.length === 0 || this.deadlines[0]! > now) return undefined;
    const owner = this.owners[0]!;
    this.remove(owner);
    return owner;
  }

  private rise(from: number): void {
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.goesBefore(position, parent)) return;
      this.swap(position, parent);
      position = parent;
    }
  }

  private sink(from: number): void {
    let position = from;
    for (;;) {
      let first = 2 * position + 1;
      if (first >= this.owners.length) return;
      if (first + 1 < this.owners.length && this.goesBefore(first + 1, first)) first++;
      if (!this.goesBefore(first, position)) return;
      this.swap(first, position);
      position = first;
    }
  }

  private goesBefore(a: number, b: number): boolean {
    const difference = this.deadlines[a]! - this.deadlines[b]!;
    return difference < 0 || (difference === 0 && this.turns[a]! < this.turns[b]!);
  }

  private swap(a: number, b: number): void {
    const owner = this.owners[a]!;
    const deadline = this.deadlines[a]!;
    const turn = this.turns[a]!;
    this.place(this.owners[b]!, this.deadlines[b]!, this.turns[b]!, a);
    this.place(owner, deadline, turn, b);
  }

  private place(owner: Owner, deadline: number, turn: number, position: number): void {
    this.owners[position] = owner;
    this.deadlines[position] = deadline;
    this.turns[position] = turn;
    owner.queuePosition = position;
  }
}
