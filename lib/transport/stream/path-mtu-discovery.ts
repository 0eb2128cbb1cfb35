// How large a packet the path carries (RFC 8899), searched with segments of real data: one probe at a time,
// the largest size first, then halving. A timeout may be a black hole, so it falls back to the base at once.

import {
  PATH_PROBES_MAXIMUM,
  PATH_RAISE_INTERVAL,
  PATH_SEARCH_GRAIN,
  PATH_SIZE_MINIMUM,
  SEGMENT_BYTES_MAXIMUM,
  SEGMENT_BYTES_MINIMUM,
} from '../../limits';
import type { Instant } from '../../time/instant';
import { TCP_HEADER_BYTES } from '../../wire/tcp-header';
import type { PathSize } from '../transport';

/** Sizes are bytes behind the SAL header, as in `PathSize`; segment sizes are payload. */
export class PathMtuDiscovery {
  /** The size that is used: PLPMTU. */
  private size = 0;
  private base = 0;
  private maximum = 0;
  /** The search goes on in (size, ceiling]. */
  private ceiling = 0;
  private candidate = 0;
  private probes = 0;
  private isOutstanding = false;
  private raiseAt = 0;
  /** Timeouts since a packet of the present size was acknowledged. */
  private timeouts = 0;

  /** `peerMaximumSegment` is the peer's MSS: no segment is larger, whatever the path carries. */
  constructor(path: PathSize, peerMaximumSegment: number, now: Instant) {
    this.restart(path, peerMaximumSegment, now);
  }

  /** Another path: nothing found on the old one holds (§4.4). */
  restart(path: PathSize, peerMaximumSegment: number, now: Instant): void {
    const limit = Math.min(peerMaximumSegment, SEGMENT_BYTES_MAXIMUM) + TCP_HEADER_BYTES;
    this.maximum = Math.max(Math.min(path.maximum, limit), SEGMENT_BYTES_MINIMUM + TCP_HEADER_BYTES);
    this.base = Math.min(path.base, this.maximum);
    this.size = this.base;
    this.timeouts = 0;
    this.startSearch(this.maximum, now);
  }

  /** Payload of a full segment. */
  get segmentSize(): number {
    return this.size - TCP_HEADER_BYTES;
  }

  /** Payload of the probe to send now; 0 when there is nothing to probe. */
  probeSegment(now: Instant): number {
    if (this.isOutstanding) return 0;
    if (this.candidate <= this.size) {
      if (now < this.raiseAt || this.size >= this.maximum) return 0;
      this.startSearch(this.maximum, now);
    }
    return this.candidate - TCP_HEADER_BYTES;
  }

  handleProbeSent(): void {
    this.isOutstanding = true;
    this.probes++;
  }

  /** A probe with this payload was acknowledged. True when the segment size grew. */
  handleProbeArrived(segment: number, now: Instant): boolean {
    this.isOutstanding = false;
    this.timeouts = 0;
    const arrived = segment + TCP_HEADER_BYTES;
    if (arrived <= this.size || arrived > this.maximum) return false;
    this.size = arrived;
    this.nextCandidate(now);
    return true;
  }

  handleProbeLost(now: Instant): void {
    if (!this.isOutstanding) return;
    this.isOutstanding = false;
    if (this.probes < PATH_PROBES_MAXIMUM) return;
    this.ceiling = this.candidate - 1;
    this.nextCandidate(now);
  }

  /** Bytes sent in packets of the present size arrived. */
  handleArrived(): void {
    this.timeouts = 0;
  }

  /**
   * The retransmission timer fired. Larger packets may vanish without a word, so go on with the base, and
   * below it when that does not help. True when the segment size changed.
   */
  handleTimeout(now: Instant): boolean {
    this.isOutstanding = false;
    this.timeouts++;
    if (this.size > this.base) {
      this.ceiling = Math.max(this.size, this.base);
      this.size = this.base;
      this.startSearch(this.ceiling, now);
      return true;
    }
    const least = Math.min(PATH_SIZE_MINIMUM, this.base);
    if (this.timeouts < 2 || this.size <= least) return false;
    this.size = least;
    this.startSearch(this.base, now);
    return true;
  }

  /** The network says that packets may have `size` bytes. True when the segment size changed. */
  packetTooBig(size: number, now: Instant): boolean {
    const least = Math.min(PATH_SIZE_MINIMUM, this.base);
    if (size < least || size >= this.maximum) return false;
    // Not below what was acknowledged, unless that does not arrive any more either.
    if (size >= this.size) {
      if (this.candidate > size) this.narrow(size, now);
      return false;
    }
    this.size = size;
    this.base = Math.min(this.base, size);
    this.narrow(size, now);
    return true;
  }

  private narrow(ceiling: number, now: Instant): void {
    this.ceiling = Math.min(this.ceiling, ceiling);
    this.isOutstanding = false;
    this.nextCandidate(now);
    if (this.ceiling > this.size) this.candidate = this.ceiling;
  }

  private startSearch(ceiling: number, now: Instant): void {
    this.ceiling = ceiling;
    this.candidate = ceiling;
    this.probes = 0;
    this.isOutstanding = false;
    this.raiseAt = now + PATH_RAISE_INTERVAL;
  }

  private nextCandidate(now: Instant): void {
    this.probes = 0;
    if (this.ceiling - this.size < PATH_SEARCH_GRAIN) {
      this.candidate = 0;
      this.raiseAt = now + PATH_RAISE_INTERVAL;
    } else {
      this.candidate = Math.ceil((this.size + this.ceiling) / 2);
    }
  }
}
