// The deadlines of one owner, one numbered row each: a connection's retransmission, delayed acknowledgment, keepalive.
// It only remembers instants. Who wakes the owner at `earliest` is the DeadlineQueue's part, and the driver's.

import { type Instant, NEVER } from './instant';

/**
 * Arming and asking cost nothing. An array of doubles, which V8 keeps unboxed in a third of the memory of a small
 * Float64Array. A deadline that has passed stays until its owner disarms or arms it again.
 */
export class TimerTable {
  private readonly deadlines: number[];

  constructor(rows: number) {
    this.deadlines = new Array<number>(rows).fill(NEVER);
  }

  arm(row: number, at: number): void {
    this.deadlines[row] = at;
  }

  disarm(row: number): void {
    this.deadlines[row] = NEVER;
  }

  isArmed(row: number): boolean {
    return this.deadlines[row] !== NEVER;
  }

  /** NEVER when the row is not armed. */
  deadline(row: number): Instant {
    return this.deadlines[row] as Instant;
  }

  /** Whether the row was due at `now`; it is disarmed then. */
  expire(row: number, now: Instant): boolean {
    if (this.deadlines[row]! > now) return false;
    this.deadlines[row] = NEVER;
    return true;
  }

  get earliest(): Instant {
    let earliest: number = NEVER;
    for (let row = 0; row < this.deadlines.length; row++) {
      if (this.deadlines[row]! < earliest) earliest = this.deadlines[row]!;
    }
    return earliest as Instant;
  }

  clear(): void {
    this.deadlines.fill(NEVER);
  }
}
