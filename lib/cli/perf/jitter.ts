// The variation of datagrams' time on the way, as RFC 3550 6.4.1 smooths it. The clocks of the two ends may differ:
// only differences count.

export class Jitter {
  /** Milliseconds. */
  value = 0;
  private lastTransit: number | undefined;

  handle(sentAt: number, receivedAt: number): void {
    const transit = receivedAt - sentAt;
    const last = this.lastTransit;
    this.lastTransit = transit;
    if (last !== undefined) this.value += (Math.abs(transit - last) - this.value) / SMOOTHING;
  }
}

const SMOOTHING = 16;
