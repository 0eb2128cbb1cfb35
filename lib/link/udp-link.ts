// UDP encapsulation over native sockets: one port for both families, super-packets out (UDP_SEGMENT) and in
// (UDP_GRO), news of unreachable peers and of path MTUs. Needs the addon; `DgramLink` is the one without.

import { loadBinding } from '../native/binding';
import type { LinkProperties } from '../sal/link-properties';
import type { NetworkAddress } from '../wire/network-address';
import type { TransmitBatch } from '../wire/transmit-batch';
import type { Link, LinkHandler } from './link';
import { NativeLink } from './native-link';

export interface UdpLinkOptions {
  readonly role?: LinkProperties['role'];
  /** UDP port, exclusively; 0, the default, takes any that is free in both families. */
  readonly port?: number;
  /** Largest IP packet of the interfaces, bytes. */
  readonly mtu?: number;
  /** Super-packets, where the kernel has them. Default true; false to see what happens without. */
  readonly segmentation?: boolean;
  readonly aggregation?: boolean;
  /** Bytes of the kernel's socket buffers. */
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
  /** Microseconds for which the event loop polls after traffic before it sleeps. Default 0. */
  readonly spin?: number;
}

export class UdpLink implements Link {
  /** Whether the addon is there. */
  static get isAvailable(): boolean {
    return loadBinding() !== undefined;
  }

  readonly properties: LinkProperties;
  readonly settles = true;
  private readonly native = new NativeLink();

  constructor(private readonly options: UdpLinkOptions = {}) {
    this.properties = {
      kind: 'udp',
      encapsulated: true,
      role: options.role ?? 'data',
      mtu: options.mtu ?? MTU_DEFAULT,
    };
  }

  get port(): number {
    return this.native.port;
  }

  get statistics(): Readonly<Record<string, number>> {
    return this.native.statistics;
  }

  /** Bytes that the kernel will queue for us, as it counts: without privilege less than was asked for. */
  get receiveBuffer(): number {
    return this.native.receiveBuffer;
  }

  async start(handler: LinkHandler): Promise<void> {
    const { port = 0, segmentation = true, aggregation = true, spin = 0, role } = this.options;
    this.native.start(handler, {
      purpose: port === 0 ? 'open a UDP port' : `bind UDP port ${port}`,
      port,
      segmentation,
      aggregation,
      spinMicroseconds: spin,
      ...(role === 'well-known' ? { burstRows: FIRST_PACKETS_OF_BURST } : {}),
      sendBuffer: this.options.sendBuffer ?? SEND_BUFFER_BYTES,
      receiveBuffer: this.options.receiveBuffer ?? RECEIVE_BUFFER_BYTES,
    });
  }

  transmit(batch: TransmitBatch): boolean {
    return this.native.transmit(batch);
  }

  /** IP MTU of the first hop towards an address; `undefined` when there is no route. */
  mtuTo(destination: NetworkAddress): number | undefined {
    return this.native.mtuTo(destination);
  }

  ref(): void {
    this.native.ref();
  }

  unref(): void {
    this.native.unref();
  }

  /** For tests: makes the next `times` sends, or only those of super-packets, fail with this errno. */
  injectSendError(errno: number, times: number, segmentedOnly = false): void {
    this.native.injectSendError(errno, times, segmentedOnly);
  }

  close(): Promise<void> {
    return this.native.close();
  }
}

/** Ethernet's. */
const MTU_DEFAULT = 1500;
/** About 30 super-packets on their way to a device: more only waits. */
const SEND_BUFFER_BYTES = 2 * 1024 * 1024;
/** What arrives while the process computes for 2 ms at 32 Gbit/s. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
/**
 * Of first packets, which a router passes on: the more of them leave together, the more each super-packet carries, also
 * where they go to sixteen next hops. Nobody answers them from here, so nobody waits for a burst to end.
 */
const FIRST_PACKETS_OF_BURST = 512;
