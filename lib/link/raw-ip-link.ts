// SAL packets directly in IP, protocol 144: the original's own encapsulation. Needs the addon and
// CAP_NET_RAW. Transport checksums are computed and verified natively, for nothing else covers the packet.
//
// Every raw socket of the host hears every packet of the protocol. Where the flowIDs of this process have a tag the
// kernel drops what is for others; first packets are for all, and who has the service answers.

import { FLOW_TAG_BITS, IP_PROTOCOL_SERVAL } from '../limits';
import type { LinkProperties } from '../sal/link-properties';
import type { FlowTag } from '../wire/flow-id';
import type { AddressFamily, NetworkAddress } from '../wire/network-address';
import type { TransmitBatch } from '../wire/transmit-batch';
import type { Link, LinkHandler } from './link';
import { NativeLink } from './native-link';

export interface RawIpLinkOptions {
  readonly role?: LinkProperties['role'];
  /** Default both, where the host has them. */
  readonly families?: readonly AddressFamily[];
  /** Largest IP packet of the interfaces, bytes. */
  readonly mtu?: number;
  /** Bytes of the kernel's socket buffers. */
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
  /** Microseconds for which the event loop polls after traffic before it sleeps. Default 0. */
  readonly spin?: number;
  /** What the flowIDs of this process begin with. Without it the packets of every process arrive here. */
  readonly flowTag?: FlowTag | undefined;
}

export class RawIpLink implements Link {
  readonly properties: LinkProperties;
  readonly settles = true;
  readonly port = 0;
  private readonly native = new NativeLink();

  constructor(private readonly options: RawIpLinkOptions = {}) {
    this.properties = {
      kind: 'raw',
      encapsulated: false,
      role: options.role ?? 'data',
      mtu: options.mtu ?? MTU_DEFAULT,
    };
  }

  get receiveBuffer(): number {
    return this.native.receiveBuffer;
  }

  get statistics(): Readonly<Record<string, number>> {
    return this.native.statistics;
  }

  async start(handler: LinkHandler): Promise<void> {
    const { families = [4, 6], spin = 0, flowTag } = this.options;
    this.native.start(handler, {
      purpose: `open a raw socket of IP protocol ${IP_PROTOCOL_SERVAL}`,
      rawProtocol: IP_PROTOCOL_SERVAL,
      v4: families.includes(4),
      v6: families.includes(6),
      spinMicroseconds: spin,
      flowTag: flowTag?.value ?? 0,
      flowTagBits: flowTag === undefined ? 0 : FLOW_TAG_BITS,
      sendBuffer: this.options.sendBuffer ?? BUFFER_BYTES,
      receiveBuffer: this.options.receiveBuffer ?? BUFFER_BYTES,
    });
  }

  transmit(batch: TransmitBatch): boolean {
    return this.native.transmit(batch);
  }

  /** IP MTU of the first hop towards an address; `undefined` when there is no route. */
  mtuTo(destination: NetworkAddress): number | undefined {
    return this.native.mtuTo(destination);
  }

  /** Addresses or routes of this host have changed: sources chosen before may be wrong. */
  forgetSources(): void {
    this.native.forgetSources();
  }

  ref(): void {
    this.native.ref();
  }

  unref(): void {
    this.native.unref();
  }

  close(): Promise<void> {
    return this.native.close();
  }
}

/** Ethernet's. */
const MTU_DEFAULT = 1500;
/** About a thousand full packets, as the kernel counts them. */
const BUFFER_BYTES = 4 * 1024 * 1024;
