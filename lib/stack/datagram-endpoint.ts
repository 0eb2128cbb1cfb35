// A datagram socket's half below the driver (§5.1): unconnected, every datagram is resolved through the
// service table; connected, datagrams stay with the instance of the handshake. One endpoint can do both, and
// a bound one also takes handshakes of others.

import { DATAGRAM_PEERS_MAXIMUM, HALF_OPEN_MAXIMUM } from '../limits';
import { clientOf } from '../sal/client-address';
import type { LocalSocket } from '../sal/first-packets';
import type { Flow, FlowFailure, FlowOwner, SynListener } from '../sal/flow';
import { HalfOpenFlows } from '../sal/half-open-flows';
import type { LinkOutput } from '../sal/link-output';
import type { MigrationTarget } from '../sal/local-interfaces';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import { resetFlow, sendFin } from '../sal/signaling/teardown';
import type { Instant } from '../time/instant';
import { DatagramHandshake } from '../transport/datagram/datagram-handshake';
import { DatagramTransport, writeDatagram } from '../transport/datagram/datagram-transport';
import type { FlowID } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import type { SalPacket } from '../wire/sal-packet';
import { ServiceID, type ServicePrefix } from '../wire/service-id';
import { UDP_HEADER_BYTES } from '../wire/udp-header';
import type { MigrationRefusal } from './control-interface';
import type { FlowMobility } from './flow-mobility';
import { type SendRefusal, UnconnectedSender } from './unconnected-sender';

/** Bits of what happened to an endpoint since the driver asked last. */
export const DatagramSignal = {
  readable: 1,
  connected: 2,
  failed: 4,
  disconnected: 8,
  /** The flow of our own `connect` has other addresses (§4.4). */
  migrated: 16,
  migrationFailed: 32,
  /** As of a connection. */
  settled: 64,
} as const;

/** Where a datagram came from, and how to answer it. */
export interface DatagramOrigin {
  /** Zero for a connected peer: a SYN does not say who its sender is. */
  readonly serviceID: ServiceID;
  readonly address: NetworkAddress;
  /** The flow it came on, when its sender is connected to us. */
  readonly flowID: FlowID | undefined;
  /** The link an answer leaves by. */
  readonly link: number;
  /** How it came: from its sender to us alone, to all on the segment, or by way of a router. */
  readonly way: DatagramWay;
}

export type DatagramWay = 'direct' | 'broadcast' | 'forwarded';

export interface DatagramContext {
  readonly sal: ServiceAccessLayer;
  readonly mobility: FlowMobility;
  touchDatagram(endpoint: DatagramEndpoint): void;
  /** Payload bytes that fit one packet behind a SAL header of `headerBytes` to `remote`. */
  payloadRoom(output: LinkOutput, remote: NetworkAddress, headerBytes: number): number;
  readonly isStarting: boolean;
}

export class DatagramEndpoint implements LocalSocket, SynListener, FlowOwner {
  readonly protocol = 17;
  readonly halfOpen: HalfOpenFlows;
  readonly synListener: SynListener = this;
  /** The driver's handle; the stack does not look inside. */
  handle: object | undefined;
  isTouched = false;
  isClosed = false;
  failure: FlowFailure | undefined;
  /** The flow of our own `connect`. */
  private connected: Flow | undefined;
  /** Flows of peers that are connected to us, the one that was silent longest first. */
  private readonly accepted = new Map<FlowID, Flow>();
  private readonly transport = new DatagramTransport<DatagramOrigin>();
  private readonly unconnected: UnconnectedSender;
  private lastOrigin: DatagramOrigin | undefined;
  private signals = 0;

  constructor(
    private readonly context: DatagramContext,
    readonly prefix: ServicePrefix,
    /** The source of what we send. */
    readonly serviceID: ServiceID,
    /** Source flowID of unconnected datagrams. */
    readonly flowID: FlowID,
    readonly isRegistered: boolean,
  ) {
    this.halfOpen = new HalfOpenFlows(context.sal.random);
    this.unconnected = new UnconnectedSender(context.sal, serviceID, flowID, {
      sent: () => context.touchDatagram(this),
      isStarting: () => context.isStarting,
      payloadRoom: (output, remote, headerBytes) => context.payloadRoom(output, remote, headerBytes),
    });
  }

  takeSignals(): number {
    const { signals } = this;
    this.signals = 0;
    return signals;
  }

  /** Gives the next message to `take`. False when there is none. */
  read(take: (message: Buffer, source: DatagramOrigin) => void): boolean {
    return this.transport.read(take);
  }

  get connectedFlow(): Flow | undefined {
    return this.connected;
  }

  /** Peers that are connected to us, or about to be. */
  get peers(): number {
    return this.accepted.size + this.halfOpen.size;
  }

  // ---- what the application wants ----

  /** Sends to a service, each time resolved anew (§5.1). The bytes are copied: their owner may change them at once. */
  sendTo(target: ServiceID, bytes: Uint8Array, now: Instant): SendRefusal | undefined {
    return this.unconnected.sendTo(target, bytes, now);
  }

  /** Answers the sender of a datagram where it is: others may have its serviceID, and it need not be registered. */
  answer(
    source: Pick<DatagramOrigin, 'serviceID' | 'address' | 'flowID' | 'link'>,
    bytes: Uint8Array,
  ): SendRefusal | undefined {
    if (source.flowID !== undefined) return this.sendConnected(bytes, source.flowID);
    return this.unconnected.send(this.context.sal.links.at(source.link), source.address, source.serviceID, bytes);
  }

  /** Sends on the flow of our own `connect`, or on one that a peer opened to us. */
  sendConnected(bytes: Uint8Array, flowID: FlowID | undefined): SendRefusal | undefined {
    const flow = flowID === undefined ? this.connected : this.accepted.get(flowID);
    if (flow === undefined || !flow.isEstablished || flow.state === 'request') return 'notConnected';
    const output = this.context.sal.links.at(flow.path!.link);
    if (bytes.length > this.context.payloadRoom(output, flow.path!.remote, BARE_HEADERS)) return 'tooLarge';
    const batch = flow.begin(bytes.length);
    if (batch === undefined) return 'noRoom';
    writeDatagram(batch, bytes);
    this.context.touchDatagram(this);
    return undefined;
  }

  /** Takes over a flow whose handshake has begun. */
  setConnecting(flow: Flow): void {
    this.connected = flow;
    flow.owner = this;
  }

  disconnect(now: Instant): void {
    if (this.connected !== undefined) this.endFlow(this.connected, now);
    this.connected = undefined;
  }

  /** The flow of our own `connect` goes to `target`; 'settled' when it is there. */
  migrate(target: MigrationTarget, now: Instant): MigrationRefusal | 'settled' | undefined {
    const flow = this.connected;
    if (flow === undefined) return 'notConnected';
    return this.context.mobility.migrate(flow, target, now);
  }

  get isMoving(): boolean {
    return this.connected?.isMoving === true;
  }

  close(now: Instant): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.disconnect(now);
    for (const flow of [...this.accepted.values()]) this.endFlow(flow, now);
    for (const flow of [...this.halfOpen]) resetFlow(this.context.sal, flow, now);
    this.transport.clear();
    this.context.touchDatagram(this);
  }

  // ---- LocalSocket, SynListener ----

  handleDatagram(packet: SalPacket, batch: ReceivedBatch, row: number, link: number): void {
    const way = packet.source !== undefined ? 'forwarded' : batch.isBroadcast(row) ? 'broadcast' : 'direct';
    const origin = this.originOf(packet.sourceService!, clientOf(packet, batch.source(row)), undefined, link, way);
    this.take(batch, packet.transportOffset, packet.transportLength, origin);
  }

  readonly isFull = false;

  get hasRoom(): boolean {
    return this.halfOpen.size < HALF_OPEN_MAXIMUM;
  }

  createSegments(): HandshakeSegments {
    return new DatagramHandshake();
  }

  /** Nobody tells when a peer has gone without a FIN, so the one that was silent longest makes room. */
  accept(flow: Flow, now: Instant): FlowOwner {
    if (this.accepted.size >= DATAGRAM_PEERS_MAXIMUM) {
      const [silent] = this.accepted.values();
      resetFlow(this.context.sal, silent!, now);
    }
    this.accepted.set(flow.localFlowID, flow);
    return this;
  }

  // ---- FlowOwner ----

  flowConnected(flow: Flow): void {
    if (flow === this.connected) this.signal(DatagramSignal.connected);
  }

  flowMigrated(flow: Flow): void {
    if (flow === this.connected) this.signal(DatagramSignal.migrated | DatagramSignal.settled);
  }

  flowRenewed(flow: Flow): void {
    if (flow === this.connected) this.signal(DatagramSignal.settled);
  }

  flowMigrationFailed(flow: Flow): void {
    if (flow === this.connected) this.signal(DatagramSignal.migrationFailed);
  }

  flowTrain(): void {
    this.context.sal.count('datagramSegmentUnexpected');
  }

  flowMessage(flow: Flow, batch: ReceivedBatch, offset: number, length: number): void {
    const serviceID = flow === this.connected ? flow.service! : ServiceID.zero;
    const flowID = flow === this.connected ? undefined : flow.localFlowID;
    if (this.accepted.delete(flow.localFlowID)) this.accepted.set(flow.localFlowID, flow);
    const { remote: address, link } = flow.path!;
    this.take(batch, offset, length, this.originOf(serviceID, address, flowID, link, 'direct'));
  }

  /** The peer is done with its flow, so are we: a datagram flow has no half-close. */
  flowFinished(flow: Flow, now: Instant): void {
    this.finish(flow, now);
  }

  flowClosed(flow: Flow, failure: FlowFailure | undefined): void {
    this.accepted.delete(flow.localFlowID);
    if (flow !== this.connected) return;
    this.connected = undefined;
    this.failure = failure;
    this.signal(failure === undefined ? DatagramSignal.disconnected : DatagramSignal.failed);
  }

  private endFlow(flow: Flow, now: Instant): void {
    if (flow.state === 'connected') this.finish(flow, now);
    else if (flow.state === 'request' || flow.state === 'respond') resetFlow(this.context.sal, flow, now);
  }

  private finish(flow: Flow, now: Instant): void {
    flow.isAbandoned = true;
    sendFin(this.context.sal, flow, now);
  }

  /** Datagrams come many from one sender, so the last origin often is the next one. */
  private originOf(
    serviceID: ServiceID,
    address: NetworkAddress,
    flowID: FlowID | undefined,
    link: number,
    way: DatagramWay,
  ): DatagramOrigin {
    const last = this.lastOrigin;
    if (last !== undefined && last.serviceID === serviceID && last.address === address && last.flowID === flowID) {
      if (last.link === link && last.way === way) return last;
    }
    this.lastOrigin = { serviceID, address, flowID, link, way };
    return this.lastOrigin;
  }

  private take(batch: ReceivedBatch, offset: number, length: number, origin: DatagramOrigin): void {
    // Flows that a peer opened to us may still bring something until their FINs are through.
    const refusal = this.isClosed ? 'datagramAfterClose' : this.transport.handleMessage(batch, offset, length, origin);
    if (refusal === undefined) this.signal(DatagramSignal.readable);
    else this.context.sal.count(refusal);
  }

  private signal(bit: number): void {
    this.signals |= bit;
    this.context.touchDatagram(this);
  }
}

/** Header bytes around a datagram's payload behind the bare SAL header. */
const BARE_HEADERS = UDP_HEADER_BYTES;
