// Loss of each packet by itself, with the same probability.

import { checkProbability, type ElementSite, type NetworkElement, type PacketSink } from '../network-element';

export class RandomLoss implements NetworkElement {
  constructor(public probability: number) {
    checkProbability('probability', probability);
  }

  attach({ random, next, dropped }: ElementSite): PacketSink {
    return (packet) => {
      if (random.fraction() < this.probability) dropped(packet, 'lost');
      else next(packet);
    };
  }
}
