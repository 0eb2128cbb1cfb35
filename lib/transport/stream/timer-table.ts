// The deadlines of one part, one named row each: a column of instants, so that arming and asking for the
// earliest cost nothing. A deadline that has passed stays until its owner disarms or arms it again.

import { type Instant, NEVER } from '../../time/instant';

export class TimerTable {
  private readonly deadlines: Float64Array;

  constructor(rows: number) {
    this.deadlines = new Float64Array(rows).fill(NEVER);
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
