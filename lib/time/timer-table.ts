// The deadlines of one owner as named rows: a connection's retransmission, delayed acknowledgment, keepalive.
// It only remembers instants. Who wakes the owner at `next()` is the DeadlineQueue's part, and the driver's.

import { type Instant, NEVER } from './instant';

/**
 * One table stands in every connection, so it is lean: an array of doubles, which V8 keeps unboxed in half the
 * memory of a small Float64Array (120 against 270 bytes for eight rows), beside names that all tables share.
 */
export class TimerTable<const Name extends string> {
  private readonly deadlines: number[];

  /** `names` is kept, not copied: pass one constant tuple for all tables of a kind. */
  constructor(private readonly names: readonly Name[]) {
    this.deadlines = new Array<number>(names.length).fill(NEVER);
  }

  /** When the row comes due; NEVER when it is clear. */
  at(name: Name): Instant {
    return this.deadlines[this.row(name)]! as Instant;
  }

  isSet(name: Name): boolean {
    return this.deadlines[this.row(name)] !== NEVER;
  }

  /** The earliest deadline of all rows; NEVER when all are clear. */
  next(): Instant {
    let earliest: number = NEVER;
    for (let row = 0; row < this.deadlines.length; row++) {
      if (this.deadlines[row]! < earliest) earliest = this.deadlines[row]!;
    }
    return earliest as Instant;
  }

  isDue(name: Name, now: Instant): boolean {
    return this.deadlines[this.row(name)]! <= now;
  }

  /** Arms the row, or moves it. `NEVER` clears it. */
  set(name: Name, at: Instant): void {
    if (Number.isNaN(at)) throw new RangeError(`deadline of '${name}' is not a number`);
    this.deadlines[this.row(name)] = at;
  }

  /** Arms the row unless it comes due earlier anyway. */
  setEarlier(name: Name, at: Instant): void {
    if (at < this.at(name)) this.set(name, at);
  }

  clear(name: Name): void {
    this.deadlines[this.row(name)] = NEVER;
  }

  clearAll(): void {
    this.deadlines.fill(NEVER);
  }

  /** Takes the earliest row that is due, and clears it. Call until `undefined`. Equal deadlines go by row. */
  expire(now: Instant): Name | undefined {
    let earliest = -1;
    for (let row = 0; row < this.deadlines.length; row++) {
      const at = this.deadlines[row]!;
      if (at <= now && (earliest < 0 || at < this.deadlines[earliest]!)) earliest = row;
    }
    if (earliest < 0) return undefined;
    this.deadlines[earliest] = NEVER;
    return this.names[earliest];
  }

  /** A handful of constant strings: comparing them is comparing pointers, and cheaper than a map. */
  private row(name: Name): number {
    const row = this.names.indexOf(name);
    if (row < 0) throw new RangeError(`no timer is named '${name}'`);
    return row;
  }
}
