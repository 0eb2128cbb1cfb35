// A hop that swallows everything at times, and says nothing: by a schedule, by a period, or by hand.

import type { Duration, Instant } from '../../time/instant';
import type { ElementSite, NetworkElement, PacketSink } from '../network-element';

/** From `from` on, and before `until`, nothing passes. */
export interface Outage {
  readonly from: Instant;
  readonly until: Instant;
}

export class Blackhole implements NetworkElement {
  /** Set by hand: whether all is swallowed, whatever the schedule says. */
  shut = false;

  private constructor(private readonly isOut: (now: Instant) => boolean) {}

  /** Swallows only while `shut`. */
  static manual(): Blackhole {
    return new Blackhole(() => false);
  }

  static during(outages: readonly Outage[]): Blackhole {
    return new Blackhole((now) => outages.some(({ from, until }) => now >= from && now < until));
  }

  /** Passes for `on`, swallows for `off`, and so forth from the beginning of time. */
  static periodic(on: Duration, off: Duration): Blackhole {
    return new Blackhole((now) => now % (on + off) >= on);
  }

  attach({ clock, next, dropped }: ElementSite): PacketSink {
    return (packet) => {
      if (this.shut || this.isOut(clock.now())) dropped(packet, 'black hole');
      else next(packet);
    };
  }
}
