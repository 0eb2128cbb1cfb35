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

/** A SYN or FIN that was sent and not yet acknowledged; most of the time there is none. */
class Outstanding {
  transmissions = 0;
  /** Transmissions that nobody answered in time: the timeout doubles with each. */
  backoffs = 0;
  isHastened = false;
  sentAt: Instant = NEVER;
  deadline: Instant = NEVER;

  constructor(readonly sequence: ControlSequence) {}
}

export class ControlChannel {
  private outstanding: Outstanding | undefined;
  private roundTripTime: Duration | undefined;
  // As signed integers, which V8 keeps in place; half of all unsigned ones would be objects.
  private unacknowledged: number;
  private next: number;
  private expected = 0;

  constructor(initialSequence: number) {
    this.unacknowledged = initialSequence | 0;
    this.next = initialSequence | 0;
  }

  /** Oldest control sequence number not acknowledged. */
  get sendUnacknowledged(): ControlSequence {
    return controlSequence(this.unacknowledged);
  }

  /** The number the next consuming control packet gets. */
  get sendNext(): ControlSequence {
    return controlSequence(this.next);
  }

  /** The number expected from the peer next; the `controlAck` of everything we send. */
  get receiveNext(): ControlSequence {
    return controlSequence(this.expected);
  }

  get isOutstanding(): boolean {
    return this.outstanding !== undefined;
  }

  /** The number of the SYN or FIN that is outstanding; the next one when there is none. */
  get outstandingSequence(): ControlSequence {
    return this.outstanding?.sequence ?? this.sendNext;
  }

  /** When the outstanding control packet is to be sent again. */
  get deadline(): Instant {
    return this.outstanding?.deadline ?? NEVER;
  }

  /** Takes a number for a SYN or FIN that is sent now, and starts its timer. */
  consume(now: Instant): ControlSequence {
    const sequence = this.reserve();
    this.outstanding = new Outstanding(sequence);
    this.noteTransmission(now);
    return sequence;
  }

  /**
   * Takes a number for a RSYN, whose sender repeats it. With `skip` it is one that nobody can guess who has not
   * received it: gaps are accepted (wire format §5), so that any number can be a challenge.
   */
  reserve(skip = 0): ControlSequence {
    const sequence = controlSequence(this.next + skip);
    this.next = (sequence + 1) | 0;
    return sequence;
  }

  /** Arms the timer for the outstanding packet that is (again) sent now: exponential backoff. */
  noteTransmission(now: Instant): void {
    const { outstanding } = this;
    if (outstanding === undefined) return;
    outstanding.sentAt = now;
    if (outstanding.transmissions > 0 && !outstanding.isHastened) outstanding.backoffs++;
    outstanding.isHastened = false;
    outstanding.transmissions++;
    const backoff = Math.min(this.timeout * 2 ** outstanding.backoffs, CONTROL_TIMEOUT_MAXIMUM);
    outstanding.deadline = after(now, milliseconds(backoff));
  }

  /** Brings the next retransmission forward. It is no sign of congestion, and the timeout does not double. */
  hasten(at: Instant): void {
    const { outstanding } = this;
    if (outstanding === undefined || at >= outstanding.deadline) return;
    outstanding.deadline = at;
    outstanding.isHastened = true;
  }

  /** The same, to when the peer will have been silent for so long. */
  hastenAfter(silence: Duration, now: Instant): void {
    const { sentAt = NEVER } = this.outstanding ?? {};
    this.hasten(Math.max(now, after(sentAt, silence)) as Instant);
  }

  /** Whether the retransmission that is due was brought forward, and says nothing of the peer. */
  get isHastened(): boolean {
    return this.outstanding?.isHastened === true;
  }

  /** It travels with other packets for now. */
  postpone(to: Instant): void {
    if (this.outstanding !== undefined) this.outstanding.deadline = to;
  }

  /** Whether the peer has been silent for as many transmissions as are allowed. */
  get isExhausted(): boolean {
    return this.outstanding !== undefined && this.outstanding.transmissions >= CONTROL_TRANSMISSIONS_MAXIMUM;
  }

  /** Takes a `controlAck`; true when it acknowledged the SYN or FIN outstanding. Beyond `sendNext` it is ignored. */
  acknowledge(controlAck: ControlSequence, now: Instant): boolean {
    if (!isBefore(this.sendUnacknowledged, controlAck) || !isAtOrBefore(controlAck, this.sendNext)) return false;
    // Karn: only a packet sent once tells the round trip.
    const { outstanding } = this;
    this.unacknowledged = controlAck | 0;
    if (outstanding === undefined || !isBefore(outstanding.sequence, controlAck)) return false;
    if (outstanding.transmissions === 1) this.roundTripTime = milliseconds(Math.max(now - outstanding.sentAt, 0));
    this.outstanding = undefined;
    return true;
  }

  /** Whether a control sequence number is new; gaps are accepted, as the original does. */
  isNew(sequence: ControlSequence): boolean {
    return isAtOrBefore(this.receiveNext, sequence);
  }

  /** The peer used up `sequence` with a SYN, RSYN or FIN. */
  handleConsumed(sequence: ControlSequence): void {
    this.expected = (sequence + 1) | 0;
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

  /** Nothing is sent again. */
  stop(): void {
    if (this.outstanding !== undefined) this.outstanding.deadline = NEVER;
  }
}
