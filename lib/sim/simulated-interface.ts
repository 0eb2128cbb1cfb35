// One network interface of a simulated host: the addresses it has, whether it is up, and the wire to its
// segment. What a packet meets on that wire is its path's business.

import type { NetworkInterface } from '../stack/control-interface';
import type { NetworkAddress } from '../wire/network-address';
import type { PacketSink } from './network-element';
import type { SimulatedPacket } from './simulated-packet';

export interface InterfaceAddress {
  /** Without a port. */
  readonly address: NetworkAddress;
  /** Bits of the network part. */
  readonly prefixBits: number;
  /** IPv4 only; IPv6 has the all-nodes multicast address. */
  readonly broadcast?: NetworkAddress;
}

/** What an interface needs of the network it is plugged into. */
export interface Wire {
  readonly outbound: PacketSink;
  /** Whether some interface that this one can send to has `address`. */
  reaches(address: NetworkAddress): boolean;
}

export class SimulatedInterface {
  private readonly assigned: InterfaceAddress[] = [];
  private isEnabled = true;
  private wire: Wire | undefined;

  constructor(
    /** Name of the host. */
    readonly host: string,
    readonly name: string,
    readonly index: number,
    readonly mtu: number,
    /** Tells the host that what the interface offers has changed. */
    private readonly changed: () => void,
    /** Takes what arrives. */
    readonly receive: (packet: SimulatedPacket, by: SimulatedInterface) => void,
  ) {}

  get isUp(): boolean {
    return this.isEnabled && this.wire !== undefined;
  }

  get addresses(): readonly InterfaceAddress[] {
    return this.assigned;
  }

  /** What the interface monitor of a real host would list. */
  describe(): NetworkInterface[] {
    if (!this.isUp) return [];
    const { name, index, mtu } = this;
    return this.assigned.map((entry) => ({ name, index, mtu, isLoopback: false, ...entry }));
  }

  has(address: NetworkAddress): boolean {
    return this.assigned.some((entry) => entry.address.sameIp(address));
  }

  /** The first address of the family of `other`: the one to send from. */
  addressFor(other: NetworkAddress): NetworkAddress | undefined {
    return this.assigned.find(({ address }) => address.family === other.family)?.address;
  }

  isOnLink(other: NetworkAddress): boolean {
    return this.assigned.some(({ address, prefixBits }) => samePrefix(address, other, prefixBits));
  }

  /** Broadcast of this interface, limited broadcast, or any multicast. */
  isBroadcast(address: NetworkAddress): boolean {
    if (address.isMulticast || (address.family === 4 && address.word0 === -1)) return true;
    return this.assigned.some(({ broadcast }) => broadcast?.sameIp(address) === true);
  }

  reaches(address: NetworkAddress): boolean {
    return this.wire?.reaches(address) === true;
  }

  transmit(packet: SimulatedPacket): void {
    this.wire?.outbound(packet);
  }

  /** Puts the interface on a wire, or takes it off. */
  plug(wire: Wire | undefined): void {
    this.wire = wire;
    this.changed();
  }

  up(): void {
    this.isEnabled = true;
    this.changed();
  }

  down(): void {
    this.isEnabled = false;
    this.changed();
  }

  assign(entry: InterfaceAddress): void {
    if (this.has(entry.address)) return;
    this.assigned.push(entry);
    this.changed();
  }

  withdraw(address: NetworkAddress): void {
    const index = this.assigned.findIndex((entry) => entry.address.sameIp(address));
    if (index < 0) return;
    this.assigned.splice(index, 1);
    this.changed();
  }

  /** Replaces every address at once, as a host does that moves to another network. */
  renumber(entries: readonly InterfaceAddress[]): void {
    this.assigned.splice(0, this.assigned.length, ...entries);
    this.changed();
  }
}

function samePrefix(a: NetworkAddress, b: NetworkAddress, bits: number): boolean {
  if (a.family !== b.family) return false;
  const differences = [a.word0 ^ b.word0, a.word1 ^ b.word1, a.word2 ^ b.word2, a.word3 ^ b.word3];
  return differences.every((difference, index) => {
    const inWord = Math.min(32, bits - index * 32);
    return inWord <= 0 || difference >>> (32 - inWord) === 0;
  });
}
