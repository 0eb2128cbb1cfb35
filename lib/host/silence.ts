// Whether the other end of the registry's connection still says something. It counts beats of our own event loop instead
// of measuring time: a process that was held up itself has one late beat, and hears the others before the next.

import { HEARTBEAT_BEATS, HEARTBEAT_INTERVAL } from '../limits';

export class Silence {
  private beats = 0;

  /** Long enough that its event loop must be stuck. */
  get isLong(): boolean {
    return this.beats > HEARTBEAT_BEATS;
  }

  /** A beat in which nothing was heard. True when the silence is long as of this one. */
  beat(): boolean {
    if (this.isLong) return false;
    this.beats++;
    return this.isLong;
  }

  /** Something was heard. True when that ended a long silence. */
  heard(): boolean {
    const wasLong = this.isLong;
    this.beats = 0;
    return wasLong;
  }
}

/** Calls `beat` all the time, and keeps no process alive. */
export function everyBeat(beat: () => void): NodeJS.Timeout {
  return setInterval(beat, HEARTBEAT_INTERVAL).unref();
}
