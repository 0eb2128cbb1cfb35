// A hop that carries no IP packet larger than `mtu` bytes. It drops the larger ones, and tells the sender
// (ICMP "packet too big") unless it is silent: the black hole that RFC 8899 is about.

import type { ElementSite, NetworkElement, PacketSink } from '../network-element';
import { ipLength } from '../simulated-packet';

export class Mtu implements NetworkElement {
  constructor(
    public mtu: number,
    public silent = true,
  ) {}

  attach({ next, dropped, packetTooBig }: ElementSite): PacketSink {
    return (packet) => {
      if (ipLength(packet) <= this.mtu) return next(packet);
      dropped(packet, `larger than ${this.mtu}`);
      if (!this.silent) packetTooBig(packet, this.mtu);
    };
  }
}
