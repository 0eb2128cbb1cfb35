// Whether a listening socket takes another handshake (§4.4): there must be room to keep it, and a place for what it will
// become. A real client answers within a round trip: under a flood of forged SYNs the oldest request gives way.

import { HALF_OPEN_GRACE, HALF_OPEN_MAXIMUM } from '../../limits';
import { elapsed, type Instant } from '../../time/instant';
import type { SynListener } from '../flow';
import { isForUsAlone, refuseSyn } from './refusal';
import type { ReceivedControl, SignalingContext } from './signaling-context';

/** When not, it has been counted; and refused, if another instance may have a place. */
export function admitsSyn(
  context: SignalingContext,
  listener: SynListener,
  received: ReceivedControl,
  now: Instant,
): boolean {
  if (listener.isFull && !makePlace(context, listener, now)) {
    context.count('synRefusedFull');
    if (isForUsAlone(received) || received.batch.isBroadcast(received.row)) refuseSyn(received, true);
    return false;
  }
  if (!listener.hasRoom && !makeRoom(context, listener, now)) {
    context.count('synBacklogFull');
    return false;
  }
  return true;
}

function makeRoom(context: SignalingContext, listener: SynListener, now: Instant): boolean {
  if (listener.halfOpen.size < HALF_OPEN_MAXIMUM) return false;
  return dropOldest(context, listener, now) && listener.hasRoom;
}

function makePlace(context: SignalingContext, listener: SynListener, now: Instant): boolean {
  return listener.halfOpen.size > 0 && dropOldest(context, listener, now) && !listener.isFull;
}

function dropOldest(context: SignalingContext, listener: SynListener, now: Instant): boolean {
  const oldest = listener.halfOpen.oldest!;
  if (elapsed(oldest.request!.since, now) < HALF_OPEN_GRACE) return false;
  context.count('halfOpenOverflow');
  context.close(oldest, undefined, now);
  return true;
}
