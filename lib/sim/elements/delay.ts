// Constant delay: every packet arrives `delay` later.

import type { Duration } from '../../time/instant';
import type { ElementSite, NetworkElement, PacketSink } from '../network-element';

export class Delay implements NetworkElement {
  constructor(public delay: Duration) {}

  attach({ clock, next }: ElementSite): PacketSink {
    return (packet) => void clock.scheduleAfter(this.delay, () => next(packet));
  }
}
