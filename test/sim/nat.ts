// A network address translator in front of a host, which forgets what it knew when the story says so; a firewall; and
// somebody on the path who sends copies of packets from an address of his own.

import type { ElementSite, NetworkElement, PacketSink } from '../../lib/sim/network-element';
import type { SimulatedPacket } from '../../lib/sim/simulated-packet';
import type { NetworkAddress } from '../../lib/wire/network-address';

export class Nat {
  private inside: NetworkAddress | undefined;
  private outside: NetworkAddress | undefined;

  /** Flows of the host behind it come from `address` from now on; what is sent to the one before is lost. */
  rebind(inside: NetworkAddress, outside: NetworkAddress): void {
    this.inside = inside;
    this.outside = outside;
  }

  get outbound(): NetworkElement {
    return element((packet, { next }) => {
      const isOurs = this.inside !== undefined && packet.source.equals(this.inside);
      next(isOurs ? { ...packet, source: this.outside! } : packet);
    });
  }

  get inbound(): NetworkElement {
    return element((packet, { next, dropped }) => {
      if (this.outside === undefined) next(packet);
      else if (packet.destination.equals(this.outside)) next({ ...packet, destination: this.inside! });
      else if (packet.destination.equals(this.inside!)) dropped(packet, 'no mapping');
      else next(packet);
    });
  }
}

/** Sends a copy of what `isWanted` says in front of the packet itself, from `address`. */
export class Copier {
  copies = 0;

  constructor(
    private readonly address: NetworkAddress,
    private readonly isWanted: (packet: SimulatedPacket) => boolean,
  ) {}

  get outbound(): NetworkElement {
    return element((packet, { next }) => {
      if (this.isWanted(packet)) {
        this.copies++;
        next({ ...packet, source: this.address });
      }
      next(packet);
    });
  }
}

/** A firewall, or what a NAT is besides: once shut it lets in to an address only what comes from where that has sent to. */
export class Firewall {
  isShut = false;
  dropped = 0;
  private readonly open = new Set<string>();

  get outbound(): NetworkElement {
    return element((packet, { next }) => {
      this.open.add(`${packet.source} ${packet.destination}`);
      next(packet);
    });
  }

  get inbound(): NetworkElement {
    return element((packet, { next, dropped }) => {
      if (!this.isShut || this.open.has(`${packet.destination} ${packet.source}`)) return next(packet);
      this.dropped++;
      dropped(packet, 'not asked for');
    });
  }
}

function element(pass: (packet: SimulatedPacket, site: ElementSite) => void): NetworkElement {
  return {
    attach(site: ElementSite): PacketSink {
      return (packet) => pass(packet, site);
    },
  };
}
