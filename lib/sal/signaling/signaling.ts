// Control packets of flows that exist, and the flows' deadlines: which part of the signaling they belong to.
// No packet gets past the nonce check here (§4.4); who fails it is counted and hears nothing.

import { after, type Instant, NEVER } from '../../time/instant';
import { type ControlExtension, ControlFlag } from '../../wire/control-extension';
import type { Flow } from '../flow';
import { handleRefusal, retransmitSyn } from './connect-retry';
import { acceptByRsyn, confirmHandshake, handleSynAck, handleThirdAck, repeatThirdAck } from './handshake';
import { handleAddresses, handleJoin } from './join';
import { confirmPeer, handleMigrationDeadline, handleRsyn, handleRsynAck } from './migration';
import type { ReceivedControl, SignalingContext } from './signaling-context';
import { handleControlAck, handleFin, handleReset, isAnswerToOurs, retransmitFin } from './teardown';

/** A control packet, other than a SYN that names a service, whose destination flowID is `flow`'s. */
export function handleControl(context: SignalingContext, flow: Flow, received: ReceivedControl, now: Instant): void {
  const control = received.packet.control!;
  const { flags } = control;
  if ((flags & SYN_ACK) === SYN_ACK) {
    handleSynAck(context, flow, received, now);
    return;
  }
  if (flags === ControlFlag.syn) {
    handleJoin(context, flow, received, now);
    return;
  }
  if ((flags & ControlFlag.rst) !== 0) {
    if (!isTrueReset(flow, received)) context.count('badNonce');
    else if (flow.state === 'request' && !flow.isJoining) handleRefusal(context, flow, received, now);
    else handleReset(context, flow, now);
    return;
  }
  if (!isFromPeer(flow, received)) {
    context.count('badNonce');
    return;
  }
  handleFromPeer(context, flow, received, control, now);
}

/** The flow's earliest deadline has come. */
export function handleFlowDeadline(context: SignalingContext, flow: Flow, now: Instant): void {
  if (flow.hasExpired(now)) return endLifetime(context, flow, now);
  if ((flow.acknowledgmentRepeatAt ?? NEVER) <= now) repeatThirdAck(flow, now);
  if (flow.control.deadline <= now) retransmit(context, flow, now);
  handleMigrationDeadline(context, flow, now);
  context.reschedule(flow);
}

const SYN_ACK = ControlFlag.syn | ControlFlag.ack;
const RSYN_ACK = ControlFlag.rsyn | ControlFlag.ack;

function handleFromPeer(
  context: SignalingContext,
  flow: Flow,
  received: ReceivedControl,
  control: ControlExtension,
  now: Instant,
): void {
  flow.unreachable = undefined;
  const { flags } = control;
  if (flow.state === 'respond' && !acceptByRsyn(context, flow, received, now)) {
    handleThirdAck(context, flow, received, now);
    return;
  }
  confirmHandshake(flow);
  const { migration } = flow;
  if (migration !== undefined && (flags & ControlFlag.rsyn) === 0) confirmPeer(context, flow, received, now);
  if ((flags & RSYN_ACK) === RSYN_ACK) {
    handleRsynAck(context, flow, received, now);
  } else if ((flags & ControlFlag.rsyn) !== 0) {
    handleRsyn(context, flow, received, now);
  } else if ((flags & ControlFlag.fin) !== 0) {
    handleFin(context, flow, control, now);
  } else if (flags === ControlFlag.ack) {
    handleThirdAck(context, flow, received, now);
    handleControlAck(context, flow, control, now);
    handleAddresses(flow, received, now);
  } else {
    context.count('unknownControl');
  }
  context.reschedule(flow);
}

function isFromPeer(flow: Flow, received: ReceivedControl): boolean {
  const { packet } = received;
  if (flow.state === 'request' || packet.sourceFlowID !== flow.remoteFlowID) return false;
  return packet.control!.nonce.equals(flow.remoteNonce);
}

/**
 * A RST counts when it has the peer's nonce, or answers what we sent. One that refuses our SYN, and names no flow, says
 * nothing of a connection that somebody has accepted meanwhile: SYNs are sent again, to others.
 */
function isTrueReset(flow: Flow, received: ReceivedControl): boolean {
  if (isFromPeer(flow, received)) return true;
  const { packet } = received;
  const isOfOurs = flow.state === 'request' || packet.sourceFlowID === flow.remoteFlowID;
  return isOfOurs && isAnswerToOurs(packet.control!, flow.localNonce, flow.control);
}

function endLifetime(context: SignalingContext, flow: Flow, now: Instant): void {
  const failure = flow.state === 'request' ? 'timedOut' : undefined;
  if (flow.state === 'respond') context.count('halfOpenExpired');
  flow.transition('expired');
  context.close(flow, failure, now);
}

function retransmit(context: SignalingContext, flow: Flow, now: Instant): void {
  if (flow.state === 'request') {
    retransmitSyn(context, flow, now);
  } else if (flow.migration?.own?.kind === 'move') {
    // The RSYN brings it along.
    flow.control.postpone(after(now, flow.control.timeout));
  } else if (flow.control.isExhausted) {
    // The peer's FIN is here, and the stream's own end was acknowledged: nothing is lost but an acknowledgment.
    const isOver = flow.state === 'lastAck' || flow.state === 'closing';
    const failure = isOver ? undefined : 'timedOut';
    flow.transition('expired');
    context.close(flow, failure, now);
  } else {
    retransmitFin(flow, now);
  }
}
