// A SYN ping: a handshake that stops at the SYN-ACK, which gets a RST. Between the two everything is as with a connect -
// the same rules, routers, DELAY rules, the same attempts elsewhere - but no application sees it, and the answer tells
// the way (docs/protocol.md, Ping).

import { type Duration, elapsed, type Instant } from '../../time/instant';
import { REFUSED_FULL } from '../../wire/control-extension';
import { EndpointSourceFlag } from '../../wire/endpoint-source-extension';
import { NetworkAddress } from '../../wire/network-address';
import type { SalPacket } from '../../wire/sal-packet';
import type { ControlContent, Flow, FlowFailure, FlowOwner } from '../flow';
import type { Path } from '../path';
import { resetInstance } from './refusal';
import type { ReceivedControl, SignalingContext } from './signaling-context';

export interface PingAnswer {
  /** From the first SYN to the answer, with whatever it waited for on the way. */
  readonly roundTripTime: Duration;
  /** Of the instance: where its flows are. */
  readonly address: NetworkAddress;
  /** The routers that passed the SYN on, each as it was addressed. */
  readonly routers: readonly NetworkAddress[];
  /** SYNs that it took: 1, unless some were refused or not answered. */
  readonly attempts: number;
}

/** A router on the way, as it was addressed. */
export interface TraceHop {
  readonly address: NetworkAddress;
  /** To it and back. `null`: it did not answer, as the original does not, and routers where many people ask. */
  readonly roundTripTime: Duration | null;
}

/** What a ping learns, and how far each router on the way is. */
export interface TraceAnswer extends PingAnswer {
  readonly hops: readonly TraceHop[];
}

/** The owner of a ping's flow. It ends once. */
export class Ping implements FlowOwner {
  answer: PingAnswer | undefined;
  /** Of one that was to stop at a router, and has: the time to it and back. */
  stoppedAfter: Duration | undefined;
  failure: FlowFailure | undefined;
  /** For whoever drives the stack, to find its own again. */
  handle: object | undefined;

  constructor(
    private readonly startedAt: Instant,
    private readonly ended: (ping: Ping) => void,
    readonly stopsAtHop?: number,
  ) {}

  flowStopped(_flow: Flow, now: Instant): void {
    this.stoppedAfter = elapsed(this.startedAt, now);
    this.ended(this);
  }

  flowAnswered(flow: Flow, routers: readonly NetworkAddress[], now: Instant): void {
    const roundTripTime = elapsed(this.startedAt, now);
    const attempts = (flow.attempts?.failures ?? 0) + 1;
    this.answer = { roundTripTime, address: flow.path!.remote, routers, attempts };
    this.ended(this);
  }

  flowClosed(_flow: Flow, failure: FlowFailure | undefined): void {
    this.failure = failure ?? 'reset';
    this.ended(this);
  }

  flowConnected(): void {}
  flowTrain(): void {}
  flowMessage(): void {}
  flowFinished(): void {}
}

/**
 * What a SYN has besides when its flow stops at the answer: the wish to know the way, where there is room for it, and where
 * on that way it is to stop.
 */
export function routeRequest({ owner }: Flow): Pick<ControlContent, 'source' | 'sourceFlags'> {
  return { source: SENDER, sourceFlags: EndpointSourceFlag.record | (owner?.stopsAtHop ?? 0) };
}

const SENDER = [NetworkAddress.fromWords(4, 0, 0, 0, 0, 0)];

/** The SYN-ACK of a flow that stops there: the instance need not wait for a third ACK. Who answers later is told the same. */
export function stopAtAnswer(
  context: SignalingContext,
  flow: Flow,
  received: ReceivedControl,
  path: Path,
  now: Instant,
): void {
  resetInstance(context, flow, received);
  const { owner } = flow;
  flow.owner = undefined;
  flow.setPath(path, received.output);
  flow.transition('reset');
  context.close(flow, undefined, now);
  owner?.flowAnswered?.(flow, routersOf(received.packet), now);
}

/** A RST to a SYN that was to stop on its way. Who refuses it elsewhere, and why, is of no interest. */
export function stopAtHop(context: SignalingContext, flow: Flow, received: ReceivedControl, now: Instant): void {
  const { owner } = flow;
  const passed = (received.packet.control!.detail ?? 0) & ~REFUSED_FULL;
  const isThere = passed === owner!.stopsAtHop! - 1;
  if (isThere) flow.owner = undefined;
  flow.transition('reset');
  context.close(flow, 'refused', now);
  if (isThere) owner!.flowStopped?.(flow, now);
}

/** [client, router ...] in ENDPOINT_SOURCE; in SOURCE the instance has put itself behind them, as the original does. */
function routersOf({ source, sourceKind }: SalPacket): readonly NetworkAddress[] {
  if (source === undefined) return [];
  return sourceKind === 'source' ? source.slice(1, -1) : source.slice(1);
}
