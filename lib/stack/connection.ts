// A socket made of one transport over one or more flows (§4.4, Figure 6). It carries what the SAL says of a
// flow to the transport and back; what the application is told gathers as bits until the driver asks.
// Long because it is two interfaces, each member a line or a few: the application's and the SAL's.

import type { Flow, FlowFailure, FlowOwner, SynListener } from '../sal/flow';
import type { LocalInterfaces, MigrationTarget } from '../sal/local-interfaces';
import type { HasListPlace } from '../sal/member-list';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import { boundFinWait, resetFlow, sendFin } from '../sal/signaling/teardown';
import { type Duration, earlier, type Instant, NEVER } from '../time/instant';
import type { StreamHandshake } from '../transport/stream/stream-handshake';
import type { StreamState } from '../transport/stream/stream-state';
import type { StreamTransport } from '../transport/stream/stream-transport';
import type { Subflow } from '../transport/stream/subflow';
import { type SegmentSink, TransportSignal } from '../transport/transport';
import type { AddressExtension } from '../wire/address-extension';
import type { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import type { ServiceID } from '../wire/service-id';
import type { ConnectionContext } from './connection-context';
import { ConnectionSignal } from './connection-signal';
import type { MigrationRefusal } from './control-interface';
import {
  type FlowOpening,
  type FlowRefusal,
  type FlowTarget,
  FurtherFlows,
  type FurtherFlowsContext,
} from './further-flows';
import { describeConnection, type HandedOver } from './handoff';
import { type Multipath, multipathOf } from './multipath';

export class Connection implements FlowOwner, FurtherFlowsContext, HasListPlace<Connection> {
  /** A flow's place here is its number to the transport. */
  flows: readonly Flow[] = NO_FLOWS;
  readonly localServiceID: ServiceID | undefined;
  readonly remoteServiceID: ServiceID | undefined;
  failure: FlowFailure | undefined;
  /** The driver's handle; the stack does not look inside. */
  handle: object | undefined;
  /** Places in the stack's queue and list. */
  queuePosition = -1;
  list: object | undefined;
  previousMember: Connection | undefined;
  nextMember: Connection | undefined;
  isTouched = false;
  isAnnounced = false;
  isClosed = false;
  private signals = 0;
  /** As soon as there is more to say of them than that there are none. */
  private further: FurtherFlows | undefined;
  /** The application is done with the connection: what arrives now has no reader. */
  private isAbandoned = false;
  /** It comes from another process, and the peer has not been heard here yet. */
  private isArriving = false;

  constructor(
    private readonly context: ConnectionContext,
    readonly transport: StreamTransport,
    names: { readonly local?: ServiceID; readonly remote?: ServiceID },
    private multipath: Multipath,
  ) {
    this.localServiceID = names.local;
    this.remoteServiceID = names.remote;
    if (multipath.isRedundant) transport.beRedundant();
  }

  // ---- what the driver asks ----

  takeSignals(): number {
    const { signals } = this;
    this.signals = 0;
    this.isAnnounced = false;
    return signals;
  }

  /** As an event of the stack, that says nothing more: one made anew for each message would cost more. */
  get kind(): 'connection' {
    return 'connection';
  }

  get isConnected(): boolean {
    return this.transport.isEstablished && !this.isClosed;
  }

  // ---- what the application wants ----

  write(bytes: Uint8Array, offset: number, now: Instant): number {
    if (this.isClosed) return bytes.length - offset;
    const count = this.transport.write(bytes, offset, now);
    this.context.touch(this);
    return count;
  }

  read(now: Instant): Buffer | undefined {
    const chunk = this.transport.read(now);
    if (chunk !== undefined) this.context.touch(this);
    return chunk;
  }

  shutdown(now: Instant): void {
    this.transport.shutdown(now);
    this.context.touch(this);
  }

  /** RST to the peer, and nothing is kept. */
  reset(now: Instant): void {
    for (const flow of this.flows) resetFlow(this.context.sal, flow, now);
  }

  /** The application lets go. Unread bytes mean a RST, as with a kernel's TCP; otherwise a FIN in good order. */
  close(now: Instant): void {
    if (this.isAbandoned) return;
    this.isAbandoned = true;
    if (this.isClosed) this.transport.release();
    else if (!this.isConnected || this.transport.readableBytes > 0) this.reset(now);
    else {
      this.shutdown(now);
      this.expectEnd(now);
    }
  }

  /** Nobody reads any more: what still arrives resets the connection. */
  abandon(): void {
    this.isAbandoned = true;
  }

  /** Has the driver look again for bytes to read, and for the end. */
  announceReadable(): void {
    if (this.transport.readableBytes > 0 || this.transport.peerEnded) this.signal(ConnectionSignal.readable);
  }

  /**
   * Every flow that is not there goes to `target`: `settled` or `migrationFailed` follows. 'settled' when all are.
   */
  migrate(target: MigrationTarget, now: Instant): MigrationRefusal | 'settled' | undefined {
    if (this.flows.length === 0) return 'notConnected';
    let answer: MigrationRefusal | 'settled' | undefined = 'settled';
    for (const flow of this.flows) {
      const each = this.context.mobility.migrate(flow, target, now);
      if (each === undefined) answer = undefined;
      else if (each !== 'settled') return each;
    }
    return answer;
  }

  /** Has one more flow carry the connection (§4.4): `flowsChanged` follows when it does, or when nobody has answered. */
  openFlow(target: FlowTarget, now: Instant): FlowOpening | FlowRefusal {
    const first = this.flows[0];
    if (first === undefined || !this.isConnected) return 'notConnected';
    // Whoever asks for one by hand wants several, whatever was said before.
    this.takeSeveral();
    const opening = this.furtherFlows(first)?.openTo(target, now) ?? 'noInterface';
    if (typeof opening === 'object' && opening.outcome !== 'pending') this.signal(ConnectionSignal.flowsChanged);
    this.context.touch(this);
    return opening;
  }

  isReserve(flow: Flow): boolean {
    return this.further?.isReserve(flow) ?? false;
  }

  /** Whether the flow is to carry data only while no other one works (§4.4); the peer hears of it. */
  setBackup(flow: Flow, isBackup: boolean, now: Instant): boolean {
    if (!this.flows.includes(flow)) return false;
    this.takeSeveral();
    this.furtherFlows(flow)?.setReserve(flow, isBackup, now);
    this.context.touch(this);
    return true;
  }

  /** The others carry what it had under way. False for the only one, and for one that has ended. */
  closeFlow(flow: Flow, now: Instant): boolean {
    if (this.flows.length < 2 || !this.flows.includes(flow)) return false;
    this.further?.handleClosed(flow, now);
    resetFlow(this.context.sal, flow, now);
    return true;
  }

  /** Whether a flow has asked its peer to follow, and has no answer yet. */
  get isMoving(): boolean {
    return this.flows.some((flow) => flow.isMoving);
  }

  /**
   * Leaves the connection to another process, which needs what is returned: nothing of it is left here, and the peer
   * hears nothing (§4.4; handoff.ts). `undefined` when it is not established with both directions open.
   */
  handOver(now: Instant): HandedOver | undefined {
    const [flow, ...others] = this.flows;
    const stream = this.isClosed || flow?.state !== 'connected' ? undefined : this.transport.handOver(now);
    if (stream === undefined) return undefined;
    const connection = describeConnection(this, flow!, stream);
    const unread: Buffer[] = [];
    for (let chunk = this.transport.read(now); chunk; chunk = this.transport.read(now)) unread.push(chunk);
    for (const other of others) resetFlow(this.sal, other, now);
    flow!.owner = undefined;
    this.sal.close(flow!, undefined, now);
    this.flows = NO_FLOWS;
    this.isAbandoned = true;
    this.end(undefined, now);
    return { connection, unread: Buffer.concat(unread) };
  }

  /** Goes on where another process has stopped, by `flow`. */
  resume(flow: Flow, stream: StreamState, now: Instant): void {
    this.addFlow(flow);
    this.isArriving = true;
    this.transport.resume(stream, this.context.pathSizeOf(flow), now);
    this.signal(ConnectionSignal.connected);
    this.context.touch(this);
  }

  setNoDelay(noDelay: boolean): void {
    this.transport.setNoDelay(noDelay);
    this.context.touch(this);
  }

  setKeepAlive(enabled: boolean, delay: Duration, now: Instant): void {
    this.transport.setKeepAlive(enabled, delay, now);
    this.context.touch(this);
  }

  // ---- what the SAL says ----

  addFlow(flow: Flow): void {
    flow.owner = this;
    this.flows = this.flows.concat(flow);
  }

  flowConnected(flow: Flow, now: Instant): void {
    if (this.transport.isEstablished) return this.handleJoined(flow, now);
    // A server cannot tell a slow third ACK from a repeated one; a client knows when it sent its only SYN.
    const roundTrip = flow.request === undefined ? flow.control.measuredRoundTripTime : undefined;
    this.transport.establish(flow.segments as StreamHandshake, this.context.pathSizeOf(flow), now, roundTrip);
    this.signal(ConnectionSignal.connected);
    if (this.multipath.mode !== 'open') return;
    this.furtherFlows(flow)?.handleAddressesChanged(now);
    this.context.touch(this);
  }

  flowJoining(flow: Flow): SynListener | undefined {
    return this.isClosed ? undefined : this.furtherFlows(flow);
  }

  flowAddresses(flow: Flow, list: AddressExtension, from: NetworkAddress, now: Instant): void {
    this.furtherFlows(flow)?.handleList(flow, list, from, now);
    this.context.touch(this);
  }

  /** The host has other addresses than before. */
  handleAddressesChanged(now: Instant): void {
    if (this.further === undefined) return;
    this.further.handleAddressesChanged(now);
    this.context.touch(this);
  }

  flowPriority(flow: Flow): number {
    return this.further?.priorityOf(flow) ?? 0;
  }

  flowTrain(flow: Flow, batch: ReceivedBatch, row: number, now: Instant): void {
    // Almost always there is one flow, and no list to search.
    const number = this.flows[0] === flow ? 0 : this.flows.indexOf(flow);
    this.transport.handleTrain(number, batch, row, now);
    this.context.touch(this);
  }

  flowMigrating(flow: Flow): void {
    this.transport.freeze(this.flows.indexOf(flow));
  }

  flowPeerMoving(sink: SegmentSink): void {
    this.transport.acknowledgeElsewhere(sink);
  }

  flowMigrated(flow: Flow, now: Instant): void {
    this.flowRenewed(flow, now);
    this.further?.handleMoved(flow, now);
    this.signal(ConnectionSignal.migrated);
  }

  flowRenewed(flow: Flow, now: Instant): void {
    this.transport.pathChanged(this.flows.indexOf(flow), this.context.pathSizeOf(flow), now);
    this.signal(ConnectionSignal.settled | (this.isArriving ? ConnectionSignal.migrated : 0));
    this.isArriving = false;
    this.context.touch(this);
  }

  flowReverted(flow: Flow, now: Instant): void {
    this.transport.thaw(this.flows.indexOf(flow), now);
    this.context.touch(this);
  }

  flowRoundTripTime(flow: Flow, now: Instant): Duration | undefined {
    return this.subflowOf(flow, now)?.roundTripTime;
  }

  flowMigrationFailed(): void {
    this.signal(ConnectionSignal.migrationFailed);
  }

  flowMessage(): void {
    this.context.sal.count('streamPacketUnexpected');
  }

  /** The original ends a stream with the SAL's FIN and shows the application nothing before (wire format §8). */
  flowFinished(_flow: Flow, now: Instant): void {
    this.transport.endOfStream(now);
    this.context.touch(this);
  }

  flowClosed(flow: Flow, failure: FlowFailure | undefined, now: Instant): void {
    const number = this.flows.indexOf(flow);
    this.further?.handleEnded(flow, failure, now);
    if (this.further !== undefined) this.signal(ConnectionSignal.flowsChanged);
    if (number < 0) return this.context.touch(this);
    this.flows = this.flows.filter((each) => each !== flow);
    if (this.flows.length === 0) return this.end(failure, now);
    this.transport.leave(number);
    // One that ended in order has said that both ends are through: the others need not say it again.
    if (failure === undefined && this.transport.finAcknowledged) {
      for (const other of this.flows) this.context.sal.close(other, undefined, now);
    }
    this.context.touch(this);
  }

  // ---- the turn ----

  handleDeadline(now: Instant): void {
    this.further?.handleDeadline(now);
    this.transport.handleDeadline(now);
    this.context.touch(this);
  }

  nextDeadline(): Instant {
    // Without a way out nothing becomes less due by being asked for.
    if (this.isClosed) return NEVER;
    const next = this.flows.every(isCut) ? NEVER : this.transport.nextDeadline();
    return this.further === undefined ? next : earlier(next, this.further.nextDeadline());
  }

  /** Emits what may leave now. True when more could leave as soon as there is room. */
  pollTransmit(now: Instant): boolean {
    const { flows, transport } = this;
    if (flows.length === 1) return transport.pollTransmit(0, flows[0]!, now);
    let more = false;
    for (const number of transport.transmitOrder()) {
      const flow = flows[number];
      if (flow !== undefined && !flow.isCut && transport.pollTransmit(number, flow, now)) more = true;
    }
    return more;
  }

  /** Turns what the transport says into what the application and the SAL are told. */
  settle(now: Instant): void {
    const said = this.transport.takeSignals();
    if ((said & TransportSignal.readable) !== 0) {
      if (this.isAbandoned) return this.reset(now);
      this.signal(ConnectionSignal.readable);
    }
    if ((said & TransportSignal.writable) !== 0) this.signal(ConnectionSignal.writable);
    if ((said & TransportSignal.ended) !== 0) {
      this.signal(ConnectionSignal.ended);
      this.expectEnd(now);
    }
    if ((said & TransportSignal.finished) !== 0) this.handleFinished(now);
    if ((said & TransportSignal.silent) !== 0) this.tellSilent(now);
    if ((said & TransportSignal.timedOut) !== 0) this.fail('timedOut', now);
    if ((said & TransportSignal.reset) !== 0) this.fail('reset', now);
  }

  packetTooBig(flow: Flow, size: number, now: Instant): void {
    this.transport.packetTooBig(this.flows.indexOf(flow), size, now);
    this.context.touch(this);
  }

  subflowOf(flow: Flow, now: Instant): Subflow | undefined {
    return this.transport.subflow(this.flows.indexOf(flow), now);
  }

  /** Ends every flow for a reason the application is told. */
  fail(failure: FlowFailure, now: Instant): void {
    this.failure ??= failure;
    if (this.flows.length === 0) this.end(failure, now);
    else this.reset(now);
  }

  /** §4.4: the flow's FIN follows the stream's own. */
  private handleFinished(now: Instant): void {
    this.signal(ConnectionSignal.finished);
    for (const flow of this.flows) {
      this.adoptRoundTripTime(flow, now);
      sendFin(this.context.sal, flow, now);
    }
  }

  private tellSilent(now: Instant): void {
    for (const flow of this.flows) {
      const subflow = this.subflowOf(flow, now);
      if (subflow?.hasFallenSilent !== true) continue;
      subflow.hasFallenSilent = false;
      this.context.pathSilent(flow);
    }
  }

  private adoptRoundTripTime(flow: Flow, now: Instant): void {
    const roundTripTime = this.subflowOf(flow, now)?.roundTripTime;
    if (roundTripTime !== undefined) flow.control.adoptRoundTripTime(roundTripTime);
  }

  /** Nothing more is read: all that is to come is the peer's FIN, and that not for ever. */
  private expectEnd(now: Instant): void {
    for (const flow of this.flows) {
      flow.isAbandoned = true;
      boundFinWait(flow, now);
      this.context.sal.reschedule(flow);
    }
  }

  private end(failure: FlowFailure | undefined, now: Instant): void {
    this.isClosed = true;
    this.further?.close(now);
    this.failure ??= failure;
    // What was received before a failure can still be read: the driver lets go when it has told of it.
    if (this.failure !== undefined) this.signal(ConnectionSignal.failed);
    else if (this.isAbandoned) this.transport.release();
    this.signal(ConnectionSignal.closed);
    this.context.forget(this);
  }

  private handleJoined(flow: Flow, now: Instant): void {
    // No first packet of its own has passed any.
    flow.routers = this.flows[0]?.routers;
    this.flows = this.flows.concat(flow);
    this.further?.handleJoined(flow, now);
    const { peerMaximumSegment } = flow.segments as StreamHandshake;
    const roundTrip = flow.request === undefined ? flow.control.measuredRoundTripTime : undefined;
    const size = this.context.pathSizeOf(flow);
    if (!this.transport.join({ peerMaximumSegment, size, roundTrip }, now)) resetFlow(this.context.sal, flow, now);
    // A stream that rested with one flow knows of none that is for reserve.
    for (const [number, each] of this.flows.entries()) this.transport.setBackup(number, this.isReserve(each), now);
    this.signal(ConnectionSignal.flowsChanged);
    this.context.touch(this);
  }

  private furtherFlows(flow: Flow): FurtherFlows | undefined {
    const isPossible = this.multipath.mode !== 'never' && flow.isEncapsulated && flow.path?.remote.isLoopback === false;
    if (!isPossible) return undefined;
    this.further ??= new FurtherFlows(flow, this.multipath, this);
    return this.further;
  }

  // ---- FurtherFlowsContext ----

  get sal(): ServiceAccessLayer {
    return this.context.sal;
  }

  get owner(): FlowOwner {
    return this;
  }

  get interfaces(): LocalInterfaces {
    return this.context.mobility.interfaces;
  }

  createSegments(link: number): HandshakeSegments {
    return this.context.createFlowSegments(link);
  }

  peerAddressChanged(flow: Flow, isThere: boolean, now: Instant): void {
    if (isThere) this.transport.thaw(this.flows.indexOf(flow), now);
    else this.transport.freeze(this.flows.indexOf(flow));
  }

  priorityChanged(flow: Flow, isReserve: boolean, now: Instant): void {
    this.transport.setBackup(this.flows.indexOf(flow), isReserve, now);
    this.signal(ConnectionSignal.flowsChanged);
  }

  private takeSeveral(): void {
    if (this.multipath.mode === 'never') this.multipath = multipathOf(true, 'accept');
  }

  private signal(bit: number): void {
    this.signals |= bit;
    if (this.isAnnounced) return;
    this.isAnnounced = true;
    this.context.announce(this);
  }
}

function isCut(flow: Flow): boolean {
  return flow.isCut;
}

/** Shared: an empty array that is pushed to has room for seventeen. */
const NO_FLOWS: readonly Flow[] = [];
