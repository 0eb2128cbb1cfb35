// Loss in fades, as of a radio link that moves: for some time all packets are lost, for some time none. Unlike with
// `BurstLoss`, time ends a fade, and not the packets that somebody sends into it.

import { after, type Duration, type Instant } from '../../time/instant';
import { checkProbability, type ElementSite, type NetworkElement, type PacketSink } from '../network-element';

export class Fading implements NetworkElement {
  /** Fades take `share` of the time, and `meanDuration` each; they and the times between are distributed exponentially. */
  constructor(
    readonly share: number,
    readonly meanDuration: Duration,
  ) {
    checkProbability('share', share);
    if (!(meanDuration > 0)) throw new RangeError(`meanDuration must be greater than 0, not ${meanDuration}`);
  }

  attach({ clock, random, next, dropped }: ElementSite): PacketSink {
    if (this.share === 0) return next;
    const meanPause = (this.meanDuration * (1 - this.share)) / this.share;
    let isFaded = random.fraction() < this.share;
    let until: Instant = clock.now();
    const advance = (): void => {
      const mean = isFaded ? this.meanDuration : meanPause;
      until = after(until, (-Math.log(1 - random.fraction()) * mean) as Duration);
    };
    advance();
    return (packet) => {
      while (until <= clock.now()) {
        isFaded = !isFaded;
        advance();
      }
      if (isFaded) dropped(packet, 'lost in a fade');
      else next(packet);
    };
  }
}
