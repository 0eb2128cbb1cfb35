// Loss in bursts: the model of Gilbert and Elliott. The path is good or bad, changes with a probability at
// each packet, and loses little or much accordingly.

import { checkProbability, type ElementSite, type NetworkElement, type PacketSink } from '../network-element';

export interface GilbertElliott {
  /** Probability at each packet that a good path turns bad. */
  readonly goodToBad: number;
  readonly badToGood: number;
  readonly lossWhenGood?: number;
  readonly lossWhenBad?: number;
}

export class BurstLoss implements NetworkElement {
  private readonly lossWhenGood: number;
  private readonly lossWhenBad: number;

  constructor(readonly model: GilbertElliott) {
    this.lossWhenGood = model.lossWhenGood ?? 0;
    this.lossWhenBad = model.lossWhenBad ?? 1;
    checkProbability('goodToBad', model.goodToBad);
    checkProbability('badToGood', model.badToGood);
    checkProbability('lossWhenGood', this.lossWhenGood);
    checkProbability('lossWhenBad', this.lossWhenBad);
  }

  /** Loses `share` of the packets in all, in bursts of `meanLength` packets on average. */
  static of(share: number, meanLength: number): BurstLoss {
    checkProbability('share', share);
    const badToGood = 1 / meanLength;
    return new BurstLoss({ badToGood, goodToBad: Math.min(1, (badToGood * share) / (1 - share)) });
  }

  attach({ random, next, dropped }: ElementSite): PacketSink {
    let bad = false;
    return (packet) => {
      if (random.fraction() < (bad ? this.model.badToGood : this.model.goodToBad)) bad = !bad;
      if (random.fraction() < (bad ? this.lossWhenBad : this.lossWhenGood)) dropped(packet, 'lost in a burst');
      else next(packet);
    };
  }
}
