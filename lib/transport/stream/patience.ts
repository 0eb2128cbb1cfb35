// How long a stream waits for its peer: for room in its window (zero-window probes, RFC 9293 3.8.6.1), for a sign of
// life when nothing is under way (keepalive, 3.8.4), and for progress (user timeout, RFC 5482).

import { KEEP_ALIVE_INTERVAL, KEEP_ALIVE_PROBES, PERSIST_INTERVAL_MAXIMUM, USER_TIMEOUT_DEFAULT } from '../../limits';
import { type Duration, type Instant, NEVER } from '../../time/instant';
import { TimerTable } from '../../time/timer-table';
import type { FlowSchedule } from './flow-schedule';
import type { SendWindow } from './send-window';
import type { StreamTransmitter } from './stream-transmitter';

const Timer = { persist: 0, keepAlive: 1, userTimeout: 2 } as const;
const TIMERS = 3;

export class Patience {
  /** When the peer was heard last, and when it last made progress. */
  receivedAt: Instant = LONG_AGO;
  progressAt: Instant;
  private readonly timers = new TimerTable(TIMERS);
  private keepAliveDelay: Duration | undefined;
  private keepAliveProbes = 0;
  private userTimeout: Duration = USER_TIMEOUT_DEFAULT;
  private persistCount = 0;

  constructor(
    private readonly schedule: FlowSchedule,
    private readonly transmitter: StreamTransmitter,
    private readonly window: SendWindow,
    now: Instant,
  ) {
    this.progressAt = now;
  }

  get nextDeadline(): Instant {
    return this.timers.earliest;
  }

  /** When the peer's silence has lasted long enough to ask for a sign of life. */
  get keepAliveAt(): Instant {
    if (this.keepAliveDelay === undefined) return NEVER;
    return Math.max(this.timers.deadline(Timer.keepAlive), this.receivedAt + this.keepAliveDelay) as Instant;
  }

  /** The peer owes no sign of life that it was asked for. */
  get isContent(): boolean {
    return this.keepAliveProbes === 0;
  }

  /** The first probe at `at`, and from then on after each `delay` of silence; `undefined` for none. */
  setKeepAlive(delay: Duration | undefined, at: Instant): void {
    this.keepAliveDelay = delay;
    this.keepAliveProbes = 0;
    this.timers.arm(Timer.keepAlive, delay === undefined ? NEVER : at);
  }

  setUserTimeout(timeout: Duration): void {
    this.userTimeout = timeout;
    this.armUserTimeout();
  }

  handleReceived(now: Instant): void {
    this.receivedAt = now;
    this.keepAliveProbes = 0;
  }

  /** §4.4: the path is another one, and nothing that was waited for on the old one counts. */
  pathChanged(now: Instant): void {
    this.progressAt = now;
    this.persistCount = 0;
    if (this.timers.isArmed(Timer.persist)) this.timers.arm(Timer.persist, now);
    if (this.timers.isArmed(Timer.keepAlive)) this.timers.arm(Timer.keepAlive, Math.max(this.keepAliveAt, now));
    this.armUserTimeout();
  }

  /** The peer has room, or `isOpen` says that what was sent has not used it up. */
  handleRoom(isOpen: boolean): void {
    if (!isOpen) return;
    this.persistCount = 0;
    this.timers.disarm(Timer.persist);
  }

  /** A turn's segments have left; `more` could at once. */
  handleTransmitted(more: boolean, now: Instant): void {
    if (!more) this.armPersist(now);
    this.armUserTimeout();
  }

  /** False when patience is at its end. `isOver`: both ends have said all, and whoever is silent need not answer. */
  handleDeadline(isOver: boolean, now: Instant): boolean {
    const { timers } = this;
    if (timers.expire(Timer.userTimeout, now) && !this.hasProgressed(now)) return false;
    if (timers.expire(Timer.persist, now)) this.probeWindow();
    return !timers.expire(Timer.keepAlive, now) || isOver || this.askForLife(now);
  }

  clear(): void {
    this.timers.clear();
  }

  private get isWaiting(): boolean {
    return !this.schedule.isEmpty || this.transmitter.unsent > 0;
  }

  /** Nothing is under way and something waits: only the peer's window can be the reason. */
  private armPersist(now: Instant): void {
    if (!this.schedule.isEmpty || this.transmitter.unsent <= 0 || this.timers.isArmed(Timer.persist)) return;
    const wait = this.schedule.fastest.roundTrip.timeout * 2 ** this.persistCount;
    this.timers.arm(Timer.persist, now + Math.min(wait, PERSIST_INTERVAL_MAXIMUM));
  }

  private probeWindow(): void {
    const { transmitter } = this;
    if (!this.schedule.isEmpty || transmitter.unsent <= 0) return;
    this.persistCount = Math.min(this.persistCount + 1, PERSIST_BACKOFF_MAXIMUM);
    if (this.window.edge > transmitter.next) transmitter.isOverridden = true;
    else transmitter.isProbeDue = true;
  }

  private askForLife(now: Instant): boolean {
    if (this.keepAliveDelay === undefined) return true;
    // Sums compare as they were armed; a difference may be rounded below the delay, and never reach it.
    const isEarly = now < this.receivedAt + this.keepAliveDelay;
    // With data under way the retransmission timer asks the same question.
    if (!this.schedule.isEmpty || isEarly) {
      const from = this.schedule.isEmpty ? this.receivedAt : now;
      this.timers.arm(Timer.keepAlive, from + this.keepAliveDelay);
      return true;
    }
    if (this.keepAliveProbes >= KEEP_ALIVE_PROBES) return false;
    this.keepAliveProbes++;
    this.transmitter.isProbeDue = true;
    this.timers.arm(Timer.keepAlive, now + Math.min(KEEP_ALIVE_INTERVAL, this.keepAliveDelay));
    return true;
  }

  private armUserTimeout(): void {
    if (this.isWaiting) this.timers.arm(Timer.userTimeout, this.progressAt + this.userTimeout);
    else this.timers.disarm(Timer.userTimeout);
  }

  private hasProgressed(now: Instant): boolean {
    if (this.isWaiting && now >= this.progressAt + this.userTimeout) return false;
    this.armUserTimeout();
    return true;
  }
}

const PERSIST_BACKOFF_MAXIMUM = 16;
const LONG_AGO = Number.NEGATIVE_INFINITY as Instant;
