// What one acknowledgment told: gathered while the scoreboard is updated, read by the round-trip estimator,
// loss detection, recovery and congestion control. One object serves all flows, cleared and used again.

export class Delivery {
  /** Bytes newly known to be with the peer, by acknowledgment or SACK. */
  bytes = 0;
  /** Of them, bytes below the cumulative acknowledgment that no SACK had reported. */
  acknowledgedBytes = 0;
  /** When the newest transmission among them left, and where it ended; -1 when nothing was delivered. */
  newestSentAt = -1;
  newestEnd = 0;
  newestRetransmitted = false;
  /** When the newest one that was sent only once left; -1 when there is no sample. */
  sampleSentAt = -1;
  /** Something was acknowledged that had been sent more than once. */
  anyRetransmitted = false;
  /** A first transmission came after one sent later: the network reorders. */
  reordered = false;
  /** Bytes that had been given up as lost but arrived by their first transmission. */
  revivedBytes = 0;
  /** Payload size of a path probe that arrived; 0 when none did. */
  probeSize = 0;
  /** Bytes the peer reported to have received twice (DSACK). */
  duplicateBytes = 0;
  /** Filled by loss detection: bytes newly counted as lost (path probes apart). */
  lostBytes = 0;
  /** Whether a path probe was lost. */
  probeLost = false;

  clear(): void {
    this.bytes = 0;
    this.acknowledgedBytes = 0;
    this.newestSentAt = -1;
    this.newestEnd = 0;
    this.newestRetransmitted = false;
    this.sampleSentAt = -1;
    this.anyRetransmitted = false;
    this.reordered = false;
    this.revivedBytes = 0;
    this.probeSize = 0;
    this.duplicateBytes = 0;
    this.lostBytes = 0;
    this.probeLost = false;
  }
}
