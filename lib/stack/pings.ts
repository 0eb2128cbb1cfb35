// Pings of this host's own (docs/protocol.md, Ping): flows that stop at their answer, or at a router on the way.

import { Flow, type FlowFailure } from '../sal/flow';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import { randomNonce } from '../sal/signaling/handshake';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import { Ping } from '../sal/signaling/ping';
import type { Duration, Instant } from '../time/instant';
import type { FlowNonce } from '../wire/flow-id';
import type { ServiceID } from '../wire/service-id';
import type { PingOptions } from './connect-options';

export interface PingsContext {
  readonly sal: ServiceAccessLayer;
  createPingSegments(protocol: 6 | 17): HandshakeSegments;
  begin(flow: Flow, timeout: Duration | undefined, now: Instant, fail: (failure: FlowFailure) => void): void;
  ended(ping: Ping): void;
}

export class Pings {
  /** Of those that others are to follow. */
  private readonly nonces = new WeakMap<Ping, FlowNonce>();

  constructor(private readonly context: PingsContext) {}

  /** Asks which instance would take a connection, and how far it is; the application there sees nothing of it. */
  start(target: ServiceID, { timeout, via, protocol = 6, stop }: PingOptions, now: Instant): Ping {
    const { sal, ended } = this.context;
    const ping = new Ping(now, ended, stop?.hop);
    // Who chooses without a memory of flows does it by the nonce.
    const nonce = (stop && this.nonces.get(stop.like)) ?? randomNonce(sal);
    this.nonces.set(ping, nonce);
    const flow = new Flow(nonce, sal.random.uint32(), protocol, this.context.createPingSegments(protocol));
    flow.service = target;
    flow.via = via;
    flow.stopsAtAnswer = true;
    flow.owner = ping;
    this.context.begin(flow, timeout, now, (failure) => ping.flowClosed(flow, failure));
    return ping;
  }
}
