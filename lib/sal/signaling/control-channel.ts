// The numbering and timing of one flow's control packets (§4.4): they have their own sequence space, apart
// from the data stream, and are sent stop-and-wait. What a packet means stands elsewhere.

import {
  CONTROL_TIMEOUT_INITIAL,
  CONTROL_TIMEOUT_MAXIMUM,
  CONTROL_TIMEOUT_MINIMUM,
  CONTROL_TRANSMISSIONS_MAXIMUM,
} from '../../limits';
import { after, type Duration, type Instant, milliseconds, NEVER } from '../../time/instant';
import { type ControlSequence, controlSequence } from '../../wire/control-extension';
import { isAtOrBefore, isBefore } from '../../wire/serial-number';

export class ControlChannel {
  /** Oldest control sequence number not acknowledged. */
  sendUnacknowledged: ControlSequence;
  /** The number the next consuming control packet gets. */
  sendNext: ControlSequence;
  /** The number expected from the peer next; the `controlAck` of everything we send. */
  receiveNext = controlSequence(0);
  private roundTripTime: Duration | undefined;
  private transmissions = 0;
  /** Transmissions that nobody answered in time: the timeout doubles with each. */
  private backoffs = 0;
  private isHastened = false;
  private sentAt: Instant = NEVER;
  /** When the outstanding control packet is to be sent again. */
  deadline: Instant = NEVER;

  constructor(initialSequence: number) {
    this.sendUnacknowledged = controlSequence(initialSequence);
    this.sendNext = controlSequence(initialSequence);
  }

  get isOutstanding(): boolean {
    return this.sendUnacknowledged !== this.sendNext;
  }

  /** Takes a number for a SYN, RSYN or FIN that is sent now, and starts its timer. */
  consume(now: Instant): ControlSequence {
    const sequence = this.sendNext;
    this.sendNext = controlSequence(sequence + 1);
    this.transmissions = 0;
    this.backoffs = 0;
    this.noteTransmission(now);
    return sequence;
  }

  /** Arms the timer for the outstanding packet that is (again) sent now: exponential backoff. */
  noteTransmission(now: Instant): void {
    this.sentAt = now;
    if (this.transmissions > 0 && !this.isHastened) this.backoffs++;
    this.isHastened = false;
    this.transmissions++;
    const backoff = Math.min(this.timeout * 2 ** this.backoffs, CONTROL_TIMEOUT_MAXIMUM);
    this.deadline = after(now, milliseconds(backoff));
  }

  /** Brings the next retransmission forward. It is no sign of congestion, and the timeout does not double. */
  hasten(at: Instant): void {
    if (at >= this.deadline) return;
    this.deadline = at;
    this.isHastened = true;
  }

  /** Whether the peer has been silent for as many transmissions as are allowed. */
  get isExhausted(): boolean {
    return this.transmissions >= CONTROL_TRANSMISSIONS_MAXIMUM;
  }

  /** Takes a `controlAck`; true when it acknowledged what was outstanding. Beyond `sendNext` it is ignored. */
  acknowledge(controlAck: ControlSequence, now: Instant): boolean {
    if (!isBefore(this.sendUnacknowledged, controlAck) || !isAtOrBefore(controlAck, this.sendNext)) return false;
    // Karn: only a packet sent once tells the round trip.
    if (this.transmissions === 1) this.roundTripTime = milliseconds(Math.max(now - this.sentAt, 0));
    this.sendUnacknowledged = controlAck;
    if (!this.isOutstanding) this.deadline = NEVER;
    return true;
  }

  /** Whether a control sequence number is new; gaps are accepted, as the original does. */
  isNew(sequence: ControlSequence): boolean {
    return isAtOrBefore(this.receiveNext, sequence);
  }

  /** The peer used up `sequence` with a SYN, RSYN or FIN. */
  handleConsumed(sequence: ControlSequence): void {
    this.receiveNext = controlSequence(sequence + 1);
  }

  /** Retransmission timeout, RFC 6298 in the simplest form: three round trips, bounded. */
  get timeout(): Duration {
    if (this.roundTripTime === undefined) return CONTROL_TIMEOUT_INITIAL;
    return milliseconds(Math.max(this.roundTripTime * 3, CONTROL_TIMEOUT_MINIMUM));
  }

  /** The transport measures all the time, and this channel once, perhaps across a lost packet. */
  adoptRoundTripTime(roundTripTime: Duration): void {
    this.roundTripTime = roundTripTime;
  }

  get measuredRoundTripTime(): Duration | undefined {
    return this.roundTripTime;
  }

  stop(): void {
    this.deadline = NEVER;
  }
}
