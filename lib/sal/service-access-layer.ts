// The Service Access Layer (§4.2): received rows in, and each goes to the flow it belongs to or is a first
// packet to resolve. It owns the two tables and the flows' deadlines. What is inside the transport part, and
// which connection a flow belongs to, is the stack's.
// Long because both tables, and what the signaling may ask of them, stand in one place.

import { FLOWS_MAXIMUM, OUTLIER_SUSPICION, RELAYED_SYNS, RELAYED_SYNS_OF_MEMBERS } from '../limits';
import { FlowTable } from '../table/flow-table';
import type { RuleKey } from '../table/service-rule';
import { ServiceTable } from '../table/service-table';
import { DeadlineQueue } from '../time/deadline-queue';
import { earlier, type Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { AddressExtension } from '../wire/address-extension';
import { ControlFlag } from '../wire/control-extension';
import { EndpointSourceFlag } from '../wire/endpoint-source-extension';
import { FLOW_ID_UNKNOWN, type FlowID, type FlowTag } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import { type ReceivedBatch, ReceivedField, RowKind } from '../wire/received-batch';
import { isWireError, type SalPacket } from '../wire/sal-packet';
import { SalPacketReader } from '../wire/sal-packet-reader';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import { BurstReadAhead } from './burst-read-ahead';
import { clientOf, isAnswerable } from './client-address';
import { Counters } from './counters';
import { FirstPackets } from './first-packets';
import { type Flow, type FlowFailure, MANY_HOPS, type SynListener } from './flow';
import { type ConnectRetried, type FailureReason, type InstanceFailure, InstanceFailures } from './instance-failures';
import { LinkOutput } from './link-output';
import type { LinkProperties } from './link-properties';
import { Links } from './links';
import { LocalInterfaces } from './local-interfaces';
import { MemberList } from './member-list';
import { OldRouters } from './old-routers';
import { isFromPeer, isOfPeer, isOnPath } from './on-path';
import type { Path } from './path';
import { PathCache } from './path-cache';
import { ReplyRelay } from './reply-relay';
import type { Verdict } from './resolution';
import { handleSighting } from './signaling/challenge';
import { confirmHandshake, handleEarlyData, handleSyn } from './signaling/handshake';
import { sendJoin } from './signaling/join';
import type { MigrationOutcome } from './signaling/migration-record';
import { routeRequest } from './signaling/ping';
import { isForUsAlone, refuseSynAck, refuseThirdAck } from './signaling/refusal';
import { isForResyncRelay, ResyncRelay } from './signaling/resync-relay';
import { handleControl, handleFlowDeadline } from './signaling/signaling';
import type { Origin, ReceivedControl, SignalingContext } from './signaling/signaling-context';
import { boundFinWait, payAcknowledgment } from './signaling/teardown';
import { handleEnded } from './signaling/time-wait-answer';
import { TimeWait } from './time-wait';

/** What the SAL tells the stack above it. */
export interface ServiceAccessLayerObserver {
  /** Nobody answers where the flow, whose address is gone, tries to go on (§4.4). */
  pathSilent?(flow: Flow): void;
  /** What has become of a move of a flow of ours (§4.4). */
  migrationEnded?(flow: Flow, outcome: MigrationOutcome): void;
  /** A packet for `service` waits behind a DELAY rule (§4.3). */
  delayed(service: ServiceID, now: Instant): void;
  /** Nobody waits for `service` any more: too old, too many, or the connect has ended. */
  abandoned(service: ServiceID): void;
  /** An instance does not do what a rule says of it. */
  instanceFailed(failure: InstanceFailure | ConnectRetried, now: Instant): void;
  /** Whether a socket of ours has the service, and takes nobody for now. */
  isWithdrawn?(service: ServiceID, protocol: 6 | 17): boolean;
}

export class ServiceAccessLayer implements SignalingContext {
  readonly serviceTable = new ServiceTable();
  readonly flowTable: FlowTable<Flow>;
  readonly links = new Links();
  readonly counters = new Counters();
  readonly firstPackets = new FirstPackets(this);
  private readonly failures: InstanceFailures;
  private readonly readAhead = new BurstReadAhead(this.serviceTable);
  /** A service router, or the process that is one for its host, forwards what it receives (§4.2). */
  forwards = false;
  /** Whether answers to the SYNs of strangers come back this way as well (§7). */
  relaysReplies = false;
  readonly relay: ReplyRelay;
  private readonly reader = new SalPacketReader();
  private readonly deadlines = new DeadlineQueue<Flow>();
  readonly timeWait = new TimeWait();
  /** Flows whose SYN nobody has answered yet. */
  private readonly connecting = new MemberList<Flow>();
  private readonly paths = new PathCache();
  readonly interfaces = new LocalInterfaces();
  readonly oldRouters = new OldRouters(this.interfaces);
  private readonly resyncRelay: ResyncRelay;
  /** Flows that owe their peers an acknowledgment in this turn. */
  private readonly owing: Flow[] = [];
  private readonly rests = (id: FlowID): boolean => this.timeWait.has(id);

  constructor(
    readonly random: RandomSource,
    private readonly observer: ServiceAccessLayerObserver,
    flowTag?: FlowTag,
  ) {
    this.flowTable = new FlowTable(FLOWS_MAXIMUM, flowTag);
    this.resyncRelay = new ResyncRelay(random, this.serviceTable);
    const remembered = () => (this.relaysReplies ? RELAYED_SYNS : RELAYED_SYNS_OF_MEMBERS);
    this.relay = new ReplyRelay(random, (link) => this.links.at(link), remembered);
    this.failures = new InstanceFailures(this.serviceTable, (failure, now) => observer.instanceFailed(failure, now));
  }

  // ---- what the network and the clock did ----

  handleReceived(link: number, batch: ReceivedBatch, now: Instant): void {
    let ahead = 0;
    for (let row = 0; row < batch.count; row++) {
      if (row === ahead) ahead = this.readAhead.read(batch, row);
      if (batch.kind(row) === RowKind.train) this.handleTrain(batch, row, link, now);
      else if (!this.firstPackets.forwardingPath.handleRow(link, batch, row, now)) {
        this.handlePacket(link, batch, row, now);
      }
    }
    this.firstPackets.forwardingPath.countForwarded();
  }

  handleDeadline(now: Instant): void {
    for (let flow = this.deadlines.popDue(now); flow !== undefined; flow = this.deadlines.popDue(now)) {
      handleFlowDeadline(this, flow, now);
    }
    this.firstPackets.handleDeadline(now);
    this.timeWait.handleDeadline(now);
  }

  /** What is due at the end of a turn, behind all that the connections had to say. */
  pollTransmit(): void {
    for (const flow of this.owing) payAcknowledgment(flow);
    this.owing.length = 0;
  }

  nextDeadline(): Instant {
    return earlier(earlier(this.deadlines.next(), this.firstPackets.nextDeadline()), this.timeWait.nextDeadline());
  }

  // ---- what the stack wants ----

  attachLink(properties: LinkProperties): LinkOutput {
    const output = new LinkOutput(this.links.length, properties);
    this.links.add(output);
    return output;
  }

  /**
   * A rule has come: connects without an answer try again now. What waits behind a DELAY rule goes when it is
   * released: by then all rules are there that it is to be spread over.
   */
  retryFirstPackets(prefix: ServicePrefix, now: Instant): void {
    for (const flow of [...this.connecting]) {
      if (!prefix.contains(flow.service!) || this.firstPackets.isDelayed(flow)) continue;
      // Who was not there before the change may be there behind it.
      flow.unreachable = undefined;
      this.sendFirstPacket(flow, now);
    }
  }

  /** The rule is passed over now: connects that wait for an answer from there go on elsewhere, unless it is due yet. */
  handleEjected(rule: RuleKey, now: Instant): void {
    if (rule.action !== 'forward') return;
    for (const flow of this.connecting) {
      const isThere = flow.lastHop !== MANY_HOPS && flow.lastHop?.equals(rule.address) === true;
      if (!isThere || !rule.prefix.contains(flow.service!)) continue;
      flow.control.hastenAfter(OUTLIER_SUSPICION, now);
      this.reschedule(flow);
    }
  }

  releaseDelayed(prefix: ServicePrefix, now: Instant): void {
    this.firstPackets.release(prefix, now, (link, batch) => this.handleReceived(link, batch, now));
  }

  /** Flows whose next hop, or whose peer, is at `address`. */
  flowsTo(address: NetworkAddress): Flow[] {
    const flows: Flow[] = [];
    for (const flow of this.flowTable.values()) {
      const at = flow.state === 'request' ? flow.lastHop : flow.path?.remote;
      if (at?.equals(address) === true) flows.push(flow);
    }
    return flows;
  }

  // ---- for the signaling, and for first packets ----

  admit(flow: Flow): boolean {
    const id = this.flowTable.allocate(this.random, flow, this.rests);
    if (id === undefined) return false;
    flow.localFlowID = id;
    return true;
  }

  /** Gives the flow the flowID that it has had in another process. False when that is taken here, or the table full. */
  admitAs(flow: Flow, id: FlowID): boolean {
    if (this.flowTable.size >= FLOWS_MAXIMUM || this.flowTable.get(id) !== undefined || this.rests(id)) return false;
    flow.localFlowID = id;
    this.flowTable.store(id, flow);
    return true;
  }

  close(flow: Flow, failure: FlowFailure | undefined, now: Instant): void {
    if (this.flowTable.get(flow.localFlowID) !== flow) return;
    flow.request?.listener.halfOpen.delete(flow);
    if (this.connecting.delete(flow)) this.firstPackets.withdraw(flow);
    this.deadlines.remove(flow);
    this.flowTable.release(flow.localFlowID);
    const { owner, migration } = flow;
    flow.owner = undefined;
    owner?.flowClosed(flow, failure, now);
    if (migration?.own?.kind === 'move') this.migrationEnded(flow, 'closed');
  }

  enterTimeWait(flow: Flow, now: Instant): void {
    if (!this.timeWait.add(flow, now)) this.count('timeWaitOverflow');
    this.close(flow, undefined, now);
  }

  oweAcknowledgment(flow: Flow): void {
    flow.owesAcknowledgment = true;
    this.owing.push(flow);
  }

  reschedule(flow: Flow): void {
    if (this.flowTable.get(flow.localFlowID) === flow) this.deadlines.hasten(flow, flow.nextDeadline());
  }

  /** Sends the flow's SYN to every address its service resolves to now, or to those that its maker chose. */
  sendFirstPacket(flow: Flow, now: Instant): boolean {
    if (flow.isJoining) {
      sendJoin(flow);
      return true;
    }
    const service = flow.service!;
    if (flow.via === undefined) this.connecting.add(flow);
    const content = { service, segment: 'syn', detail: flow.attempts?.detail ?? 0 } as const;
    let sent = 0;
    let isBroadcast = false;
    const send = (output: LinkOutput, address: NetworkAddress): void => {
      flow.lastHop = sent++ === 0 && !isBroadcast ? address : MANY_HOPS;
      const asks = flow.stopsAtAnswer && output.properties.encapsulated;
      const said = asks ? { ...content, ...routeRequest(flow) } : content;
      flow.sendControlTo(output, address, undefined, ControlFlag.syn, flow.control.sendUnacknowledged, said);
    };
    if (flow.via !== undefined) {
      for (const address of flow.via) send(this.links.towards(address), address);
      return flow.via.length > 0;
    }
    const verdict = this.resolveFor(flow, now);
    isBroadcast = verdict?.action === 'forward' && verdict.broadcast;
    this.firstPackets.sendOwn(verdict, send);
    if (verdict?.action === 'delay') {
      const resend = (later: Instant): void => {
        if (flow.state === 'request') this.sendFirstPacket(flow, later);
      };
      this.firstPackets.delayOwn(service, resend, now, flow);
    } else this.firstPackets.withdraw(flow);
    if (verdict?.action === 'drop') this.handleDropped(flow, verdict.refuses, now);
    return verdict !== undefined;
  }

  private handleDropped(flow: Flow, refuses: boolean, now: Instant): void {
    this.count(refuses ? 'ruleRefused' : 'ruleDrop');
    if (refuses) this.close(flow, 'refused', now);
  }

  /** Who did not answer is asked again when there is nobody else. */
  private resolveFor(flow: Flow, now: Instant): Verdict {
    const verdict = this.firstPackets.resolveConnect(flow, now);
    if (verdict !== undefined || flow.attempts?.forgetSilent() !== true) return verdict;
    return this.firstPackets.resolveConnect(flow, now);
  }

  leadsSomewhere(flow: Flow): boolean {
    return this.firstPackets.leadsSomewhere(flow);
  }

  noteFailure(service: ServiceID, hop: NetworkAddress, why: FailureReason, now: Instant): void {
    if (!this.failures.note(service, hop, why, now)) this.count('instanceFailureUntold');
  }

  isWithdrawn(service: ServiceID, protocol: 6 | 17): boolean {
    return this.observer.isWithdrawn?.(service, protocol) === true;
  }

  noteRetry(service: ServiceID, now: Instant): void {
    if (!this.failures.noteRetry(service, now)) this.count('instanceFailureUntold');
  }

  /** ICMP says that nobody is at `address`: perhaps where first packets went. */
  noteUnreachable(address: NetworkAddress, now: Instant): void {
    const isTold = this.failures.noteUnreachable(address, this.firstPackets.recent, now);
    if (!isTold) this.count('instanceFailureUntold');
  }

  endFirstPackets(flow: Flow): void {
    this.connecting.delete(flow);
    this.firstPackets.withdraw(flow);
  }

  handleListenerSyn(listener: SynListener, received: ReceivedControl, now: Instant): void {
    handleSyn(this, listener, received, now);
  }

  noteDelayed(service: ServiceID, now: Instant): void {
    this.observer.delayed(service, now);
  }

  noteAbandoned(service: ServiceID): void {
    this.observer.abandoned(service);
  }

  localAddressOf({ batch, row }: Origin): NetworkAddress | undefined {
    if (batch.isBroadcast(row)) return undefined;
    const local = batch.local(row);
    return local.isUnspecified ? undefined : local.withPort(0);
  }

  pathSilent(flow: Flow): void {
    this.observer.pathSilent?.(flow);
  }

  migrationEnded(flow: Flow, outcome: MigrationOutcome): void {
    this.observer.migrationEnded?.(flow, outcome);
  }

  alternativesTo({ remote }: Path, output: LinkOutput): AddressExtension | undefined {
    if (!output.properties.encapsulated || remote.isLoopback) return undefined;
    return this.interfaces.alternativesTo(remote.family);
  }

  isAnswerable(client: NetworkAddress, from: NetworkAddress): boolean {
    return isAnswerable(client, from, this.serviceTable);
  }

  pathOf(link: number, local: NetworkAddress | undefined, remote: NetworkAddress): Path {
    return this.paths.of(link, local, remote);
  }

  count(name: string): void {
    this.counters.count(name);
  }

  // ---- rows ----

  private handleTrain(batch: ReceivedBatch, row: number, link: number, now: Instant): void {
    const flow = this.flowTable.get(batch.destinationFlowID(row) as FlowID);
    if (flow === undefined) {
      if (!this.rests(batch.destinationFlowID(row) as FlowID)) this.count('unknownFlow');
    } else if (!isOnPath(flow, batch, row, now)) {
      const segments = batch.field(row, ReceivedField.segments);
      const bytes = batch.field(row, ReceivedField.length) + segments * BARE_SEGMENT_BYTES;
      this.handleOffPath(flow, { batch, row, output: this.links.dataLink(link) }, bytes, now);
    } else {
      notePeer(flow, now);
      flow.owner?.flowTrain(flow, batch, row, now);
    }
  }

  private handlePacket(link: number, batch: ReceivedBatch, row: number, now: Instant): void {
    const offset = batch.field(row, ReceivedField.offset);
    const packet = this.reader.read(batch.slab, offset, batch.field(row, ReceivedField.length));
    if (isWireError(packet)) {
      this.count(packet);
      return;
    }
    const received = { packet, batch, row, output: this.links.dataLink(link) };
    if (!batch.source(row).isUnicast) this.count('sourceAddress');
    else if (packet.protocol !== 6 && packet.protocol !== 17) this.count('unknownProtocol');
    else if (isFirstPacket(packet)) this.firstPackets.handleReceived(received, link, now);
    else if (((packet.sourceFlags ?? 0) & EndpointSourceFlag.relay) !== 0) this.passOn(received, link, now);
    else this.handleFlowPacket(received, now);
  }

  /** From the port that the client, or the end of a flow, has asked at: its middlebox knows no other. */
  private passOn(received: ReceivedControl, link: number, now: Instant): void {
    const output = this.links.at(link);
    if (!isForResyncRelay(received.packet)) this.count(this.relay.pass(received, now));
    else if (!this.forwards || !output.properties.encapsulated) this.count('resyncRefused');
    else this.count(this.resyncRelay.pass(received, output, now));
  }

  /** A packet of an established flow that is not a bare TCP segment: signaling, a datagram, or extensions. */
  private handleFlowPacket(received: ReceivedControl, now: Instant): void {
    const { packet, batch, row } = received;
    const flow = this.flowTable.get(packet.destinationFlowID);
    if (flow === undefined || flow.protocol !== packet.protocol) {
      if (!handleEnded(this, received)) this.handleUnknownFlow(received);
    } else if (packet.control !== undefined) handleControl(this, flow, received, now);
    else if (!isOnPath(flow, batch, row, now)) {
      this.handleOffPath(flow, received, batch.field(row, ReceivedField.length), now);
    } else {
      notePeer(flow, now);
      flow.owner?.flowMessage(flow, batch, packet.transportOffset, packet.transportLength, now);
    }
  }

  /**
   * A third ACK whose half-open flow is gone: its client believes that it is connected, and is told better. A SYN-ACK
   * whose client has given up: its server need not wait for a third ACK. Other packets of unknown flows get no answer
   * (wire format §7). On a link without ports every process of the host hears it, and the flow may be another's.
   */
  private handleUnknownFlow(received: ReceivedControl): void {
    const { packet, batch, row } = received;
    this.count('unknownFlow');
    const isThirdAck = packet.control?.flags === ControlFlag.ack && packet.destinationService !== undefined;
    const isSynAck = packet.control?.flags === (ControlFlag.syn | ControlFlag.ack);
    if ((!isThirdAck && !isSynAck) || !isForUsAlone(received)) return;
    const from = batch.source(row);
    const client = isThirdAck ? clientOf(packet, from) : from;
    if (!isAnswerable(client, from, this.serviceTable)) this.count('sourceAddress');
    else if (isThirdAck) refuseThirdAck(received);
    else refuseSynAck(received);
  }

  /** Data from elsewhere, or from a client whose third ACK is still to come. */
  private handleOffPath(flow: Flow, origin: Origin, bytes: number, now: Instant): void {
    const { batch, row } = origin;
    this.count('offPath');
    if (!isOfPeer(flow, batch, row)) return;
    if (flow.state !== 'respond') handleSighting(this, flow, { ...origin, bytes }, now);
    else if (isFromPeer(flow, batch, row)) handleEarlyData(flow, bytes);
  }
}

/** A SYN, or a datagram without a flow: resolved by service, not by flowID. */
function isFirstPacket(packet: SalPacket): boolean {
  if (packet.destinationService === undefined) return false;
  if (packet.control === undefined)
    return packet.destinationFlowID === FLOW_ID_UNKNOWN && packet.sourceService !== undefined;
  return (packet.control.flags & (ControlFlag.syn | ControlFlag.ack)) === ControlFlag.syn;
}

function notePeer(flow: Flow, now: Instant): void {
  flow.unreachable = undefined;
  confirmHandshake(flow);
  boundFinWait(flow, now);
}

/** The SAL and TCP headers of a segment in a train. */
const BARE_SEGMENT_BYTES = 32;
