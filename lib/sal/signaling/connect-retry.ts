// A connect that is refused or not answered goes on elsewhere (§4.2): its SYN is resolved anew, without those that
// have failed it, and says how often that happened, so that a router without memory chooses another one, too.

import {
  CONNECT_BROADCAST_PAUSE,
  CONNECT_BROADCASTS,
  CONNECT_REPEAT_PAUSE,
  CONNECT_REPEATS_MAXIMUM,
} from '../../limits';
import { after, type Instant } from '../../time/instant';
import { REFUSED_FULL } from '../../wire/control-extension';
import type { NetworkAddress } from '../../wire/network-address';
import { type Flow, MANY_HOPS } from '../flow';
import { ConnectAttempts } from './connect-attempts';
import { stopAtHop } from './ping';
import { answererOf } from './relayed-answer';
import type { ReceivedControl, SignalingContext } from './signaling-context';

/** A RST that answers our SYN. */
export function handleRefusal(context: SignalingContext, flow: Flow, received: ReceivedControl, now: Instant): void {
  if (flow.owner?.stopsAtHop !== undefined) return stopAtHop(context, flow, received, now);
  const attempts = attemptsOf(flow);
  const from = answererOf(received);
  const hop = singleHop(flow);
  const detail = received.packet.control!.detail ?? 0;
  attempts.wasFull = (detail & REFUSED_FULL) !== 0;
  context.count('connectRefused');
  if (hop !== undefined && (detail & ~REFUSED_FULL) === 0 && hop.sameIp(from)) {
    attempts.addRefused(hop);
    // Whoever is full is well.
    if (!attempts.wasFull) context.noteFailure(flow.service!, hop, 'refused', now);
    // Whoever chose where it goes wanted this one and no other.
    if (flow.via !== undefined) refuse(context, flow, now);
    else retryAtOnce(context, flow, attempts, now);
  } else if (attempts.addRefuser(from)) {
    // A broadcast is heard by all: those who are further away have as long as ever to accept.
    if (hop !== undefined) retryAtOnce(context, flow, attempts, now);
  } else if (hop !== undefined) askAgainLater(context, flow, attempts, now);
}

/** Those who have refused are all there are: so often only, and not at once. */
function askAgainLater(context: SignalingContext, flow: Flow, attempts: ConnectAttempts, now: Instant): void {
  if (++attempts.repeats > CONNECT_REPEATS_MAXIMUM) return refuse(context, flow, now);
  flow.control.hasten(after(now, CONNECT_REPEAT_PAUSE));
  context.reschedule(flow);
}

/** The timer of a SYN is due: it goes to another instance, unless it was hastened for a reason of its own. */
export function retransmitSyn(context: SignalingContext, flow: Flow, now: Instant): void {
  if (flow.lastHop !== undefined) noteSilence(context, flow, now);
  const { attempts } = flow;
  if (flow.lastHop === MANY_HOPS && attempts!.isRefused && attempts!.failures >= CONNECT_BROADCASTS) {
    return refuse(context, flow, now);
  }
  context.sendFirstPacket(flow, now);
  flow.control.noteTransmission(now);
  // Somebody is there: it is loss that is to be made up for, not a crowd to spare.
  if (flow.lastHop === MANY_HOPS && attempts!.isRefused) flow.control.hasten(after(now, CONNECT_BROADCAST_PAUSE));
}

function noteSilence(context: SignalingContext, flow: Flow, now: Instant): void {
  const attempts = attemptsOf(flow);
  const hop = singleHop(flow);
  attempts.failures++;
  if (hop !== undefined && flow.via === undefined && !flow.control.isHastened) {
    attempts.addSilent(hop);
    context.noteFailure(flow.service!, hop, 'unanswered', now);
  }
}

/** ICMP says that nobody is there. False when there is nowhere else to go: the hop is to be asked again. */
export function retryElsewhere(context: SignalingContext, flow: Flow, now: Instant): boolean {
  const attempts = attemptsOf(flow);
  const hop = singleHop(flow);
  if (hop === undefined || flow.via !== undefined || attempts.isExhausted) return false;
  attempts.addSilent(hop);
  if (!context.leadsSomewhere(flow)) {
    attempts.forgiveSilent(hop);
    return false;
  }
  retryAtOnce(context, flow, attempts, now);
  return true;
}

function retryAtOnce(context: SignalingContext, flow: Flow, attempts: ConnectAttempts, now: Instant): void {
  attempts.failures++;
  if (attempts.isExhausted) return refuse(context, flow, now);
  if (!context.sendFirstPacket(flow, now)) {
    return attempts.forgiveFull() ? askAgainLater(context, flow, attempts, now) : refuse(context, flow, now);
  }
  // The next one has the whole time to answer.
  flow.control.hasten(now);
  flow.control.noteTransmission(now);
  context.reschedule(flow);
}

function refuse(context: SignalingContext, flow: Flow, now: Instant): void {
  flow.transition('reset');
  context.close(flow, 'refused', now);
}

/** The one address that the SYN went to; `undefined` for a broadcast, and for what is still to be sent. */
function singleHop({ lastHop }: Flow): NetworkAddress | undefined {
  return lastHop === MANY_HOPS ? undefined : lastHop;
}

function attemptsOf(flow: Flow): ConnectAttempts {
  flow.attempts ??= new ConnectAttempts();
  return flow.attempts;
}
