// Packets out of order: some are held back while others pass them.

import type { Duration } from '../../time/instant';
import { checkProbability, type ElementSite, type NetworkElement, type PacketSink } from '../network-element';

export class Reordering implements NetworkElement {
  /** Each packet is held back with `probability`, for a time from 0 to `most`. */
  constructor(
    public probability: number,
    public most: Duration,
  ) {
    checkProbability('probability', probability);
  }

  attach({ clock, random, next }: ElementSite): PacketSink {
    return (packet) => {
      if (random.fraction() >= this.probability) return next(packet);
      clock.scheduleAfter((random.fraction() * this.most) as Duration, () => next(packet));
    };
  }
}
