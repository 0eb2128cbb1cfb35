// SYN, SYN-ACK and the third ACK (§4.2, §4.4): late binding of a connection to one instance. The third ACK is
// repeated until the peer is known to have it, because nobody else would ever send it again.
// Long because the three packets and both their ends stand in one place.

import { CONNECT_TIMEOUT, HALF_OPEN_TIMEOUT, HANDSHAKE_ACK_REPEATS } from '../../limits';
import { after, type Duration, type Instant, milliseconds } from '../../time/instant';
import { type ControlExtension, ControlFlag } from '../../wire/control-extension';
import { EndpointSourceFlag } from '../../wire/endpoint-source-extension';
import { FlowNonce } from '../../wire/flow-id';
import type { NetworkAddress } from '../../wire/network-address';
import type { ServiceID } from '../../wire/service-id';
import { fitsSourceExtension } from '../../wire/source-extension';
import { Flow, type SynListener } from '../flow';
import type { LinkOutput } from '../link-output';
import type { Path } from '../path';
import { isAnswerToJoin } from './join';
import { notePeerAddresses } from './peer-addresses';
import { stopAtAnswer } from './ping';
import { clientAddressOf, isForwarded, rejectInstance } from './refusal';
import { answererOf, isRelayed, mayBeRelayed, relayOf } from './relayed-answer';
import type { ReceivedControl, SignalingContext } from './signaling-context';
import { admitsSyn } from './syn-admission';

/** Starts a connection: the flow is in the table and its SYN under way, or the result says why not. */
export function startHandshake(
  context: SignalingContext,
  flow: Flow,
  timeout: Duration | undefined,
  now: Instant,
): 'started' | 'tableFull' | 'noRoute' {
  if (!context.admit(flow)) return 'tableFull';
  flow.transition('connect');
  flow.control.consume(now);
  flow.setLifetime(timeout ?? CONNECT_TIMEOUT, now);
  const isSent = context.sendFirstPacket(flow, now);
  context.reschedule(flow);
  return isSent ? 'started' : 'noRoute';
}

/** A SYN that resolved to a listening socket. */
export function handleSyn(
  context: SignalingContext,
  listener: SynListener,
  received: ReceivedControl,
  now: Instant,
): void {
  const { packet, batch } = received;
  const control = packet.control!;
  const client = clientAddressOf(received);
  const known = listener.halfOpen.find(packet.sourceFlowID, control.nonce, client);
  if (known !== undefined) {
    // Its client is still there, and our answer was lost: what it says next must find the flow.
    known.setLifetime(HALF_OPEN_TIMEOUT, now);
    listener.halfOpen.renew(known, now);
    context.reschedule(known);
    sendSynAck(known);
    return;
  }
  if (!admitsSyn(context, listener, received, now)) return;
  const path = context.pathOf(received.output.index, answerFrom(context, received), client);
  const segments = listener.createSegments(path);
  if (!segments.handleSyn(batch.slab, packet.transportOffset, packet.transportLength)) {
    context.count('synSegmentBad');
    return;
  }
  const nonce = listener.nonce ?? randomNonce(context);
  const flow = new Flow(nonce, context.random.uint32(), packet.protocol as 6 | 17, segments);
  flow.request = {
    listener,
    since: now,
    recordedSource: recordedSource(received),
    relay: relayOf(received),
    detail: control.detail ?? 0,
    earlyBytes: 0,
  };
  flow.service = serviceOf(listener, packet.destinationService);
  if (received.output.properties.encapsulated) flow.routers = context.oldRouters.ofSyn(packet);
  if (!context.admit(flow)) {
    context.count('flowTableFull');
    return;
  }
  flow.transition('synReceived');
  flow.setRemote(packet.sourceFlowID, control.nonce);
  flow.setPath(path, received.output);
  flow.alternatives = context.oldRouters.tell(flow, context.alternativesTo(path, received.output));
  flow.control.handleConsumed(control.controlSequence);
  flow.control.consume(now);
  // The client repeats its SYN; a timer here would let a forged SYN make us send more than it sent (S4).
  flow.control.stop();
  flow.setLifetime(HALF_OPEN_TIMEOUT, now);
  listener.halfOpen.add(flow);
  sendSynAck(flow);
  context.reschedule(flow);
}

/** A SYN-ACK for one of our flows, the first or a repeated one, or one from an instance that came second. */
export function handleSynAck(context: SignalingContext, flow: Flow, received: ReceivedControl, now: Instant): void {
  const { packet, batch } = received;
  const control = packet.control!;
  if (flow.state !== 'request') {
    if (packet.sourceFlowID === flow.remoteFlowID && control.nonce.equals(flow.remoteNonce)) sendThirdAck(flow);
    else rejectInstance(context, flow, received);
    return;
  }
  if (control.controlAck !== flow.control.sendNext || !mayBeRelayed(context, flow, received)) {
    context.count('synAckUnacceptable');
    return;
  }
  if (!flow.segments.handleSynAck(batch.slab, packet.transportOffset, packet.transportLength)) {
    context.count('synAckSegmentBad');
    return;
  }
  if (flow.isJoining && !isAnswerToJoin(flow, received)) {
    context.count('synAckElsewhere');
    return;
  }
  flow.control.acknowledge(control.controlAck, now);
  if (flow.stopsAtAnswer) {
    stopAtAnswer(context, flow, received, pathBack(context, received), now);
    return;
  }
  flow.control.handleConsumed(control.controlSequence);
  flow.setRemote(packet.sourceFlowID, control.nonce);
  if (!flow.isJoining) flow.routers = context.oldRouters.ofConnect(flow.lastHop, answererOf(received));
  flow.setPath(pathBack(context, received), received.output);
  notePeerAddresses(context, flow, received);
  flow.alternatives = context.oldRouters.tell(flow, context.alternativesTo(flow.path!, received.output));
  flow.transition('synAckReceived');
  flow.attempts = undefined;
  context.endFirstPackets(flow);
  flow.setLifetime(undefined, now);
  sendThirdAck(flow);
  armAcknowledgmentRepeat(flow, now);
  flow.owner?.flowConnected(flow, now);
  context.reschedule(flow);
}

/**
 * A router has shown our answer to the client, and only who has seen it knows its number. The NAT that the client is
 * behind may give it another port towards us.
 */
function isRelayedClient({ request, path }: Flow, from: NetworkAddress): boolean {
  return request?.relay !== undefined && from.sameIp(path!.remote);
}

/** To where the packet came from, or who answered through a router. */
function pathBack(context: SignalingContext, received: ReceivedControl): Path {
  const { batch, row, output } = received;
  if (!isRelayed(received.packet)) {
    return context.pathOf(output.index, context.localAddressOf(received), batch.source(row));
  }
  // The address it came to is the one for the router.
  return context.pathOf(output.index, undefined, answererOf(received));
}

/** The third ACK, or a repeated one. True when it belonged to the handshake. */
export function handleThirdAck(
  context: SignalingContext,
  flow: Flow,
  received: ReceivedControl,
  now: Instant,
): boolean {
  const { packet, batch, row } = received;
  const control = packet.control!;
  if (flow.state !== 'respond') {
    // Asked again: the client has heard nothing from us yet. The original never answers, we do.
    if (packet.destinationService !== undefined) flow.sendControl(ControlFlag.ack, flow.control.sendNext);
    return false;
  }
  if (!isThirdAck(flow, control)) {
    context.count('thirdAckUnacceptable');
    return true;
  }
  // Only the address that our SYN-ACK went to has shown that somebody is there who wants this connection. Another
  // one could be anybody's, and all that the application writes would go there (S4).
  if (!batch.isFrom(row, flow.path!.remote) && !isRelayedClient(flow, batch.source(row))) {
    context.count('thirdAckElsewhere');
    return true;
  }
  // The original's answer to a repeated SYN-ACK has no segment; the numbers and the nonce say enough.
  const isBare = packet.transportLength === 0;
  if (!isBare && !flow.segments.handleAck(batch.slab, packet.transportOffset, packet.transportLength)) {
    context.count('thirdAckSegmentBad');
    return true;
  }
  accept(context, flow, control, pathBack(context, received), received.output, now);
  notePeerAddresses(context, flow, received);
  return true;
}

/**
 * The client has moved, and its third ACK was lost: its RSYN acknowledges our SYN-ACK as well, and has the nonce.
 * What it asks for is another matter.
 */
export function acceptByRsyn(
  context: SignalingContext,
  flow: Flow,
  { packet, output }: ReceivedControl,
  now: Instant,
): boolean {
  const control = packet.control!;
  const isFirst = control.flags === ControlFlag.rsyn && control.controlSequence === flow.control.receiveNext;
  if (!isFirst || control.controlAck !== flow.control.sendNext) return false;
  accept(context, flow, control, flow.path!, output, now);
  return true;
}

function accept(
  context: SignalingContext,
  flow: Flow,
  { controlAck }: ControlExtension,
  path: Path,
  output: LinkOutput,
  now: Instant,
): void {
  flow.control.acknowledge(controlAck, now);
  const { listener } = flow.request!;
  // Under the path that it has been known by.
  listener.halfOpen.delete(flow);
  flow.setPath(path, output);
  flow.transition('ackReceived');
  flow.setLifetime(undefined, now);
  flow.owner = listener.accept(flow, now);
  flow.owner.flowConnected(flow, now);
  flow.request = undefined;
  // On a further flow there may be nothing else to say for long.
  if (listener.nonce !== undefined) flow.sendControl(ControlFlag.ack, flow.control.sendNext);
  context.reschedule(flow);
}

/**
 * Data on a half-open flow: its third ACK was lost. The original sends that only once, and answers a repeated
 * SYN-ACK by an ACK (wire format §7). We never answer with more bytes than came: the client is not validated.
 */
export function handleEarlyData(flow: Flow, bytes: number): void {
  const request = flow.request!;
  request.earlyBytes += bytes;
  const needed = SYN_ACK_BYTES + (request.recordedSource?.length ?? 0) * SOURCE_ENTRY_BYTES;
  if (request.earlyBytes < needed) return;
  request.earlyBytes -= needed;
  sendSynAck(flow);
}

/** Says again what the peer may have missed. Called when the repeat timer is due. */
export function repeatThirdAck(flow: Flow, now: Instant): void {
  flow.acknowledgmentRepeatAt = undefined;
  sendThirdAck(flow);
  if (++flow.acknowledgmentRepeats < HANDSHAKE_ACK_REPEATS) armAcknowledgmentRepeat(flow, now);
}

/** The peer has answered on the flow: it has our third ACK. */
export function confirmHandshake(flow: Flow): void {
  flow.acknowledgmentRepeatAt = undefined;
}

export function randomNonce(context: Pick<SignalingContext, 'random'>): FlowNonce {
  return FlowNonce.of(context.random.uint32(), context.random.uint32());
}

function isThirdAck(flow: Flow, control: ControlExtension): boolean {
  return (
    control.flags === ControlFlag.ack &&
    control.nonce.equals(flow.remoteNonce) &&
    // A RSYN that nobody answered may have used a number up in between.
    flow.control.isNew(control.controlSequence) &&
    control.controlAck === flow.control.sendNext
  );
}

function sendSynAck(flow: Flow): void {
  const sequence = flow.control.sendUnacknowledged;
  const source = flow.request?.recordedSource;
  const relay = flow.request?.relay;
  flow.sendControl(ControlFlag.syn | ControlFlag.ack, sequence, {
    segment: 'synAck',
    source,
    relay,
    sourceFlags: relay === undefined ? 0 : EndpointSourceFlag.relay,
    addresses: flow.alternatives,
  });
}

/** It carries the service, because the original finds its half-open request through the listener (§4.2). */
function sendThirdAck(flow: Flow): void {
  flow.sendControl(ControlFlag.ack, flow.control.sendNext, {
    service: flow.service!,
    segment: 'ack',
    addresses: flow.alternatives,
  });
}

function armAcknowledgmentRepeat(flow: Flow, now: Instant): void {
  const backoff = milliseconds(flow.control.timeout * 2 ** flow.acknowledgmentRepeats);
  flow.acknowledgmentRepeatAt = after(now, backoff);
}

/** The listener's own name, where it has just one: all its flows then share it. */
function serviceOf({ prefix }: SynListener, asked: ServiceID | undefined): ServiceID {
  return asked === undefined || prefix.base.equals(asked) ? prefix.base : asked;
}

/** A forwarded SYN may have reached us on loopback: then the kernel must choose the address to answer from. */
function answerFrom(context: SignalingContext, received: ReceivedControl): NetworkAddress | undefined {
  return isForwarded(received) ? undefined : context.localAddressOf(received);
}

/**
 * Of the SYN's source list what the SYN-ACK repeats. On a raw link with our own address behind it, as the original
 * answers (wire format §11); in UDP as it is, when the client asked for it: a SYN has more that its answer has not.
 */
function recordedSource(received: ReceivedControl): readonly NetworkAddress[] | undefined {
  const { source, sourceKind, sourceFlags = 0 } = received.packet;
  if (received.output.properties.encapsulated) {
    if ((sourceFlags & EndpointSourceFlag.record) !== 0) return source;
    return (sourceFlags & EndpointSourceFlag.relay) === 0 ? undefined : source!.slice(0, 1);
  }
  if (source === undefined || sourceKind !== 'source') return undefined;
  const answer = [...source, received.batch.local(received.row)];
  // A list that is full already is a sender's doing; the client needs none of it to find us.
  return fitsSourceExtension(answer) ? answer : undefined;
}

/** SAL header, CONTROL, the head of a source list, and a TCP header with options. */
const SYN_ACK_BYTES = 12 + 20 + 4 + 32;
/** The largest: IPv6 with a port. */
const SOURCE_ENTRY_BYTES = 20;
