// One flow: the two flowIDs and nonces, the path, the control numbering and the state (§3.2, §4.4). It knows
// how to put its packets into its link's batch; when to do so is decided by signaling/ and by the transport.

import { SAL_HEADER_MINIMUM } from '../limits';
import { after, type Duration, type Instant, NEVER } from '../time/instant';
import { TimerTable } from '../time/timer-table';
import type { ControlSequence } from '../wire/control-extension';
import { FLOW_ID_UNKNOWN, type FlowID, FlowNonce } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import { writeSalPacketHeader } from '../wire/sal-packet';
import type { ServiceID } from '../wire/service-id';
import type { TransmitBatch } from '../wire/transmit-batch';
import type { HalfOpenFlows } from './half-open-flows';
import type { LinkOutput } from './link-output';
import type { HasListPlace } from './member-list';
import type { Path } from './path';
import { ControlChannel } from './signaling/control-channel';
import { type FlowEvent, type FlowState, nextFlowState } from './signaling/flow-state';
import type { HandshakeSegments } from './signaling/handshake-segments';

/** Why a flow ended before both ends had closed it. */
export type FlowFailure = 'refused' | 'reset' | 'timedOut' | 'noRoute' | 'noRoom' | 'hostClosed';

/** The connection a flow belongs to, as the SAL sees it. */
export interface FlowOwner {
  flowConnected(flow: Flow, now: Instant): void;
  /** A row of joined TCP segments for this flow. */
  flowTrain(flow: Flow, batch: ReceivedBatch, row: number, now: Instant): void;
  /** A packet with another transport: its transport part. */
  flowMessage(flow: Flow, batch: ReceivedBatch, offset: number, length: number, now: Instant): void;
  /** The peer's FIN: it will send nothing more on this flow. */
  flowFinished(flow: Flow, now: Instant): void;
  /** The flow has left the table; its flowID may rest in TIME-WAIT. */
  flowClosed(flow: Flow, failure: FlowFailure | undefined, now: Instant): void;
}

/** The listening socket a half-open flow belongs to, as the SAL sees it. */
export interface SynListener {
  readonly halfOpen: HalfOpenFlows;
  /** Whether another half-open flow may be kept. */
  readonly hasRoom: boolean;
  createSegments(path: Path): HandshakeSegments;
  /** The handshake is complete: the connection that owns the flow from now on. */
  accept(flow: Flow, now: Instant): FlowOwner;
}

export const FLOW_TIMERS = ['acknowledgmentRepeat', 'lifetime'] as const;

/** What a control packet carries beyond its flags. */
export interface ControlContent {
  readonly service?: ServiceID;
  readonly source?: readonly NetworkAddress[];
  readonly segment?: 'syn' | 'synAck' | 'ack';
}

export class Flow implements HasListPlace<Flow> {
  localFlowID: FlowID = FLOW_ID_UNKNOWN;
  remoteFlowID: FlowID = FLOW_ID_UNKNOWN;
  remoteNonce: FlowNonce = FlowNonce.zero;
  state: FlowState = 'closed';
  owner: FlowOwner | undefined;
  listener: SynListener | undefined;
  /** Behind it in its place of the listener's half-open flows. */
  nextHalfOpen: Flow | undefined;
  halfOpenSince = 0 as Instant;
  /** The service connected to, or that a SYN asked for. */
  service: ServiceID | undefined;
  /** SOURCE addresses of the SYN, echoed in the SYN-ACK on links where the original expects them. */
  recordedSource: readonly NetworkAddress[] | undefined;
  readonly timers = new TimerTable(FLOW_TIMERS);
  readonly control: ControlChannel;
  acknowledgmentRepeats = 0;
  /** Bytes of data that came while the flow was half open, and made us answer nothing yet. */
  earlyBytes = 0;
  /** Its owner expects nothing more of the peer but a FIN. */
  isAbandoned = false;
  /** When it began to wait for nothing else. */
  finWaitSince: Instant | undefined;
  /** Where the SYN was sent last, when that was one unicast address. */
  lastHop: NetworkAddress | undefined;
  /** ICMP says that nobody is there: since when, and how often (a hint, never a proof). */
  unreachableHints = 0;
  firstUnreachableHint = 0 as Instant;
  lastUnreachableHint = 0 as Instant;
  /** Position in the SAL's deadline queue, and place among those that connect or are half-open. */
  queuePosition = -1;
  list: object | undefined;
  previousMember: Flow | undefined;
  nextMember: Flow | undefined;
  private currentPath: Path | undefined;
  private output: LinkOutput | undefined;
  private readonly dataHeader = new Uint8Array(SAL_HEADER_MINIMUM);

  constructor(
    readonly localNonce: FlowNonce,
    initialSequence: number,
    readonly protocol: 6 | 17,
    readonly segments: HandshakeSegments,
  ) {
    this.control = new ControlChannel(initialSequence);
  }

  get path(): Path | undefined {
    return this.currentPath;
  }

  get isEstablished(): boolean {
    return this.currentPath !== undefined && this.remoteFlowID !== FLOW_ID_UNKNOWN && this.state !== 'closed';
  }

  nextDeadline(): Instant {
    const timer = this.timers.next();
    return this.control.deadline < timer ? this.control.deadline : timer;
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
    this.sealDataHeader();
  }

  setRemote(remoteFlowID: FlowID, remoteNonce: FlowNonce): void {
    this.remoteFlowID = remoteFlowID;
    this.remoteNonce = remoteNonce;
    this.sealDataHeader();
  }

  setLifetime(duration: Duration | undefined, now: Instant): void {
    this.timers.set('lifetime', duration === undefined ? NEVER : after(now, duration));
  }

  /** Starts a packet of the data stream: after the handshake no extension is needed (§4.2). A `SegmentSink`. */
  begin(): TransmitBatch | undefined {
    const batch = this.output?.withRoom();
    if (batch === undefined || this.currentPath === undefined) return undefined;
    batch.begin(this.currentPath.remote, this.currentPath.local);
    batch.headers.set(this.dataHeader, batch.headerEnd);
    batch.headerEnd += SAL_HEADER_MINIMUM;
    return batch;
  }

  /** Sends a control packet to the flow's peer. */
  sendControl(flags: number, controlSequence: ControlSequence, content: ControlContent = {}): void {
    if (this.currentPath === undefined || this.output === undefined) return;
    const { remote, local } = this.currentPath;
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
    const batch = output.withRoom();
    if (batch === undefined) return;
    batch.begin(remote, local);
    batch.headerEnd += writeSalPacketHeader(batch.headers, batch.headerEnd, {
      sourceFlowID: this.localFlowID,
      destinationFlowID: this.remoteFlowID,
      protocol: this.protocol,
      control: { flags, controlSequence, controlAck: this.control.receiveNext, nonce: this.localNonce },
      ...(content.service === undefined ? {} : { destinationService: content.service }),
      ...(content.source === undefined ? {} : { source: content.source }),
    });
    if (content.segment !== undefined) batch.headerEnd += this.writeSegment(content.segment, batch);
    batch.finish(0, 0);
  }

  private writeSegment(segment: 'syn' | 'synAck' | 'ack', batch: TransmitBatch): number {
    if (segment === 'syn') return this.segments.writeSyn(batch.headers, batch.headerEnd);
    if (segment === 'synAck') return this.segments.writeSynAck(batch.headers, batch.headerEnd);
    return this.segments.writeAck(batch.headers, batch.headerEnd);
  }

  /** The 12 bytes before every data packet are the same for the life of a path; sealed once. */
  private sealDataHeader(): void {
    writeSalPacketHeader(this.dataHeader, 0, {
      sourceFlowID: this.localFlowID,
      destinationFlowID: this.remoteFlowID,
      protocol: this.protocol,
    });
  }
}
