// UDP encapsulation over node:dgram: the link for every platform on which the addon is missing. One system
// call a packet, no choice of the local address, no news of where a packet was sent to, no way to forbid
// fragmentation. What is joined and cut is shared with the other links (wire/).

import type { RemoteInfo, Socket } from 'node:dgram';
import { ErrorCode, ServalError } from '../errors';
import { TRANSMIT_QUEUE_MAXIMUM } from '../limits';
import type { LinkProperties } from '../sal/link-properties';
import { type AddressFamily, NetworkAddress } from '../wire/network-address';
import { ReceivedBatch, RowFlag } from '../wire/received-batch';
import { packetCount, packetLength, writePacket } from '../wire/train-cutter';
import { TrainJoiner } from '../wire/train-joiner';
import { type TransmitBatch, TransmitField } from '../wire/transmit-batch';
import { createWireErrorCounters } from '../wire/wire-error';
import { AddressTexts } from './address-texts';
import { bindDgramSockets, type DgramSockets } from './dgram-sockets';
import type { Link, LinkHandler } from './link';

export interface DgramLinkOptions {
  readonly role?: LinkProperties['role'];
  /** UDP port; 0, the default, takes any. */
  readonly port?: number;
  /** Largest IP packet of the interfaces, which node:dgram cannot tell. */
  readonly mtu?: number;
}

export class DgramLink implements Link {
  private static hasWarned = false;

  /** Says, once a process, that the slow link is used. For the host to call when it would have had another. */
  static warnOnce(reason = 'the native addon is not available'): void {
    if (DgramLink.hasWarned) return;
    DgramLink.hasWarned = true;
    process.emitWarning(`serval uses its slower link over node:dgram: ${reason}`, { code: 'SERVAL_DGRAM_LINK' });
  }

  readonly properties: LinkProperties;
  private readonly counts = {
    packetsSent: 0,
    bytesSent: 0,
    packetsReceived: 0,
    bytesReceived: 0,
    /** Packets for which the queue to the kernel had no room. */
    queueFull: 0,
    /** Packets that the system refused to send. */
    sendErrors: 0,
    /** Packets to or from an address of a family, or with a zone, that this link does not serve. */
    badAddress: 0,
    tooLarge: 0,
  };
  private readonly wireErrors = createWireErrorCounters();
  private readonly joiner = new TrainJoiner(this.wireErrors);
  private readonly texts = new AddressTexts();
  private readonly batch = new ReceivedBatch(BATCH_ROWS, Buffer.allocUnsafeSlow(SLAB_BYTES));
  /** Slab bytes before this belong to receivers; those before `slabEnd` to the burst being collected. */
  private slabStart = 0;
  private slabEnd = 0;
  private flush: NodeJS.Immediate | undefined;

  private sockets: DgramSockets | undefined;
  private handler: LinkHandler | undefined;
  private closed: Promise<void> | undefined;
  private isReferenced = true;
  /** Packets on their way into the kernel; those before `outgoingEnd` may be queued. */
  private outgoing = Buffer.allocUnsafeSlow(OUTGOING_BYTES);
  private outgoingEnd = 0;
  private isCongested = false;

  constructor(private readonly options: DgramLinkOptions = {}) {
    this.properties = {
      kind: 'udp-dgram',
      encapsulated: true,
      role: options.role ?? 'data',
      mtu: options.mtu ?? MTU_DEFAULT,
    };
  }

  get port(): number {
    return this.sockets?.port ?? 0;
  }

  get receiveBuffer(): number {
    return (this.sockets?.v4 ?? this.sockets?.v6)?.getRecvBufferSize() ?? 0;
  }

  get statistics(): Readonly<Record<string, number>> {
    return { ...this.counts, ...this.wireErrors };
  }

  async start(handler: LinkHandler): Promise<void> {
    const sockets = await bindDgramSockets(this.options.port ?? 0);
    if (this.closed !== undefined) {
      await closeSockets(sockets);
      throw new ServalError(ErrorCode.hostClosed, 'the link was closed while it started');
    }
    this.sockets = sockets;
    this.handler = handler;
    if (sockets.v4 !== undefined) this.listen(sockets.v4, 4);
    if (sockets.v6 !== undefined) this.listen(sockets.v6, 6);
    if (!this.isReferenced) this.unref();
  }

  transmit(batch: TransmitBatch): boolean {
    if (this.sockets === undefined || this.closed !== undefined) return true;
    for (let row = 0; row < batch.count; row++) this.transmitRow(batch, row, this.sockets);
    this.isCongested = this.queuedBytes() > 0;
    return !this.isCongested;
  }

  ref(): void {
    this.isReferenced = true;
    this.sockets?.v4?.ref();
    this.sockets?.v6?.ref();
  }

  unref(): void {
    this.isReferenced = false;
    this.sockets?.v4?.unref();
    this.sockets?.v6?.unref();
  }

  close(): Promise<void> {
    this.closed ??= this.sockets === undefined ? Promise.resolve() : closeSockets(this.sockets);
    this.handler = undefined;
    clearImmediate(this.flush);
    return this.closed;
  }

  private listen(socket: Socket, family: AddressFamily): void {
    const local = NetworkAddress.fromWords(family, this.port, 0, 0, 0, 0);
    socket.on('message', (message, from) => this.handleMessage(message, from, local));
    socket.on('error', (error) => this.handleSocketError(error));
  }

  private handleMessage(message: Buffer, from: RemoteInfo, local: NetworkAddress): void {
    if (this.handler === undefined) return;
    this.counts.packetsReceived++;
    this.counts.bytesReceived += message.length;
    const source = this.texts.source(from.address, from.port);
    if (source === undefined) {
      this.counts.badAddress++;
      return;
    }
    if (this.batch.count === this.batch.capacity || this.slabEnd + message.length > SLAB_BYTES) this.deliver();
    if (this.slabEnd + message.length > SLAB_BYTES) this.replaceSlab();
    this.batch.slab.set(message, this.slabEnd);
    this.joiner.append(this.batch, source, local, this.flagsOf(source), this.slabEnd, message.length);
    this.slabEnd += message.length;
    this.flush ??= setImmediate(this.deliver);
  }

  /**
   * Whether it came by broadcast is not told. On the well-known port it may have: nothing from outside this
   * host is forwarded out of it again, and so no broadcast can start a storm.
   */
  private flagsOf(source: NetworkAddress): number {
    return this.properties.role === 'well-known' && !source.isLoopback ? RowFlag.broadcast : 0;
  }

  private readonly deliver = (): void => {
    clearImmediate(this.flush);
    this.flush = undefined;
    if (this.batch.count > 0) this.handler?.received(this.batch);
    if (this.batch.retainedEnd > this.slabStart) this.slabStart = align(this.batch.retainedEnd);
    this.batch.reset();
    this.slabEnd = this.slabStart;
    if (SLAB_BYTES - this.slabStart < PACKET_MAXIMUM) this.replaceSlab();
  };

  /** The old slab lives as long as somebody holds a chunk of it. */
  private replaceSlab(): void {
    this.batch.slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.slabStart = 0;
    this.slabEnd = 0;
  }

  private transmitRow(batch: TransmitBatch, row: number, sockets: DgramSockets): void {
    const familyPort = batch.field(row, TransmitField.destinationFamilyPort);
    const socket = familyPort >>> 16 === 6 ? sockets.v6 : sockets.v4;
    const count = packetCount(batch, row);
    if (socket === undefined || (familyPort & 0xffff) === 0) {
      this.counts.badAddress += count;
      return;
    }
    const ip = this.texts.destination(batch, row);
    for (let index = 0; index < count; index++) {
      const length = packetLength(batch, row, index);
      if (length > PACKET_MAXIMUM) this.counts.tooLarge++;
      else if (socket.getSendQueueSize() + length > TRANSMIT_QUEUE_MAXIMUM) this.counts.queueFull++;
      else this.send(batch, row, index, length, socket, familyPort & 0xffff, ip);
    }
  }

  /** A packet that the kernel does not take at once stays in `outgoing` until it has. */
  private send(
    batch: TransmitBatch,
    row: number,
    index: number,
    length: number,
    socket: Socket,
    port: number,
    ip: string,
  ): void {
    if (this.outgoingEnd + length > OUTGOING_BYTES) {
      this.outgoing = Buffer.allocUnsafeSlow(OUTGOING_BYTES);
      this.outgoingEnd = 0;
    }
    writePacket(batch, row, index, this.outgoing, this.outgoingEnd);
    socket.send(this.outgoing, this.outgoingEnd, length, port, ip, this.handleSent);
    this.outgoingEnd = this.queuedBytes() === 0 ? 0 : this.outgoingEnd + length;
  }

  private readonly handleSent = (error: SendError | null, bytes: number): void => {
    if (this.handler === undefined) return;
    if (error === null) {
      this.counts.packetsSent++;
      this.counts.bytesSent += bytes;
    } else {
      this.counts.sendErrors++;
      this.handleSendError(error, this.handler);
    }
    if (!this.isCongested || this.queuedBytes() > 0) return;
    this.isCongested = false;
    this.handler?.writable();
  };

  private handleSendError(error: SendError, handler: LinkHandler): void {
    const address = error.address === undefined ? undefined : NetworkAddress.parse(error.address, error.port);
    if (address === undefined) return;
    if (error.code === 'EMSGSIZE') handler.packetTooBig(address, this.properties.mtu);
    else if (UNREACHABLE.has(error.code ?? '')) handler.unreachable(address);
  }

  private handleSocketError(error: NodeJS.ErrnoException): void {
    // On some systems an ICMP answer to one packet surfaces as an error of the next receive.
    if (PASSING.has(error.code ?? '')) return;
    const handler = this.handler;
    void this.close();
    handler?.failed(error);
  }

  private queuedBytes(): number {
    return (this.sockets?.v4?.getSendQueueSize() ?? 0) + (this.sockets?.v6?.getSendQueueSize() ?? 0);
  }
}

/** What Node adds to the error of a `send`. */
interface SendError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly port?: number;
}

function closeSockets({ v4, v6 }: DgramSockets): Promise<void> {
  const closings = [v4, v6].map((socket) => socket && new Promise<void>((resolve) => socket.close(() => resolve())));
  return Promise.all(closings).then(() => {});
}

/** Chunks of a slab start at a word, as payload that is read in words likes it. */
function align(offset: number): number {
  return (offset + 7) & ~7;
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH']);
const PASSING = new Set([...UNREACHABLE, 'ECONNRESET', 'ENETDOWN', 'ENETRESET', 'ENOBUFS', 'ENOMEM', 'EMSGSIZE']);

/** Ethernet's. */
const MTU_DEFAULT = 1500;
/** Payload of the largest UDP packet over IPv4. */
const PACKET_MAXIMUM = 65_507;
const BATCH_ROWS = 256;
const SLAB_BYTES = 512 * 1024;
const OUTGOING_BYTES = 256 * 1024;
