// What the stack must know of a link, and all it knows of it.

export interface LinkProperties {
  readonly kind: 'udp' | 'udp-dgram' | 'raw' | 'memory';
  /** Whether packets travel in UDP: addresses have ports, and the outer checksum protects the inside. */
  readonly encapsulated: boolean;
  /** `data`: flows of this process. `well-known`: first packets for the whole host; answers leave by data. */
  readonly role: 'data' | 'well-known';
  /** Largest IP packet of the path's first hop, in bytes, for a destination where it is known. */
  readonly mtu: number;
}
