// The peer's receive window as its segments tell it (RFC 9293 3.10.7.4), and when a partial segment is worth
// sending: Nagle's rule in Minshall's form, and the sender's half of silly-window avoidance (3.8.6.2.1).

export class SendWindow {
  /** Position behind the last byte the peer has room for. It may move back; a peer should not do that. */
  edge = 0;
  /** The largest window the peer ever offered, bytes. */
  largest = 0;
  noDelay = false;
  private updateSequence = 0;
  private updateAcknowledgment = 0;
  /** Position behind the last segment sent that was not full. */
  private partialEnd = 0;

  establish(window: number): void {
    this.edge = window;
    this.largest = window;
  }

  /** Takes window `window` of an acceptable segment at `sequence` that acknowledges `acknowledgment`. */
  handleWindow(sequence: number, acknowledgment: number, window: number): boolean {
    const newer =
      this.updateSequence < sequence ||
      (this.updateSequence === sequence && this.updateAcknowledgment <= acknowledgment);
    if (!newer) return false;
    const before = this.edge;
    this.edge = acknowledgment + window;
    this.largest = Math.max(this.largest, window);
    this.updateSequence = sequence;
    this.updateAcknowledgment = acknowledgment;
    return this.edge > before;
  }

  /**
   * How many of `available` bytes from `next` on may leave, `window` of them allowed by the peer: whole
   * segments, and a partial one when it ends the data or is half of the greatest window.
   */
  usable(next: number, acknowledged: number, available: number, window: number, segmentSize: number): number {
    const count = Math.min(available, window);
    if (count <= 0) return 0;
    const partial = count % segmentSize;
    if (partial === 0) return count;
    const whole = count - partial;
    // All there is: Nagle decides; a second small segment waits until the first was acknowledged.
    if (count === available) return this.noDelay || this.partialEnd <= acknowledged ? count : whole;
    // Cut by the window: not worth a segment of its own, unless the whole window is that small.
    if (whole > 0) return whole;
    return partial >= this.largest / 2 && next === acknowledged ? partial : 0;
  }

  /** A segment that was not full left, ending at `end`. */
  handlePartial(end: number): void {
    this.partialEnd = end;
  }
}
