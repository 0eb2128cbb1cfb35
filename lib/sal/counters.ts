// What was dropped, refused or odd, by name. Counting is all that happens to a bad packet.

export class Counters {
  private readonly counts = new Map<string, number>();

  /** Names are ours, never a peer's, so there is a bounded number of them. */
  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  value(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  toObject(): Record<string, number> {
    return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
