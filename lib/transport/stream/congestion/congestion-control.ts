// How much one flow may have in the network: the interface that algorithms implement. An algorithm sees
// bytes, times and events; which bytes were lost, and what is sent in recovery, is others' work.

import { CONGESTION_WINDOW_MAXIMUM, INITIAL_WINDOW_SEGMENTS } from '../../../limits';
import type { Instant } from '../../../time/instant';
import type { RandomSource } from '../../../time/random-source';

/** One acknowledgment as an algorithm sees it. The object is used again; keep nothing of it. */
export interface AcknowledgmentSample {
  readonly now: Instant;
  /** Bytes newly known to be with the peer. */
  readonly delivered: number;
  /** Milliseconds; -1 when this acknowledgment gives no sample. */
  readonly roundTrip: number;
  /** Smoothed round trip, milliseconds; -1 before the first sample. */
  readonly smoothedRoundTrip: number;
  /** Positions: everything before the first is acknowledged, everything before the second was sent. */
  readonly acknowledged: number;
  readonly next: number;
  /** Whether the window was what held the sender back; growth is earned by use only (RFC 9293, RFC 7661). */
  readonly limited: boolean;
}

/** One to be filled, again and again. */
export function emptySample(): { -readonly [Key in keyof AcknowledgmentSample]: AcknowledgmentSample[Key] } {
  return {
    now: 0 as Instant,
    delivered: 0,
    roundTrip: -1,
    smoothedRoundTrip: -1,
    acknowledged: 0,
    next: 0,
    limited: false,
  };
}

export interface CongestionControl {
  readonly name: string;
  /** Bytes. */
  readonly window: number;
  readonly slowStartThreshold: number;
  /** Data arrived, outside of recovery. */
  handleAcknowledgment(sample: AcknowledgmentSample): void;
  /** A loss was detected: sets the threshold, to which recovery brings the window down. */
  handleLoss(inFlight: number, now: Instant): void;
  /** Recovery ended: the window becomes the threshold. */
  handleRecoveryEnd(now: Instant): void;
  /** The retransmission timer fired; `first` unless it did so before without progress. */
  handleTimeout(inFlight: number, first: boolean, now: Instant): void;
  /** The last reduction was a mistake: nothing had been lost. */
  undo(now: Instant): void;
  /** Nothing was sent for longer than the retransmission timeout: the window is stale (RFC 5681 4.1). */
  handleIdle(now: Instant): void;
  /** Another path: nothing learned on the old one holds (§4.4). */
  restart(now: Instant): void;
  /** Payload of a segment from now on. */
  setSegmentSize(size: number): void;
}

/** `random` is for algorithms that spread their probing; the two here need none. */
export type CongestionControlFactory = (segmentSize: number, random: RandomSource | undefined) => CongestionControl;

/** RFC 6928, for segments of any size: ten, but no more than the larger of two and 14,600 bytes. */
export function initialWindow(segmentSize: number): number {
  return Math.min(INITIAL_WINDOW_SEGMENTS * segmentSize, Math.max(2 * segmentSize, 14_600));
}

export function boundedWindow(window: number, segmentSize: number): number {
  return Math.min(Math.max(window, segmentSize), CONGESTION_WINDOW_MAXIMUM);
}
