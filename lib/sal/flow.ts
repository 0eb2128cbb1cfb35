// One flow: the two flowIDs and nonces, the path, the control numbering and the state (§3.2, §4.4). It knows
// how to put its packets into its link's batch; when to do so is decided by signaling/ and by the transport.
// Long because the state of a flow, and the packets that it can send, stand in one place.

import { after, type Duration, earlier, type Instant, NEVER } from '../time/instant';
import type { AddressExtension } from '../wire/address-extension';
import type { ControlSequence } from '../wire/control-extension';
import { FLOW_ID_UNKNOWN, type FlowID, FlowNonce, flowID } from '../wire/flow-id';
import { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import { writeBareSalHeader } from '../wire/sal-header';
import { writeSalPacketHeader } from '../wire/sal-packet';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import type { TransmitBatch } from '../wire/transmit-batch';
import type { HalfOpenFlows } from './half-open-flows';
import type { LinkOutput } from './link-output';
import type { HasListPlace } from './member-list';
import type { Path } from './path';
import type { ConnectAttempts } from './signaling/connect-attempts';
import { ControlChannel } from './signaling/control-channel';
import { type FlowEvent, type FlowState, nextFlowState } from './signaling/flow-state';
import type { HandshakeSegments } from './signaling/handshake-segments';
import type { Migration } from './signaling/migration-record';

/** Why a flow ended before both ends had closed it. */
export type FlowFailure = 'refused' | 'reset' | 'timedOut' | 'noRoute' | 'noRoom' | 'hostClosed';

/** Starts a packet of the data stream; `undefined` when there is no room. */
export interface PacketSink {
  begin(): TransmitBatch | undefined;
}

/** The connection a flow belongs to, as the SAL sees it. */
export interface FlowOwner {
  flowConnected(flow: Flow, now: Instant): void;
  /** A row of joined TCP segments for this flow. */
  flowTrain(flow: Flow, batch: ReceivedBatch, row: number, now: Instant): void;
  /** A packet with another transport: its transport part. */
  flowMessage(flow: Flow, batch: ReceivedBatch, offset: number, length: number, now: Instant): void;
  /** Only where the flow stops at its answer: the router that is not to pass its SYN on, counted from 1. */
  readonly stopsAtHop?: number | undefined;
  /** Only where the flow stops at its answer: it came by `flow.path`, and the SYN through these routers. */
  flowAnswered?(flow: Flow, routers: readonly NetworkAddress[], now: Instant): void;
  /** The same by the router at which the SYN was to stop. */
  flowStopped?(flow: Flow, now: Instant): void;
  /** The peer's FIN: it will send nothing more on this flow. */
  flowFinished(flow: Flow, now: Instant): void;
  /** One of its ends is between two addresses: nothing that is lost now tells of the path (§4.4). */
  flowMigrating?(flow: Flow, now: Instant): void;
  /** The peer may be where the sink leads by now: it is to hear what has come, in one packet without options. */
  flowPeerMoving?(sink: PacketSink): void;
  /** It goes another way from now on. */
  flowMigrated?(flow: Flow, now: Instant): void;
  /** It has the addresses that it had, but what was under way may be lost. */
  flowRenewed?(flow: Flow, now: Instant): void;
  /** It goes on as before. */
  flowReverted?(flow: Flow, now: Instant): void;
  /** Nobody answered our RSYN. */
  flowMigrationFailed?(flow: Flow, now: Instant): void;
  /** A SYN of the peer wants a further flow for the connection (§4.4): who accepts it; `undefined` when nobody does. */
  flowJoining?(flow: Flow): SynListener | undefined;
  /** The peer, which sent this from `from`, says where else it may be reached. */
  flowAddresses?(flow: Flow, list: AddressExtension, from: NetworkAddress, now: Instant): void;
  /** Of a further flow that it begins: what the SYN says of its priority (§4.4). */
  flowPriority?(flow: Flow): number;
  /** What its transport has measured last, where it has. */
  flowRoundTripTime?(flow: Flow, now: Instant): Duration | undefined;
  /** The flow has left the table; its flowID may rest in TIME-WAIT. */
  flowClosed(flow: Flow, failure: FlowFailure | undefined, now: Instant): void;
}

/** The listening socket a half-open flow belongs to, or the connection that it joins, as the SAL sees it. */
export interface SynListener {
  /** What it listens to. */
  readonly prefix: ServicePrefix;
  /** Only where flows join a connection: their common nonce. */
  readonly nonce?: FlowNonce;
  readonly halfOpen: HalfOpenFlows;
  /** Whether another half-open flow may be kept. */
  readonly hasRoom: boolean;
  /** Its application takes no more connections than those under way. */
  readonly isFull: boolean;
  createSegments(path: Path): HandshakeSegments;
  /** The handshake is complete: the connection that owns the flow from now on. */
  accept(flow: Flow, now: Instant): FlowOwner;
}

/** What is kept of a SYN until its third ACK comes. */
export interface HalfOpenRequest {
  readonly listener: SynListener;
  since: Instant;
  /** The SYN's source list, sent back in the SYN-ACK where the client wants it or the original expects it. */
  readonly recordedSource: readonly NetworkAddress[] | undefined;
  /** The router that passes our answer on, where one says that the client hears nobody else (§7). */
  readonly relay: NetworkAddress | undefined;
  /** Of its CONTROL extension. */
  readonly detail: number;
  /** Bytes of data that came meanwhile, and made us answer nothing yet. */
  earlyBytes: number;
}

/** ICMP says that nobody is there: since when, and how often (a hint, never a proof). */
export interface UnreachableHints {
  count: number;
  readonly first: Instant;
  last: Instant;
}

/** What a control packet carries beyond its flags. */
export interface ControlContent {
  readonly service?: ServiceID | undefined;
  readonly source?: readonly NetworkAddress[] | undefined;
  /** Of `source`: a sum of `EndpointSourceFlag`. */
  readonly sourceFlags?: number;
  /** Where it goes instead of to the peer, to be passed on. */
  readonly relay?: NetworkAddress | undefined;
  readonly segment?: 'syn' | 'synAck' | 'ack';
  readonly detail?: number;
  readonly addresses?: AddressExtension | undefined;
  /** Shows a router that it comes from an end of the flow. */
  readonly peerNonce?: FlowNonce | undefined;
}

/** Where a broadcast goes, and what goes to every rule of a set. */
export const MANY_HOPS = NetworkAddress.fromWords(4, 0, 0, 0, 0, 0);

/** Most flows of a server are idle: what only some need, or only for a while, is `undefined` until then. */
export class Flow implements HasListPlace<Flow> {
  remoteNonce: FlowNonce = FlowNonce.zero;
  state: FlowState = 'closed';
  owner: FlowOwner | undefined;
  /** While it is half open: whose it will be. */
  request: HalfOpenRequest | undefined;
  /** Behind it in its place of the listener's half-open flows. */
  nextHalfOpen: Flow | undefined;
  /** The service connected to, or that a SYN asked for. */
  service: ServiceID | undefined;
  readonly control: ControlChannel;
  /** When the third ACK is said again, and how often it was. */
  acknowledgmentRepeatAt: Instant | undefined;
  acknowledgmentRepeats = 0;
  /** The peer's FIN came in this turn, and nothing has acknowledged it yet. */
  owesAcknowledgment = false;
  /** Its owner expects nothing more of the peer but a FIN. */
  isAbandoned = false;
  /** When it began to wait for nothing else. */
  finWaitSince: Instant | undefined;
  /** Where the SYN goes, whatever the service table says. */
  via: readonly NetworkAddress[] | undefined;
  /** Its owner only wants to know whether it is answered: the SYN-ACK gets a RST. */
  stopsAtAnswer = false;
  /** Where the SYN was sent last; MANY_HOPS when that was more than one place. */
  lastHop: NetworkAddress | undefined;
  /** What the connect has met so far, once it has failed somewhere. */
  attempts: ConnectAttempts | undefined;
  unreachable: UnreachableHints | undefined;
  /** While its path changes, and shortly after. */
  migration: Migration | undefined;
  /** One address of each family, that the peer has told or had before; and what it is told of ours. */
  peerAddresses: readonly NetworkAddress[] | undefined;
  alternatives: AddressExtension | undefined;
  /** Service routers that its SYN passed: its ends meet there when both have moved. */
  routers: readonly NetworkAddress[] | undefined;
  /** Position in the SAL's deadline queue, and place among those that connect or are half-open. */
  queuePosition = -1;
  list: object | undefined;
  previousMember: Flow | undefined;
  nextMember: Flow | undefined;
  private currentPath: Path | undefined;
  private output: LinkOutput | undefined;
  /** When it ends for want of an answer. */
  private lifetimeEnd: Instant | undefined;
  // As signed integers, which V8 keeps in place; half of all flowIDs would be objects.
  private localID = 0;
  private remoteID = 0;

  constructor(
    readonly localNonce: FlowNonce,
    initialSequence: number,
    readonly protocol: 6 | 17,
    readonly segments: HandshakeSegments,
  ) {
    this.control = new ControlChannel(initialSequence);
  }

  get localFlowID(): FlowID {
    return flowID(this.localID);
  }

  set localFlowID(id: FlowID) {
    this.localID = id | 0;
  }

  get remoteFlowID(): FlowID {
    return flowID(this.remoteID);
  }

  get path(): Path | undefined {
    return this.currentPath;
  }

  /** Its path is through UDP: its peer is no original (wire format §14). */
  get isEncapsulated(): boolean {
    return this.output?.properties.encapsulated === true;
  }

  get isEstablished(): boolean {
    return this.currentPath !== undefined && this.remoteFlowID !== FLOW_ID_UNKNOWN && this.state !== 'closed';
  }

  /** Its SYN goes the one way that is wanted, to the peer of another flow. */
  get isJoining(): boolean {
    return this.state === 'request' && this.currentPath !== undefined;
  }

  /** Both ends know of each other, and not both have gone. */
  get canMigrate(): boolean {
    return this.isEstablished && this.state !== 'request' && this.state !== 'respond' && this.state !== 'timeWait';
  }

  /** The transport's, which measures all the time, or that of the handshake. */
  roundTripTime(now: Instant): Duration | undefined {
    return this.owner?.flowRoundTripTime?.(this, now) ?? this.control.measuredRoundTripTime;
  }

  /** Its own RSYN is under way. */
  get isMoving(): boolean {
    return this.migration?.own?.kind === 'move';
  }

  /** Our address of its path is gone. */
  get isCut(): boolean {
    return this.migration?.cutAt !== undefined;
  }

  nextDeadline(): Instant {
    const own = earlier(this.acknowledgmentRepeatAt ?? NEVER, this.lifetimeEnd ?? NEVER);
    return earlier(own, earlier(this.control.deadline, this.migration?.nextDeadline() ?? NEVER));
  }

  /** Follows the state table; false when the event has no row in this state. */
  transition(event: FlowEvent): boolean {
    const next = nextFlowState(this.state, event);
    if (next === undefined) return false;
    this.state = next;
    return true;
  }

  setPath(path: Path, output: LinkOutput): void {
    this.currentPath = path;
    this.output = output;
  }

  setRemote(remoteFlowID: FlowID, remoteNonce: FlowNonce): void {
    this.remoteID = remoteFlowID | 0;
    this.remoteNonce = remoteNonce;
  }

  setLifetime(duration: Duration | undefined, now: Instant): void {
    this.lifetimeEnd = duration === undefined ? undefined : after(now, duration);
  }

  hasExpired(now: Instant): boolean {
    return this.lifetimeEnd !== undefined && this.lifetimeEnd <= now;
  }

  /**
   * Starts a packet of the data stream, with room for `copied` bytes of payload in the batch: after the handshake no
   * extension is needed (§4.2). A `SegmentSink`.
   */
  begin(copied = 0): TransmitBatch | undefined {
    const { output, currentPath } = this;
    if (output === undefined || currentPath === undefined) return undefined;
    return this.beginTo(output, currentPath, copied);
  }

  /** The same, to where the peer says that it is (§4.4). */
  beginTo(output: LinkOutput, { remote, local }: Path, copied = 0): TransmitBatch | undefined {
    const batch = output.withRoom(copied);
    if (batch === undefined) return undefined;
    batch.begin(remote, local);
    const { localID, remoteID, protocol } = this;
    batch.headerEnd += writeBareSalHeader(
      batch.headers,
      batch.headerEnd,
      localID as FlowID,
      remoteID as FlowID,
      protocol,
    );
    return batch;
  }

  /** Sends a control packet to the flow's peer. */
  sendControl(flags: number, controlSequence: ControlSequence, content: ControlContent = {}): void {
    if (this.currentPath === undefined || this.output === undefined) return;
    const { relay } = content;
    const remote = relay ?? this.currentPath.remote;
    const local = relay === undefined ? this.currentPath.local : undefined;
    this.sendControlTo(this.output, remote, local, flags, controlSequence, content);
  }

  /** Sends a control packet to an address that need not be the path's: a SYN goes where its rule says. */
  sendControlTo(
    output: LinkOutput,
    remote: NetworkAddress,
    local: NetworkAddress | undefined,
    flags: number,
    controlSequence: ControlSequence,
    content: ControlContent,
  ): void {
    const batch = output.withSignalingRoom();
    if (batch === undefined) return;
    batch.begin(remote, local);
    batch.headerEnd += writeSalPacketHeader(batch.headers, batch.headerEnd, {
      sourceFlowID: this.localFlowID,
      destinationFlowID: this.remoteFlowID,
      protocol: this.protocol,
      control: {
        flags,
        controlSequence,
        controlAck: this.control.receiveNext,
        detail: content.detail ?? 0,
        nonce: this.localNonce,
      },
      destinationService: content.service,
      addresses: content.addresses,
      addressesKind: 'endpointAddress',
      source: content.source,
      sourceKind: output.properties.encapsulated ? 'endpointSource' : 'source',
      sourceFlags: content.sourceFlags,
      peerNonce: content.peerNonce,
    });
    if (content.segment !== undefined) batch.headerEnd += this.writeSegment(content.segment, batch);
    batch.finish(0, 0);
  }

  private writeSegment(segment: 'syn' | 'synAck' | 'ack', batch: TransmitBatch): number {
    if (segment === 'syn') return this.segments.writeSyn(batch.headers, batch.headerEnd);
    if (segment === 'synAck') return this.segments.writeSynAck(batch.headers, batch.headerEnd);
    return this.segments.writeAck(batch.headers, batch.headerEnd);
  }
}
