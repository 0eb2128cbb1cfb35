// What the stack must know of a link and of the interfaces behind it, and all it knows of them.

import type { NetworkAddress } from '../wire/network-address';

export interface LinkProperties {
  readonly kind: 'udp' | 'udp-dgram' | 'raw' | 'memory';
  /** Whether packets travel in UDP: addresses have ports, and the outer checksum protects the inside. */
  readonly encapsulated: boolean;
  /** `data`: flows of this process. `well-known`: first packets for the whole host; answers leave by data. */
  readonly role: 'data' | 'well-known';
  /** Largest IP packet of the path's first hop, in bytes, for a destination where it is known. */
  readonly mtu: number;
}

/** One address of one interface that is up. An interface with three addresses is three of these. */
export interface NetworkInterface {
  readonly name: string;
  readonly index: number;
  readonly address: NetworkAddress;
  /** Bits of the network part. */
  readonly prefixBits: number;
  /** IPv4 broadcast address of a broadcast interface; IPv6 all-nodes multicast ff02::1 is not listed here. */
  readonly broadcast?: NetworkAddress;
  readonly mtu: number;
  readonly isLoopback: boolean;
}
