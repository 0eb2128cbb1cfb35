// What the network says of a path besides packets: nobody there, packets too large, a process that is known to
// be gone. ICMP can be forged by who guesses a port, so it is a hint that must add up, except where nothing is
// lost by believing it.

import {
  UNREACHABLE_GRACE,
  UNREACHABLE_HINT_INTERVAL,
  UNREACHABLE_HINTS,
  UNREACHABLE_MOVE_GRACE,
  UNREACHABLE_RETRY,
} from '../limits';
import type { Flow, FlowFailure } from '../sal/flow';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import { retryElsewhere } from '../sal/signaling/connect-retry';
import { after, elapsed, type Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import { Connection } from './connection';
import { pathSize } from './path-size';

export class PathHints {
  constructor(private readonly sal: ServiceAccessLayer) {}

  /**
   * Connecting, another instance is asked; the only hop there is is asked again for a while: it may be restarting.
   * Established, hints add up.
   */
  handleUnreachable(address: NetworkAddress, now: Instant): void {
    this.sal.count('unreachable');
    this.sal.noteUnreachable(address, now);
    for (const flow of this.sal.flowsTo(address)) {
      if (isNewHint(flow, now)) this.heed(flow, now);
    }
  }

  handlePacketTooBig(address: NetworkAddress, mtu: number, now: Instant): void {
    for (const flow of this.sal.flowsTo(address)) {
      if (flow.path === undefined || !(flow.owner instanceof Connection)) continue;
      const { properties } = this.sal.links.at(flow.path.link);
      flow.owner.packetTooBig(flow, pathSize(properties, address, mtu).maximum, now);
    }
  }

  /** The process at `address` has ended: a fact from this machine, not a hint. */
  handlePeerGone(address: NetworkAddress, now: Instant): void {
    for (const flow of this.sal.flowsTo(address)) {
      if (flow.state !== 'request') this.end(flow, 'reset', now);
    }
  }

  private heed(flow: Flow, now: Instant): void {
    flow.unreachable ??= { count: 0, first: now, last: now };
    const hints = flow.unreachable;
    hints.count++;
    hints.last = now;
    if (flow.state !== 'request') {
      if (hints.count >= UNREACHABLE_HINTS && !mayHaveMoved(flow, now)) this.end(flow, 'reset', now);
    } else if (retryElsewhere(this.sal, flow, now)) {
      flow.unreachable = undefined;
    } else if (elapsed(hints.first, now) > UNREACHABLE_GRACE) {
      this.end(flow, 'refused', now);
    } else {
      flow.control.hasten(after(now, UNREACHABLE_RETRY));
      this.sal.reschedule(flow);
    }
  }

  private end(flow: Flow, failure: FlowFailure, now: Instant): void {
    flow.transition('reset');
    this.sal.close(flow, failure, now);
  }
}

/** Nobody is where a peer was that moves (§4.4): it says where it is, or a packet from there does. */
function mayHaveMoved({ migration, path, unreachable }: Flow, now: Instant): boolean {
  if (path!.remote.isLoopback) return false;
  return migration?.isUnderWay === true || elapsed(unreachable!.first, now) < UNREACHABLE_MOVE_GRACE;
}

/** One burst of ICMP is one hint. */
function isNewHint({ unreachable }: Flow, now: Instant): boolean {
  return unreachable === undefined || elapsed(unreachable.last, now) >= UNREACHABLE_HINT_INTERVAL;
}
