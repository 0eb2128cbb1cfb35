// A datagram socket's half below the driver (§5.1): unconnected, every datagram is resolved through the
// service table; connected, datagrams stay with the instance of the handshake. One endpoint can do both, and
// a bound one also takes handshakes of others.

import { DATAGRAM_PEERS_MAXIMUM, HALF_OPEN_MAXIMUM, SAL_HEADER_MINIMUM } from '../limits';
import { clientOf } from '../sal/client-address';
import { LOOPBACK_ADDRESS, type LocalSocket } from '../sal/first-packets';
import type { Flow, FlowFailure, FlowOwner, SynListener } from '../sal/flow';
import { HalfOpenFlows } from '../sal/half-open-flows';
import type { LinkOutput } from '../sal/link-output';
import { goesToAll } from '../sal/resolution';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import { resetFlow, sendFin } from '../sal/signaling/teardown';
import type { ResolvedForward } from '../table/resolved-rule';
import { ResolutionReach } from '../table/service-table';
import type { Instant } from '../time/instant';
import { DatagramHandshake } from '../transport/datagram/datagram-handshake';
import { DatagramTransport, writeDatagram } from '../transport/datagram/datagram-transport';
import { FLOW_ID_UNKNOWN, type FlowID } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import { type SalPacket, writeSalPacketHeader } from '../wire/sal-packet';
import { SERVICE_EXTENSION_BYTES } from '../wire/service-extension';
import { ServiceID, type ServicePrefix } from '../wire/service-id';
import { UDP_HEADER_BYTES } from '../wire/udp-header';

/** Bits of what happened to an endpoint since the driver asked last. */
export const DatagramSignal = { readable: 1, connected: 2, failed: 4, disconnected: 8 } as const;

/** Why a datagram did not leave. */
export type SendRefusal = 'tooLarge' | 'noRoute' | 'notConnected' | 'noRoom' | 'dropped';

/** Where a datagram came from, and how to answer it. */
export interface DatagramOrigin {
  /** Zero for a connected peer: a SYN does not say who its sender is. */
  readonly serviceID: ServiceID;
  readonly address: NetworkAddress;
  /** The flow it came on, when its sender is connected to us. */
  readonly flowID: FlowID | undefined;
  /** The link an answer leaves by. */
  readonly link: number;
}

export interface DatagramContext {
  readonly sal: ServiceAccessLayer;
  touchDatagram(endpoint: DatagramEndpoint): void;
  /** Payload bytes that fit one packet behind a SAL header of `headerBytes` to `remote`. */
  payloadRoom(output: LinkOutput, remote: NetworkAddress, headerBytes: number): number;
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
  private readonly header = new Uint8Array(UNCONNECTED_HEADER_BYTES);
  private headerTarget: ServiceID | undefined;
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

  get acceptedFlows(): number {
    return this.accepted.size;
  }

  // ---- what the application wants ----

  /** Sends to a service, each time resolved anew (§5.1). The bytes are copied: their owner may change them at once. */
  sendTo(target: ServiceID, bytes: Uint8Array, now: Instant): SendRefusal | undefined {
    const { sal } = this.context;
    const verdict = sal.firstPackets.resolveOwn(target, 17, now);
    if (verdict === undefined) return 'noRoute';
    if (verdict.action === 'drop') return 'dropped';
    if (verdict.action === 'delay') return this.delay(target, new Uint8Array(bytes), now);
    if (verdict.action === 'demux') return this.emitUnconnected(sal.links.loopback, LOOPBACK_ADDRESS, target, bytes);
    if (!goesToAll(verdict, ResolutionReach.any))
      return this.emitUnconnected(sal.links.dataLink(verdict.link), verdict.address, target, bytes);
    return this.sendToAll(verdict, target, bytes);
  }

  /** Answers the sender of a datagram where it is: others may have its serviceID, and it need not be registered. */
  answer(
    source: Pick<DatagramOrigin, 'serviceID' | 'address' | 'flowID' | 'link'>,
    bytes: Uint8Array,
  ): SendRefusal | undefined {
    if (source.flowID !== undefined) return this.sendConnected(bytes, source.flowID);
    return this.emitUnconnected(this.context.sal.links.at(source.link), source.address, source.serviceID, bytes);
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
    const origin = this.originOf(packet.sourceService!, clientOf(packet, batch.source(row)), undefined, link);
    this.take(batch, packet.transportOffset, packet.transportLength, origin);
  }

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

  flowTrain(): void {
    this.context.sal.count('datagramSegmentUnexpected');
  }

  flowMessage(flow: Flow, batch: ReceivedBatch, offset: number, length: number): void {
    const serviceID = flow === this.connected ? flow.service! : ServiceID.zero;
    const flowID = flow === this.connected ? undefined : flow.localFlowID;
    if (this.accepted.delete(flow.localFlowID)) this.accepted.set(flow.localFlowID, flow);
    const { remote: address, link } = flow.path!;
    this.take(batch, offset, length, this.originOf(serviceID, address, flowID, link));
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

  private sendToAll(rule: ResolvedForward, target: ServiceID, bytes: Uint8Array): SendRefusal | undefined {
    const { links, serviceTable } = this.context.sal;
    let refusal: SendRefusal | undefined;
    for (const { link, address } of serviceTable.selectedSet(rule, ResolutionReach.any)) {
      refusal = this.emitUnconnected(links.dataLink(link), address, target, bytes) ?? refusal;
    }
    return refusal;
  }

  private delay(target: ServiceID, copy: Uint8Array, now: Instant): undefined {
    const resend = (later: Instant): void => void this.sendTo(target, copy, later);
    this.context.sal.firstPackets.delayOwn(target, resend, now);
  }

  private emitUnconnected(
    output: LinkOutput,
    address: NetworkAddress,
    target: ServiceID,
    bytes: Uint8Array,
  ): SendRefusal | undefined {
    if (bytes.length > this.context.payloadRoom(output, address, UNCONNECTED_HEADERS)) return 'tooLarge';
    const batch = output.withRoom(bytes.length);
    if (batch === undefined) return 'noRoom';
    batch.begin(address, undefined);
    batch.headers.set(this.headerTo(target), batch.headerEnd);
    batch.headerEnd += UNCONNECTED_HEADER_BYTES;
    writeDatagram(batch, bytes);
    this.context.touchDatagram(this);
    return undefined;
  }

  /** The SAL header of an unconnected datagram: the same for each to one service. */
  private headerTo(target: ServiceID): Uint8Array {
    if (target === this.headerTarget) return this.header;
    this.headerTarget = target;
    writeSalPacketHeader(this.header, 0, {
      sourceFlowID: this.flowID,
      destinationFlowID: FLOW_ID_UNKNOWN,
      protocol: 17,
      destinationService: target,
      sourceService: this.serviceID,
    });
    return this.header;
  }

  /** Datagrams come many from one sender, so the last origin often is the next one. */
  private originOf(
    serviceID: ServiceID,
    address: NetworkAddress,
    flowID: FlowID | undefined,
    link: number,
  ): DatagramOrigin {
    const last = this.lastOrigin;
    if (last !== undefined && last.serviceID === serviceID && last.address === address && last.flowID === flowID) {
      if (last.link === link) return last;
    }
    this.lastOrigin = { serviceID, address, flowID, link };
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
/** The same with two SERVICE extensions. */
const UNCONNECTED_HEADERS = UDP_HEADER_BYTES + 2 * SERVICE_EXTENSION_BYTES;
const UNCONNECTED_HEADER_BYTES = SAL_HEADER_MINIMUM + 2 * SERVICE_EXTENSION_BYTES;
