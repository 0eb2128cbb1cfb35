// Packets that name a service - a SYN, an unconnected datagram - from us or from others: each is resolved
// (§4.2), and then delivered, forwarded, delayed or dropped.
// Long because all that can become of a first packet, of our own or of others, stands in one place.

import { Choice } from '../table/choice';
import { mixTwo } from '../table/mix-bits';
import type { ResolvedForward } from '../table/resolved-rule';
import type { ForwardRule } from '../table/service-rule';
import { ResolutionReach, type ServiceTable } from '../table/service-table';
import type { Instant } from '../time/instant';
import { Quota } from '../time/quota';
import type { RandomSource } from '../time/random-source';
import { withRelay } from '../wire/endpoint-source-extension';
import type { NetworkAddress } from '../wire/network-address';
import { type ReceivedBatch, ReceivedField } from '../wire/received-batch';
import type { SalPacket } from '../wire/sal-packet';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import { clientOf, isAnswerable } from './client-address';
import type { Counters } from './counters';
import { DelayQueue } from './delay-queue';
import type { Flow, SynListener } from './flow';
import { extendSource, writeForwarded } from './forwarding';
import { ForwardingPath } from './forwarding-path';
import type { FailureReason } from './instance-failures';
import type { LinkOutput } from './link-output';
import { type Links, LOOPBACK_LINK } from './links';
import { RecentHops } from './recent-hops';
import type { ReplyRelay } from './reply-relay';
import { goesToAll, queryFor, resolve, type Verdict } from './resolution';
import { LOOPBACK_ADDRESS } from './signaling/connect-attempts';
import { isForUsAlone, refuseBack, refuseSyn } from './signaling/refusal';
import { relayOf } from './signaling/relayed-answer';
import type { ReceivedControl } from './signaling/signaling-context';
import { stopOf, TRACE_ANSWERS_INTERVAL, TRACE_ANSWERS_MAXIMUM } from './trace-stops';

/** What a DEMUX rule points at: a socket that takes SYNs, or datagrams. */
export interface LocalSocket {
  readonly synListener?: SynListener;
  /** `link`: the one that carries flows to its sender. */
  handleDatagram?(packet: SalPacket, batch: ReceivedBatch, row: number, link: number): void;
}

/** What first packets need of the SAL around them. */
export interface FirstPacketContext {
  readonly serviceTable: ServiceTable;
  readonly links: Links;
  readonly random: RandomSource;
  readonly counters: Counters;
  /** Whether this stack is a router for others (§4.2). */
  readonly forwards: boolean;
  /** Passes answers back to clients that hear nobody else (§7). */
  readonly relay: ReplyRelay;
  /** Whether it is for strangers, too, and not for this machine's processes alone. */
  readonly relaysReplies: boolean;
  handleListenerSyn(listener: SynListener, received: ReceivedControl, now: Instant): void;
  /** A packet for `service` is the first to wait: the controller is to be told. */
  noteDelayed(service: ServiceID, now: Instant): void;
  /** Nobody waits for `service` any more, without a controller's doing. */
  noteAbandoned(service: ServiceID): void;
  /** What a rule for the service led to has failed a connect. */
  noteFailure(service: ServiceID, hop: NetworkAddress, why: FailureReason, now: Instant): void;
  /** Whether a socket of this process has the service, and takes nobody for now. */
  isWithdrawn(service: ServiceID, protocol: 6 | 17): boolean;
  /** A client asks again, and perhaps asked another router before. */
  noteRetry(service: ServiceID, now: Instant): void;
}

/** A waiting first packet: one of our own, to be sent anew, or a copy of a received one. */
type Waiting = { readonly resend: (now: Instant) => void } | { readonly link: number; readonly batch: ReceivedBatch };

export class FirstPackets {
  private readonly delayQueue = new DelayQueue<Waiting>((service) => this.context.noteAbandoned(service));

  private readonly choice = new Choice();
  /** Where they went lately. */
  readonly recent = new RecentHops();
  readonly traceAnswers = new Quota(TRACE_ANSWERS_MAXIMUM, TRACE_ANSWERS_INTERVAL);
  private droppedBefore = 0;
  /** What goes on as it came does so here, and is not seen by `handleReceived`. */
  readonly forwardingPath: ForwardingPath;

  constructor(private readonly context: FirstPacketContext) {
    this.forwardingPath = new ForwardingPath(context, this.choice, this.recent);
  }

  /** Tells this stack from others where its own packets are to stay with an instance. */
  set identity(identity: number) {
    this.choice.identity = identity;
  }

  /** Resolves a datagram of our own, each time anew, to be sent to the `nextHops` of the verdict. */
  resolveOwn(service: ServiceID, protocol: 6 | 17, now: Instant): Verdict {
    this.choice.clear();
    return this.resolveChoice(service, protocol, now);
  }

  /** The same for the SYN of a flow: it goes the same way each time, but not where its connect has failed. */
  resolveConnect(flow: Flow, now: Instant): Verdict {
    this.chooseFor(flow);
    return this.resolveChoice(flow.service!, flow.protocol, now);
  }

  /** Whether `resolveConnect` would give something. */
  leadsSomewhere(flow: Flow): boolean {
    const { serviceTable, random } = this.context;
    this.chooseFor(flow);
    const query = queryFor(flow.protocol, ResolutionReach.any);
    return serviceTable.resolve(flow.service!, query, random, this.choice) !== undefined;
  }

  private chooseFor({ localNonce, attempts }: Flow): void {
    this.choice.clear();
    this.choice.flow = mixTwo(localNonce.high, localNonce.low);
    this.choice.avoided = attempts;
  }

  private resolveChoice(service: ServiceID, protocol: 6 | 17, now: Instant): Verdict {
    const { serviceTable, random } = this.context;
    const query = queryFor(protocol, ResolutionReach.any);
    const verdict = resolve(serviceTable, service, query, 0, now, random, this.choice);
    if (verdict?.action === 'forward') this.recent.note(verdict, service, 0);
    return verdict;
  }

  /** Has `send` called for each next hop of a packet of our own. */
  sendOwn(verdict: Verdict, send: (output: LinkOutput, address: NetworkAddress) => void): void {
    const { links, serviceTable } = this.context;
    if (verdict?.action === 'demux') send(links.loopback, LOOPBACK_ADDRESS);
    if (verdict?.action !== 'forward') return;
    if (!goesToAll(verdict, ResolutionReach.any)) send(links.dataLink(verdict.link), verdict.address);
    else
      for (const rule of serviceTable.selectedSet(verdict, ResolutionReach.any))
        send(links.dataLink(rule.link), rule.address);
  }

  /** Has `resend` called when the packet of our own need not wait any longer. An `owner` waits with one packet. */
  delayOwn(service: ServiceID, resend: (now: Instant) => void, now: Instant, owner?: object): void {
    this.delay({ resend }, service, '', now, owner);
  }

  isDelayed(owner: object): boolean {
    return this.delayQueue.isWaiting(owner);
  }

  /** The owner's packet need not wait any longer: it has left, or is not wanted. */
  withdraw(owner: object): void {
    this.delayQueue.withdraw(owner);
  }

  handleReceived(received: ReceivedControl, link: number, now: Instant): void {
    const { packet, batch, row } = received;
    const { serviceTable, counters, random } = this.context;
    const from = batch.source(row);
    const client = clientOf(packet, from);
    const relay = relayOf(received);
    if (
      !isAnswerable(client, from, serviceTable) ||
      (relay !== undefined && !isAnswerable(relay, from, serviceTable))
    ) {
      counters.count('sourceAddress');
      return;
    }
    const service = packet.destinationService!;
    const reach = this.reachOf(batch, row, link);
    const query = queryFor(packet.protocol as 6 | 17, reach);
    this.chooseForReceived(packet, client, now);
    const verdict = resolve(serviceTable, service, query, packet.transportLength, now, random, this.choice);
    if (verdict === undefined) this.handleUnmatched(received, link);
    else if (verdict.action === 'demux') this.deliver(verdict.socket as LocalSocket, received, link, now);
    else if (verdict.action === 'forward') {
      this.recent.note(verdict, service, this.choice.flow);
      this.forward(received, link, verdict, reach, now);
    } else if (verdict.action === 'delay') {
      this.delay(copyOf(batch, row, link), service, from.ip, now, senderOf(packet, from));
    } else this.drop(received, link, verdict.refuses);
  }

  /** A client that asks again had no luck with what it got from us last. */
  private chooseForReceived(packet: SalPacket, client: NetworkAddress, now: Instant): void {
    const { choice } = this;
    choice.clear();
    choice.clientAddress = client;
    if (packet.control === undefined) return;
    const { nonce, detail = 0 } = packet.control;
    choice.flow = mixTwo(nonce.high, nonce.low);
    choice.attempt = detail;
    if (detail > 0 && this.context.forwards) this.handleRetry(packet.destinationService!, now);
  }

  private handleRetry(service: ServiceID, now: Instant): void {
    const last = this.recent.ofFlow(this.choice.flow);
    if (last === undefined) return this.context.noteRetry(service, now);
    this.choice.previous = last.rule.number;
    this.context.noteFailure(last.service, last.rule.address, 'retried', now);
  }

  /** Takes what waits under `prefix` out of the queue and treats it as if it came now. */
  release(prefix: ServicePrefix, now: Instant, handleAgain: (link: number, batch: ReceivedBatch) => void): void {
    for (const { packet } of this.delayQueue.take(prefix)) {
      if ('resend' in packet) packet.resend(now);
      else handleAgain(packet.link, packet.batch);
    }
  }

  discard(prefix: ServicePrefix): void {
    this.context.counters.count('delayDiscarded', this.delayQueue.take(prefix).length);
  }

  nextDeadline(): Instant {
    return this.delayQueue.nextDeadline();
  }

  handleDeadline(now: Instant): void {
    this.delayQueue.expire(now);
    this.countDropped();
  }

  /** First packets waiting behind DELAY rules now, and dropped from there so far. */
  get delayed(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.delayQueue.length, dropped: this.delayQueue.dropped };
  }

  private deliver(socket: LocalSocket, received: ReceivedControl, link: number, now: Instant): void {
    if (stopOf(received.packet) === 'beyond') this.stop(received, link, 'beyond', now);
    else if (received.packet.control === undefined)
      socket.handleDatagram?.(received.packet, received.batch, received.row, received.output.index);
    else if (socket.synListener !== undefined) this.context.handleListenerSyn(socket.synListener, received, now);
  }

  private forward(
    received: ReceivedControl,
    link: number,
    verdict: ResolvedForward,
    reach: ResolutionReach,
    now: Instant,
  ): void {
    const { packet, batch, row } = received;
    const { counters, serviceTable } = this.context;
    const stop = stopOf(packet);
    if (stop !== 'none') return this.stop(received, link, stop, now);
    const source = extendSource(packet, batch.source(row), batch.local(row));
    if (typeof source === 'string') {
      counters.count(source);
      // Whoever we passed it to has nobody, and asked us back: its client is to try elsewhere without waiting.
      if (source === 'forwardLoop') this.refuse(received, link);
      return;
    }
    const isNoted = this.noteForAnswer(received, link, source, verdict, now);
    const flags = isNoted ? withRelay(packet.sourceFlags ?? 0, source.length - 1) : (packet.sourceFlags ?? 0);
    if (!goesToAll(verdict, reach)) this.forwardTo(verdict, received, source, flags);
    else for (const rule of serviceTable.selectedSet(verdict, reach)) this.forwardTo(rule, received, source, flags);
  }

  private stop(received: ReceivedControl, link: number, stop: 'here' | 'beyond', now: Instant): void {
    const isAnswered = stop === 'here' && this.traceAnswers.take(now);
    this.context.counters.count(isAnswered ? 'traceStopped' : 'traceUnanswered');
    if (isAnswered) this.refuse(received, link);
  }

  /**
   * Whether its answer is to come back this way. That of a client on this machine, which hears everybody, does only
   * where the next router wants it to: it knows us, and not the client.
   */
  private noteForAnswer(
    received: ReceivedControl,
    link: number,
    source: readonly NetworkAddress[],
    { address: next }: ResolvedForward,
    now: Instant,
  ): boolean {
    const { relay, relaysReplies } = this.context;
    const isOfOurs = source[0]!.isLoopback;
    if ((!relaysReplies && !isOfOurs) || next.isLoopback || received.packet.control === undefined) return false;
    if (!received.output.properties.encapsulated) return false;
    relay.noteSyn({ received, link, isFirst: source.length === 2, next }, now);
    return !isOfOurs;
  }

  private forwardTo(
    rule: ForwardRule,
    { packet, batch }: ReceivedControl,
    source: readonly NetworkAddress[],
    flags: number,
  ): void {
    const { counters, links } = this.context;
    const transport = { bytes: batch.slab, offset: packet.transportOffset, length: packet.transportLength };
    const output = links.dataLink(rule.link);
    const transmit = output.withRoom();
    if (transmit === undefined) counters.count('forwardNoRoom');
    else {
      const { encapsulated } = output.properties;
      counters.count(writeForwarded(transmit, rule, encapsulated, packet, source, flags, transport) ?? 'forwarded');
    }
  }

  /**
   * Nobody has the service. A SYN meant for this process alone is refused; anything else gets no answer. On a
   * link without ports every process of the host hears it, and another may have the service. One that was sent to all
   * is refused by those that have the service and no place: its client need not wait for them.
   */
  private handleUnmatched(received: ReceivedControl, link: number): void {
    this.context.counters.count('unmatched');
    const { packet, batch, row } = received;
    if (packet.control === undefined) return;
    const isFull = this.context.isWithdrawn(packet.destinationService!, packet.protocol as 6 | 17);
    if (isFull && batch.isBroadcast(row)) refuseSyn(received, isFull);
    else this.refuse(received, link, isFull);
  }

  private drop(received: ReceivedControl, link: number, refuses: boolean): void {
    this.context.counters.count(refuses ? 'ruleRefused' : 'ruleDrop');
    if (refuses) this.refuse(received, link);
  }

  /** Where answers come back this way, ours goes back, too. */
  private refuse(received: ReceivedControl, link: number, isFull = false): void {
    const { packet, batch, row, output } = received;
    if (packet.control === undefined || !isForUsAlone(received)) return;
    const goesBack = this.context.relaysReplies && output.properties.encapsulated && !batch.source(row).isLoopback;
    if (goesBack) refuseBack({ ...received, output: this.context.links.at(link) }, isFull);
    else refuseSyn(received, isFull);
  }

  private delay(packet: Waiting, service: ServiceID, source: string, now: Instant, owner?: object | string): void {
    if (this.delayQueue.add({ service, source, owner, packet }, now)) this.context.noteDelayed(service, now);
    this.countDropped();
  }

  private countDropped(): void {
    const dropped = this.delayQueue.dropped - this.droppedBefore;
    this.droppedBefore = this.delayQueue.dropped;
    if (dropped > 0) this.context.counters.count('delayDropped', dropped);
  }

  /**
   * How far a received packet may go on from here: strangers cannot make us broadcast, broadcasts do not
   * travel on (§4.2), and what came by loopback was resolved when it was sent.
   */
  private reachOf(batch: ReceivedBatch, row: number, link: number): ResolutionReach {
    if (!this.context.forwards || link === LOOPBACK_LINK) return ResolutionReach.process;
    if (batch.isBroadcast(row)) return ResolutionReach.host;
    return batch.source(row).isLoopback ? ResolutionReach.any : ResolutionReach.unicast;
  }
}

/** A row in a batch of its own: the link's slab is used again at once. */
function copyOf(batch: ReceivedBatch, row: number, link: number): Waiting {
  const offset = batch.field(row, ReceivedField.offset);
  const length = batch.field(row, ReceivedField.length);
  return { link, batch: batch.copyRow(row, offset, length) };
}

/** Names the connect that a SYN belongs to; a datagram is itself alone. */
function senderOf({ control, sourceFlowID }: SalPacket, from: NetworkAddress): string | undefined {
  return control === undefined ? undefined : `${from} ${sourceFlowID}`;
}
