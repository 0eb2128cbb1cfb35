// FIN, its acknowledgment, and RST (§4.4). The SAL's FIN follows the stream's own: it says that the flow, not
// the byte stream, is over. Every packet here has passed the nonce check before it arrives.

import { FIN_WAIT_2, FIN_WAIT_2_MAXIMUM } from '../../limits';
import { elapsed, type Instant, milliseconds } from '../../time/instant';
import { type ControlExtension, ControlFlag, type ControlSequence } from '../../wire/control-extension';
import type { FlowNonce } from '../../wire/flow-id';
import type { Flow } from '../flow';
import { sendRsyn } from './rsyn';
import type { SignalingContext } from './signaling-context';

/** Our side has delivered all it had. */
export function sendFin(context: SignalingContext, flow: Flow, now: Instant): void {
  if (!flow.transition('finish')) return;
  const sequence = flow.control.consume(now);
  // It leaves with our RSYN, from where that does.
  if (flow.migration?.own?.kind === 'move') sendRsyn(flow, now);
  else flow.sendControl(flow.owesAcknowledgment ? ControlFlag.fin | ControlFlag.ack : ControlFlag.fin, sequence);
  flow.owesAcknowledgment = false;
  context.reschedule(flow);
}

export function retransmitFin(flow: Flow, now: Instant): void {
  flow.sendControl(ControlFlag.fin, flow.control.outstandingSequence);
  flow.control.noteTransmission(now);
}

/** The peer's FIN. A repeated one is acknowledged again: our acknowledgment was lost. */
export function handleFin(context: SignalingContext, flow: Flow, control: ControlExtension, now: Instant): void {
  const acknowledged = flow.control.acknowledge(control.controlAck, now);
  if (!flow.control.isNew(control.controlSequence)) {
    flow.sendControl(ControlFlag.ack, flow.control.sendNext);
    if (acknowledged) handleFinAcknowledged(context, flow, now);
    return;
  }
  flow.control.handleConsumed(control.controlSequence);
  if (flow.state === 'connected' && flow.isEncapsulated) context.oweAcknowledgment(flow);
  else flow.sendControl(ControlFlag.ack, flow.control.sendNext);
  receiveFin(context, flow, acknowledged, now);
}

/** The peer's FIN, whose number is new and has been noted. */
export function receiveFin(context: SignalingContext, flow: Flow, acknowledged: boolean, now: Instant): void {
  if (!flow.transition(acknowledged ? 'finAckReceived' : 'finReceived')) {
    context.count('finUnexpected');
    return;
  }
  flow.owner?.flowFinished(flow, now);
  settle(context, flow, now);
}

/**
 * At the end of the turn: our own FIN, if it followed the peer's, has acknowledged that (§4.4). Towards the original,
 * on raw links, they are two packets, as its own are.
 */
export function payAcknowledgment(flow: Flow): void {
  if (!flow.owesAcknowledgment) return;
  flow.owesAcknowledgment = false;
  flow.sendControl(ControlFlag.ack, flow.control.sendNext);
}

/** An acknowledgment on an established flow: of our FIN, if one is outstanding. */
export function handleControlAck(context: SignalingContext, flow: Flow, control: ControlExtension, now: Instant): void {
  if (flow.control.acknowledge(control.controlAck, now)) handleFinAcknowledged(context, flow, now);
}

/** Aborts the flow: the peer is told, nothing is kept. */
export function resetFlow(context: SignalingContext, flow: Flow, now: Instant): void {
  if (flow.isEstablished) flow.sendControl(ControlFlag.rst | ControlFlag.ack, flow.control.sendNext);
  flow.transition('reset');
  context.close(flow, undefined, now);
}

/** Tells the peer of a flow that was reset, and is in the table no more, once again. */
export function repeatReset(flow: Flow): void {
  flow.sendControl(ControlFlag.rst | ControlFlag.ack, flow.control.sendNext);
}

/** A RST that has proven to come from the peer, or from a host that saw our packet. */
export function handleReset(context: SignalingContext, flow: Flow, now: Instant): void {
  const wasOver = flow.state === 'lastAck' || flow.state === 'closing';
  flow.transition('reset');
  context.close(flow, wasOver ? undefined : 'reset', now);
}

/**
 * Whether a RST has our nonce together with a number that only our last packet told: then its sender saw that, as a
 * host does that has no such flow or service (wire format §6, §7). Without ACK it has our acknowledgment as its own
 * number, as in TCP (RFC 9293 3.10.7.1).
 */
export function isAnswerToOurs(
  { flags, nonce, controlSequence, controlAck }: ControlExtension,
  localNonce: FlowNonce,
  { sendNext, receiveNext }: { readonly sendNext: ControlSequence; readonly receiveNext: ControlSequence },
): boolean {
  if (!nonce.equals(localNonce)) return false;
  return (flags & ControlFlag.ack) !== 0 ? controlAck === sendNext : controlSequence === receiveNext;
}

export function handleFinAcknowledged(context: SignalingContext, flow: Flow, now: Instant): void {
  if (!flow.transition('ackReceived')) return;
  boundFinWait(flow, now);
  settle(context, flow, now);
}

/**
 * How long a flow that nobody reads from waits for the peer's FIN, from the last packet on: the peer may still
 * repeat what we acknowledged, though not for ever. One that is half-closed only may receive for ever (RFC 9293 3.6).
 */
export function boundFinWait(flow: Flow, now: Instant): void {
  if (flow.state !== 'finWait2' || !flow.isAbandoned) return;
  flow.finWaitSince ??= now;
  const rest = Math.max(FIN_WAIT_2_MAXIMUM - elapsed(flow.finWaitSince, now), 0);
  flow.setLifetime(milliseconds(Math.min(FIN_WAIT_2, rest)), now);
}

function settle(context: SignalingContext, flow: Flow, now: Instant): void {
  if (flow.state === 'timeWait') context.enterTimeWait(flow, now);
  else if (flow.state === 'closed') context.close(flow, undefined, now);
  else context.reschedule(flow);
}
