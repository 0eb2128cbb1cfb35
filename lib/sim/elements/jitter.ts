// Delay that varies from packet to packet, uniformly from 0 to `most`. As on most real paths the packets
// stay in order; `Reordering` is what takes them out of it.

import { after, type Duration, type Instant } from '../../time/instant';
import type { ElementSite, NetworkElement, PacketSink } from '../network-element';

export class Jitter implements NetworkElement {
  constructor(public most: Duration) {}

  attach({ clock, random, next }: ElementSite): PacketSink {
    let latest = 0 as Instant;
    return (packet) => {
      const at = after(clock.now(), (random.fraction() * this.most) as Duration);
      if (at > latest) latest = at;
      clock.schedule(latest, () => next(packet));
    };
  }
}
