// A network segment: a LAN whose interfaces reach each other and its broadcast address, or, with two
// interfaces only, the wire between two hosts. Segments joined to each other carry unicast packets across.

import type { RandomSource } from '../time/random-source';
import { NetworkAddress } from '../wire/network-address';
import type { SimulatedClock } from './clock';
import { chain, type NetworkElement, type PacketSink } from './network-element';
import type { Partition } from './partition';
import type { Path } from './path';
import type { InterfaceAddress, SimulatedInterface } from './simulated-interface';
import { type NetworkReport, reportOn, type SimulatedPacket } from './simulated-packet';

/** What a segment needs of its world. */
export interface SegmentSite {
  readonly clock: SimulatedClock;
  readonly partition: Partition;
  /** Chance for one more place in the network. */
  randomOf(): RandomSource;
  dropped(packet: SimulatedPacket, reason: string): void;
}

/** What packets meet between an interface and its segment. */
export interface Attachment {
  readonly outbound?: readonly NetworkElement[];
  readonly inbound?: readonly NetworkElement[];
}

interface Port {
  readonly networkInterface: SimulatedInterface;
  readonly inbound: PacketSink;
}

export class Segment {
  private readonly ports: Port[] = [];
  private readonly neighbours: { readonly segment: Segment; readonly sink: PacketSink }[] = [];
  private hosts = 0;

  constructor(
    readonly name: string,
    /** Numbers the segment's addresses: 10.NUMBER.0.0/16 and fd00:0:0:NUMBER::/64. */
    readonly number: number,
    private readonly site: SegmentSite,
  ) {}

  get interfaces(): readonly SimulatedInterface[] {
    return this.ports.map((port) => port.networkInterface);
  }

  /** Plugs the interface in. */
  attach(networkInterface: SimulatedInterface, attachment: Attachment = {}): void {
    const inbound = this.chain(attachment.inbound, (packet) => {
      networkInterface.receive(packet, networkInterface);
    });
    this.ports.push({ networkInterface, inbound });
    networkInterface.plug({
      outbound: this.chain(attachment.outbound, (packet) => this.handlePacket(packet, networkInterface)),
      reaches: (address) => this.reaches(address),
    });
  }

  /** Unplugs the interface; what is on the wire to it is lost. */
  detach(networkInterface: SimulatedInterface): void {
    const index = this.ports.findIndex((port) => port.networkInterface === networkInterface);
    if (index < 0) return;
    this.ports.splice(index, 1);
    networkInterface.plug(undefined);
  }

  /** Joins two segments by a router that knows the way to both; broadcasts do not pass it. */
  join(other: Segment, between: Path = { forward: [], backward: [] }): void {
    this.joinOneWay(other, between.forward);
    other.joinOneWay(this, between.backward);
  }

  /** The next free address of the segment, in the family that is asked for. */
  nextAddresses(families: readonly (4 | 6)[] = [4, 6]): InterfaceAddress[] {
    this.hosts++;
    return families.map((family) => this.addressOf(this.hosts, family));
  }

  addressOf(host: number, family: 4 | 6): InterfaceAddress {
    const { number } = this;
    if (family === 6) {
      return { address: NetworkAddress.fromWords(6, 0, 0xfd00 << 16, number, 0, host), prefixBits: 64 };
    }
    const network = (10 << 24) | (number << 16);
    return {
      address: NetworkAddress.fromWords(4, 0, network | host, 0, 0, 0),
      prefixBits: 16,
      broadcast: NetworkAddress.fromWords(4, 0, network | 0xffff, 0, 0, 0),
    };
  }

  reaches(address: NetworkAddress): boolean {
    return this.wayTo(address, new Set()) !== undefined;
  }

  private handlePacket(packet: SimulatedPacket, from: SimulatedInterface): void {
    if (from.isBroadcast(packet.destination)) this.flood(packet, from);
    else this.carry(packet, this.wayTo(packet.destination, new Set()));
  }

  private carry(packet: SimulatedPacket, way: PacketSink | undefined): void {
    if (way === undefined) this.site.dropped(packet, 'no such host');
    else way(packet);
  }

  private flood(packet: SimulatedPacket, from: SimulatedInterface): void {
    for (const { networkInterface, inbound } of [...this.ports]) {
      if (networkInterface === from) continue;
      if (this.site.partition.blocks(from.host, networkInterface.host)) this.site.dropped(packet, 'partitioned');
      else inbound(packet);
    }
  }

  private wayTo(address: NetworkAddress, seen: Set<Segment>): PacketSink | undefined {
    seen.add(this);
    const port = this.ports.find(({ networkInterface }) => networkInterface.has(address));
    if (port !== undefined) return (packet) => this.deliver(packet, port);
    const next = this.neighbours.find(
      ({ segment }) => !seen.has(segment) && segment.wayTo(address, seen) !== undefined,
    );
    return next?.sink;
  }

  private deliver(packet: SimulatedPacket, port: Port): void {
    const { host } = port.networkInterface;
    if (this.site.partition.blocks(packet.from, host)) this.site.dropped(packet, 'partitioned');
    else port.inbound(packet);
  }

  private joinOneWay(other: Segment, elements: readonly NetworkElement[]): void {
    const sink = this.chain(elements, (packet) => {
      other.carry(packet, other.wayTo(packet.destination, new Set([this])));
    });
    this.neighbours.push({ segment: other, sink });
  }

  private chain(elements: readonly NetworkElement[] = [], next: PacketSink): PacketSink {
    const { clock, dropped } = this.site;
    const packetTooBig = (packet: SimulatedPacket, mtu: number): void => {
      const report: NetworkReport = { kind: 'packetTooBig', about: packet.destination, mtu };
      this.wayTo(packet.source, new Set())?.(reportOn(packet, this.name, report));
    };
    return chain(elements, { clock, next, dropped, packetTooBig }, () => this.site.randomOf());
  }
}
