// A network address translator between a network of its own and the public one, of the kinds that RFC 4787 names. What
// lies behind it has no address that anybody else could reach, and does not know the one that it has outside.

import type { Segment } from '../../lib/sim/segment';
import { SimulatedInterface } from '../../lib/sim/simulated-interface';
import type { SimulatedPacket } from '../../lib/sim/simulated-packet';
import type { NetworkAddress } from '../../lib/wire/network-address';
import type { Story } from './story';

export interface NatKind {
  /** Whether one inner endpoint has one outer port for all whom it talks to (EIM), or one for each of them (EDM). */
  readonly mapping: 'endpoint-independent' | 'endpoint-dependent';
  /** Who may send to an outer port: anybody (EIF), or only whom the inner endpoint has sent to from it (APDF). */
  readonly filtering: 'endpoint-independent' | 'address-and-port-dependent';
}

export const NAT_KINDS = {
  open: { mapping: 'endpoint-independent', filtering: 'endpoint-independent' },
  moderate: { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
  strict: { mapping: 'endpoint-dependent', filtering: 'address-and-port-dependent' },
} as const satisfies Record<string, NatKind>;

interface Mapping {
  readonly inner: NetworkAddress;
  readonly outer: NetworkAddress;
  /** Endpoints that were sent to by it. */
  readonly peers: Set<string>;
}

export class NatBox {
  /** Packets from outside that nobody inside had asked for. */
  filtered = 0;
  readonly inside: Segment;
  private readonly outer: SimulatedInterface;
  private readonly inner: SimulatedInterface;
  private readonly mappings = new Map<string, Mapping>();
  private readonly byPort = new Map<number, Mapping>();

  constructor(
    private readonly story: Story,
    name: string,
    private readonly kind: NatKind,
    outside: Segment,
  ) {
    const { world } = story;
    this.inside = world.segment(`behind ${name}`);
    this.outer = new SimulatedInterface(
      name,
      'wan',
      1,
      1500,
      () => {},
      (packet) => this.enter(packet),
    );
    this.inner = new SimulatedInterface(
      name,
      'lan',
      2,
      1500,
      () => {},
      (packet) => this.leave(packet),
    );
    for (const [one, segment] of [
      [this.outer, outside],
      [this.inner, this.inside],
    ] as const) {
      for (const address of segment.nextAddresses([4])) one.assign(address);
      segment.attach(one);
    }
    // It is the way to everybody else.
    this.inner.has = (address) => address.family === 4 && !address.isMulticast && !this.inner.isOnLink(address);
  }

  private leave(packet: SimulatedPacket): void {
    if (packet.report !== undefined) return;
    const mapping = this.mappingOf(packet.source, packet.destination);
    mapping.peers.add(String(packet.destination));
    this.outer.transmit({ ...packet, source: mapping.outer });
  }

  private enter(packet: SimulatedPacket): void {
    const mapping = this.byPort.get(packet.destination.port);
    if (mapping === undefined || packet.report !== undefined || !this.letsIn(mapping, packet.source)) this.filtered++;
    else this.inner.transmit({ ...packet, destination: mapping.inner });
  }

  private letsIn({ peers }: Mapping, source: NetworkAddress): boolean {
    return this.kind.filtering === 'endpoint-independent' || peers.has(String(source));
  }

  private mappingOf(inner: NetworkAddress, destination: NetworkAddress): Mapping {
    const key = this.kind.mapping === 'endpoint-independent' ? String(inner) : `${inner} ${destination}`;
    const known = this.mappings.get(key);
    if (known !== undefined) return known;
    const outer = this.outer.addresses[0]!.address.withPort(this.freePort());
    const mapping = { inner, outer, peers: new Set<string>() };
    this.mappings.set(key, mapping);
    this.byPort.set(outer.port, mapping);
    return mapping;
  }

  private freePort(): number {
    for (;;) {
      const port = this.story.chance.integer(1024, 65_535);
      if (!this.byPort.has(port)) return port;
    }
  }
}
