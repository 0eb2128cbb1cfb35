// Packets that arrive twice; the copy follows at once, or up to `most` later.

import { type Duration, milliseconds } from '../../time/instant';
import { checkProbability, type ElementSite, type NetworkElement, type PacketSink } from '../network-element';

export class Duplication implements NetworkElement {
  constructor(
    public probability: number,
    public most: Duration = milliseconds(0),
  ) {
    checkProbability('probability', probability);
  }

  attach({ clock, random, next }: ElementSite): PacketSink {
    return (packet) => {
      next(packet);
      if (random.fraction() >= this.probability) return;
      clock.scheduleAfter((random.fraction() * this.most) as Duration, () => next(packet));
    };
  }
}
