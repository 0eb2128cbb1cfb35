// The packets of a resynchronization as they leave: RSYN, RSYN-ACK, and the ACK of that (wire format §12). FIN rides on
// them while one is outstanding: a number that is used up behind it would make its own an old one (wire format §8).

import { MIGRATION_SKIP, MIGRATION_TIMEOUT_MINIMUM } from '../../limits';
import type { Instant } from '../../time/instant';
import { ControlFlag, type ControlSequence, controlSequence } from '../../wire/control-extension';
import { EndpointSourceFlag } from '../../wire/endpoint-source-extension';
import type { NetworkAddress } from '../../wire/network-address';
import type { Flow } from '../flow';
import type { Candidate, OwnMove, PeerMove } from './migration-record';
import { moverOf } from './relayed-rsyn';
import type { ReceivedControl, SignalingContext } from './signaling-context';

/** Our RSYN, for the first time or again. */
export function sendRsyn(flow: Flow, now: Instant): void {
  const { own, peer } = flow.migration!;
  const { control } = flow;
  own!.repetition.handleSent(now, MIGRATION_TIMEOUT_MINIMUM);
  const flags = ControlFlag.rsyn | (control.isOutstanding ? ControlFlag.fin : 0);
  const number = numberOf(flow, own!);
  const { path, output } = own!;
  const isMove = own!.kind === 'move';
  const content = isMove ? { addresses: flow.alternatives } : {};
  flow.sendControlTo(output, path.remote, path.local, flags, number, content);
  if (!isMove) return;
  // It moves at the same time as we do: our RSYN may find nobody where it was.
  for (const { path: to, allowance } of peer?.candidates ?? []) {
    const isAnother = !to.remote.equals(path.remote) && to.remote.family === path.remote.family;
    if (isAnother && allowance.spend()) flow.sendControlTo(output, to.remote, path.local, flags, number, {});
  }
}

/**
 * Our RSYN to a service router, which knows the peer's new address when the peer asks there, too (§4.4). What comes back is
 * the peer's RSYN. It is to be as long as that, whatever the family, and the router fills in who we are.
 */
export function sendRsynThrough(flow: Flow, router: NetworkAddress): void {
  const { path, output, latest } = flow.migration!.own!;
  const flags = ControlFlag.rsyn | (flow.control.isOutstanding ? ControlFlag.fin : 0);
  flow.sendControlTo(output, router, path.local, flags, latest, {
    source: [router.withoutIp().withPort(0)],
    sourceFlags: EndpointSourceFlag.relay,
    peerNonce: flow.remoteNonce,
  });
}

/** Our answer to a RSYN, to the address that it came from, as far as that may have one. */
export function sendRsynAck(flow: Flow, { path, number, allowance }: Candidate, peer: PeerMove, now: Instant): void {
  if (!allowance.spend()) return;
  peer.repetition.handleSent(now, MIGRATION_TIMEOUT_MINIMUM);
  const flags = rsynAckFlags(flow, peer.output.properties.encapsulated);
  flow.sendControlTo(peer.output, path.remote, path.local, flags, number, {});
}

/**
 * What has come so far, before our answer: acknowledgments of the last round trip may be lost with the old address, and
 * the mover would begin with what is here already. A packet is as long as a RSYN-ACK, and counts as one.
 */
export function tellReceived(flow: Flow, { path, allowance }: Candidate, { output }: PeerMove): void {
  const { owner } = flow;
  if (!output.properties.encapsulated || owner?.flowPeerMoving === undefined || !allowance.spend()) return;
  owner.flowPeerMoving({ begin: () => flow.beginTo(output, path) });
}

function rsynAckFlags({ control }: Flow, encapsulated: boolean): number {
  const isEnding = encapsulated && control.isOutstanding;
  return ControlFlag.rsyn | ControlFlag.ack | (isEnding ? ControlFlag.fin : 0);
}

/** From the address that the packet came to. */
function answer(
  flow: Flow,
  { batch, row, output }: ReceivedControl,
  to: NetworkAddress,
  flags: number,
  number: ControlSequence,
): void {
  const local = batch.local(row);
  const from = local.isUnspecified || batch.isBroadcast(row) ? undefined : local.withPort(0);
  flow.sendControlTo(output, to, from, flags, number, {});
}

export function answerAck(flow: Flow, received: ReceivedControl): void {
  const { batch, row } = received;
  answer(flow, received, batch.source(row), ControlFlag.ack, flow.control.sendNext);
}

/** A RSYN whose address is known to be the peer's: nothing has to be shown any more. */
export function answerRsyn(flow: Flow, received: ReceivedControl, context: Pick<SignalingContext, 'random'>): void {
  const { encapsulated } = received.output.properties;
  const number = encapsulated ? flow.control.reserve(skipFrom(context)) : flow.control.sendNext;
  answer(flow, received, moverOf(received), rsynAckFlags(flow, encapsulated), number);
}

/** How many numbers to leave out, so that the next one cannot be guessed. */
export function skipFrom({ random }: Pick<SignalingContext, 'random'>): number {
  return random.uint32() % MIGRATION_SKIP;
}

/** One that nothing else was numbered behind, or the peer may have gone on to that, and take the RSYN for an old one. */
function numberOf({ control }: Flow, own: OwnMove): ControlSequence {
  if (controlSequence(own.latest + 1) !== control.sendNext) own.latest = control.reserve();
  return own.latest;
}
