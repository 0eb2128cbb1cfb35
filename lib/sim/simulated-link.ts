// The link of a simulated host: cuts the trains of its stack into packets, so that what the network does it
// does to single packets, and joins again what arrives. Its port is bound at the host's kernel.

import type { LinkProperties } from '../sal/link-properties';
import { milliseconds } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import { readHeaderLength, readProtocol, SAL_HEADER_BYTES } from '../wire/sal-header';
import { sealCutPacket } from '../wire/train-cutter';
import type { TransmitBatch } from '../wire/transmit-batch';
import { hasValidTransportChecksum } from '../wire/transport-checksum';
import type { SimulatedClock } from './clock';
import { Inbox } from './inbox';
import type { PortHandler, SimulatedKernel } from './simulated-kernel';
import type { SimulatedPacket } from './simulated-packet';
import { type OutgoingPacket, packetsOf } from './transmit-row';

export interface SimulatedLinkOptions {
  /** UDP port; 0 for a raw link, whose packets have transport checksums instead. */
  readonly port: number;
  readonly role: LinkProperties['role'];
  readonly mtu: number;
  /** Packets that the socket takes in one millisecond; the rest of a batch waits. Default: all. */
  readonly sendBuffer?: number;
}

/** What a link tells its host: the `LinkHandler` of real links, as far as a simulated one has it. */
export interface SimulatedLinkHandler {
  /** One burst. The batch and its slab are valid until return, except for what was taken. */
  received(batch: ReceivedBatch): void;
  /** What the socket did not take at first has gone. */
  writable(): void;
  unreachable(address: NetworkAddress): void;
  packetTooBig(address: NetworkAddress, mtu: number): void;
}

export class SimulatedLink implements PortHandler {
  readonly properties: LinkProperties;
  readonly port: number;
  readonly statistics = {
    packetsSent: 0,
    packetsReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    socketBufferFull: 0,
    badTransportChecksum: 0,
  };
  private readonly inbox: Inbox;
  private readonly sendBuffer: number;
  /** What the socket did not take. */
  private rest: OutgoingPacket[] = [];
  private handler: SimulatedLinkHandler | undefined;

  constructor(
    private readonly kernel: SimulatedKernel,
    private readonly clock: SimulatedClock,
    { port, role, mtu, sendBuffer }: SimulatedLinkOptions,
  ) {
    this.port = port;
    this.sendBuffer = sendBuffer ?? Number.POSITIVE_INFINITY;
    const encapsulated = port !== 0;
    this.properties = { kind: 'memory', encapsulated, role, mtu };
    this.inbox = new Inbox(clock, (batch) => this.handler?.received(batch));
  }

  open(handler: SimulatedLinkHandler): void {
    this.kernel.bind(this.port, this);
    this.handler = handler;
  }

  /** Sends every row. False when the socket is full: the rest is kept, and `writable` follows. */
  transmit(batch: TransmitBatch): boolean {
    const isWaiting = this.rest.length > 0;
    this.rest.push(...packetsOf(batch));
    if (!isWaiting) this.sendSome();
    return this.rest.length === 0;
  }

  /** The host does not read its socket. */
  hold(): void {
    this.inbox.hold();
  }

  release(): void {
    this.inbox.release();
  }

  close(): void {
    this.handler = undefined;
    this.rest = [];
    this.inbox.clear();
    this.kernel.unbind(this.port, this);
  }

  // ---- PortHandler: what the kernel has for this port ----

  received(packet: SimulatedPacket, local: NetworkAddress, broadcast: boolean): void {
    const { bytes, source } = packet;
    if (!this.properties.encapsulated && !hasValidChecksum(packet)) {
      this.statistics.badTransportChecksum++;
    } else if (this.inbox.offer({ bytes, source, local, broadcast })) {
      this.statistics.packetsReceived++;
      this.statistics.bytesReceived += bytes.length;
    } else {
      this.statistics.socketBufferFull++;
    }
  }

  packetTooBig(address: NetworkAddress, mtu: number): void {
    this.handler?.packetTooBig(address, mtu);
  }

  unreachable(address: NetworkAddress): void {
    this.handler?.unreachable(address);
  }

  private sendSome(): void {
    for (const packet of this.rest.splice(0, this.sendBuffer)) this.send(packet);
    if (this.rest.length === 0) return;
    this.clock.scheduleAfter(milliseconds(1), () => {
      if (this.rest.length === 0) return;
      this.sendSome();
      if (this.rest.length === 0) this.handler?.writable();
    });
  }

  private send({ destination, source, bytes }: OutgoingPacket): void {
    this.statistics.packetsSent++;
    this.statistics.bytesSent += bytes.length;
    this.kernel.send(this.port, destination, source, bytes, this.properties.encapsulated ? undefined : sealCutPacket);
  }
}

/** As the native raw link does: of every packet, against the address it was sent to, be it a broadcast. */
function hasValidChecksum({ bytes, source, destination }: SimulatedPacket): boolean {
  if (bytes.length < SAL_HEADER_BYTES) return true;
  const at = readHeaderLength(bytes, 0);
  const length = bytes.length - at;
  if (length < 0) return true;
  return hasValidTransportChecksum(bytes, at, length, readProtocol(bytes, 0), source, destination);
}
