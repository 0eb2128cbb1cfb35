// IP MTUs by destination, as the routing table told them: asking it costs three system calls, and every new
// connection and every datagram wants to know. Forgotten soon, for routes change without a word to us.

import { MTU_CACHE_ENTRIES_MAXIMUM, MTU_CACHE_LIFETIME } from '../limits';
import type { NetworkAddress } from '../wire/network-address';

interface Entry {
  readonly mtu: number | undefined;
  readonly until: number;
}

export class MtuCache {
  private readonly entries = new Map<number | string, Entry>();

  /** `ask` is called for what is not known; `now` is in milliseconds on a clock that only goes forward. */
  constructor(
    private readonly ask: (destination: NetworkAddress) => number | undefined,
    private readonly now: () => number,
  ) {}

  mtuTo(destination: NetworkAddress): number | undefined {
    const key = destination.family === 4 ? destination.word0 : destination.ip;
    const now = this.now();
    const known = this.entries.get(key);
    if (known !== undefined && now < known.until) return known.mtu;
    // Whoever sends to very many asks as often as without it.
    if (this.entries.size >= MTU_CACHE_ENTRIES_MAXIMUM) this.entries.clear();
    const mtu = this.ask(destination);
    this.entries.set(key, { mtu, until: now + MTU_CACHE_LIFETIME });
    return mtu;
  }

  get size(): number {
    return this.entries.size;
  }

  clear(): void {
    this.entries.clear();
  }
}
