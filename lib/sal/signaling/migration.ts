// RSYN, RSYN-ACK, ACK (§4.4): a flow goes another way while its transport goes on. Either end may move, or both. The
// new address is the IP source of the RSYN; data goes there when the peer has answered from it, not before. Through
// UDP, where no peer is the original, the RSYN-ACK has a number that nobody can know who has not received it.
// Every packet here has passed the nonce check.
// Long because the two halves of a move, ours and the peer's, are easier to compare in one file.

import { MIGRATION_ANSWER_TIMEOUT, MIGRATION_CONFIRM_TIMEOUT, MIGRATION_GRACE, MIGRATION_SILENCE } from '../../limits';
import { after, type Instant, NEVER } from '../../time/instant';
import { type ControlExtension, ControlFlag, type ControlSequence } from '../../wire/control-extension';
import type { NetworkAddress } from '../../wire/network-address';
import { isAtOrBefore, isBefore } from '../../wire/serial-number';
import type { Flow } from '../flow';
import type { LinkOutput } from '../link-output';
import type { Path } from '../path';
import { abandonChallenge, repeatChallenge } from './challenge';
import { confirmHandshake } from './handshake';
import {
  Allowance,
  type Candidate,
  Migration,
  type MigrationOutcome,
  type OwnMove,
  type PeerMove,
  Repetition,
} from './migration-record';
import { keepPeerAddress, notePeerAddresses } from './peer-addresses';
import { mayBeBelieved, moverOf, routersToAsk } from './relayed-rsyn';
import { answerAck, answerRsyn, sendRsyn, sendRsynAck, sendRsynThrough, skipFrom, tellReceived } from './rsyn';
import type { ReceivedControl, SignalingContext } from './signaling-context';
import { handleFinAcknowledged, receiveFin } from './teardown';

// ---- our own move ----

/** The flow is to use `path` from now on. False when it is not in a state to move. */
export function startMigration(
  context: SignalingContext,
  flow: Flow,
  path: Path,
  output: LinkOutput,
  now: Instant,
): boolean {
  if (!flow.canMigrate) return false;
  flow.migration ??= new Migration();
  const { migration, control } = flow;
  abandonOwn(context, flow, 'superseded');
  migration.transition('migrate');
  // The peer hears the nonce and the numbers in the RSYN: nothing is left of the handshake to say.
  confirmHandshake(flow);
  const number = control.reserve();
  flow.alternatives = context.alternativesTo(path, output);
  migration.own = {
    kind: 'move',
    path,
    output,
    number,
    latest: number,
    repetition: new Repetition(flow.roundTripTime(now)),
    allowance: undefined,
  };
  sendRsyn(flow, now);
  flow.owner?.flowMigrating?.(flow, now);
  context.reschedule(flow);
  return true;
}

/** The local address of the flow's path is no more: nothing can leave by it. */
export function cutPath(context: SignalingContext, flow: Flow, now: Instant): void {
  if (!flow.canMigrate || flow.migration?.cutAt !== undefined) return;
  flow.migration ??= new Migration();
  flow.migration.cutAt = now;
  flow.owner?.flowMigrating?.(flow, now);
  context.reschedule(flow);
}

/** The address that it was to move to is gone again. */
export function abandonMove(context: SignalingContext, flow: Flow, now: Instant): void {
  if (flow.migration?.own?.kind !== 'move') return;
  abandonOwn(context, flow, 'noAddress');
  flow.owner?.flowMigrationFailed?.(flow, now);
  tellSettled(flow, now, 'flowReverted');
  context.reschedule(flow);
}

/** The peer has heard us at our new address, and we it. */
export function handleRsynAck(context: SignalingContext, flow: Flow, received: ReceivedControl, now: Instant): void {
  const control = received.packet.control!;
  const { migration } = flow;
  const own = migration?.own;
  const isOfOwn = own !== undefined && isBefore(own.number, control.controlAck);
  if (isOfOwn && !isFromWhereAsked(own, received)) {
    context.count('rsynAckElsewhere');
    return;
  }
  const isNew = takeNumber(flow, control, received);
  if (isOfOwn && isAtOrBefore(control.controlAck, flow.control.sendNext)) completeOwn(context, flow, received, now);
  else context.count('rsynAckRepeated');
  // Of an earlier move: the peer has not heard our ACK. With a later RSYN under way it would take this for the answer.
  if (flow.migration?.own?.kind !== 'move') answerAck(flow, received);
  endWith(context, flow, control, isNew, now);
}

// ---- the peer's move ----

export function handleRsyn(context: SignalingContext, flow: Flow, received: ReceivedControl, now: Instant): void {
  const control = received.packet.control!;
  if (!flow.canMigrate || !isAcceptable(context, flow, received) || isOfTheLeft(context, flow, received)) {
    context.count('rsynUnexpected');
    return;
  }
  flow.migration ??= new Migration();
  const { migration } = flow;
  const isNew = flow.control.isNew(control.controlSequence);
  if (isNew) {
    flow.control.handleConsumed(control.controlSequence);
    beginPeer(flow, control.controlSequence, received, now);
  } else if (migration.unfinished === control.controlSequence) {
    beginPeer(flow, control.controlSequence, received, now);
  } else if (migration.peer?.number !== control.controlSequence) {
    answerOld(context, flow, received);
    return;
  }
  notePeerAddresses(context, flow, received);
  const candidate = candidateFor(context, flow, received);
  if (candidate === undefined) context.count('rsynCandidates');
  else {
    candidate.allowance.handleReceived(received.packet.headerLength);
    tellReceived(flow, candidate, migration.peer!);
    sendRsynAck(flow, candidate, migration.peer!, now);
    // It moves at the same time as we do.
    if (migration.own?.kind === 'move' && isNew) sendRsyn(flow, now);
  }
  if (isNew && !isWhereItWas(flow, candidate)) flow.owner?.flowMigrating?.(flow, now);
  endWith(context, flow, control, isNew, now);
  context.reschedule(flow);
}

function isAcceptable(context: SignalingContext, flow: Flow, received: ReceivedControl): boolean {
  const from = received.batch.source(received.row);
  const mover = moverOf(received);
  return mayBeBelieved(context, flow, received) && mover.family === from.family && context.isAnswerable(mover, from);
}

/** It is where its RSYN said already, and has not heard so. Of any other one only the latest counts. */
function answerOld(context: SignalingContext, flow: Flow, received: ReceivedControl): void {
  context.count('rsynOld');
  if (moverOf(received).equals(flow.path!.remote)) answerRsyn(flow, received, context);
}

/** Another packet of the peer from one of its new addresses: it may be the answer to our RSYN-ACK. */
export function confirmPeer(context: SignalingContext, flow: Flow, received: ReceivedControl, now: Instant): void {
  const { peer } = flow.migration!;
  if (peer === undefined) return;
  const { controlSequence, controlAck } = received.packet.control!;
  const candidate = peer.candidates.find(({ path }) => received.batch.isFrom(received.row, path.remote));
  if (candidate === undefined || !isBefore(peer.number, controlSequence)) return;
  if (!isAnswer(flow, peer, candidate, controlAck)) {
    context.count('migrationUnproven');
    return;
  }
  completePeer(context, flow, candidate, now);
}

// ---- deadlines ----

export function handleMigrationDeadline(context: SignalingContext, flow: Flow, now: Instant): void {
  const { migration } = flow;
  if (migration === undefined) return;
  if (migration.endsAt <= now) return endFlow(context, flow, now);
  const { own, peer } = migration;
  if (own !== undefined && own.repetition.deadline <= now) repeatOwn(context, flow, now);
  if (peer !== undefined && peer.endsAt <= now) abandonPeer(context, flow, now);
  else if (peer !== undefined && peer.repetition.deadline <= now) repeatPeer(flow, peer, now);
  if (migration.previous !== undefined && migration.previousUntil <= now) migration.previous = undefined;
  if (migration.isOver) flow.migration = undefined;
}

// ---- steps of our own move ----

function completeOwn(context: SignalingContext, flow: Flow, received: ReceivedControl, now: Instant): void {
  const migration = flow.migration!;
  const own = migration.own!;
  const from = received.batch.source(received.row);
  // It may have moved, and proven it, since it wrote this: then only our own address is news.
  const hasPeerMoved = migration.previous?.remote.equals(from) === true && !own.path.remote.equals(from);
  const remote = hasPeerMoved ? flow.path!.remote : from;
  migration.transition('rsynAckReceived');
  migration.own = undefined;
  migration.unanswered = 0;
  if (own.kind === 'move') migration.cutAt = undefined;
  const isMoved = usePath(flow, context.pathOf(own.path.link, own.path.local, remote), own.output, now);
  context.count(own.kind === 'move' ? 'migrated' : 'peerFollowed');
  if (own.kind === 'move') context.migrationEnded(flow, 'moved');
  tellSettled(flow, now, isMoved ? 'flowMigrated' : 'flowRenewed');
}

function repeatOwn(context: SignalingContext, flow: Flow, now: Instant): void {
  const own = flow.migration!.own!;
  if (own.kind === 'challenge') return repeatChallenge(context, flow, now);
  if (flow.migration!.cutAt === undefined && own.repetition.age(now) >= MIGRATION_ANSWER_TIMEOUT) {
    abandonOwn(context, flow, 'unanswered');
    context.count('migrationFailed');
    flow.owner?.flowMigrationFailed?.(flow, now);
    tellSettled(flow, now, 'flowReverted');
  } else {
    sendRsyn(flow, now);
    for (const router of routersToAsk(context, flow)) sendRsynThrough(flow, router);
    if (flow.isCut && own.repetition.age(now) >= MIGRATION_SILENCE) context.pathSilent(flow);
  }
}

function abandonOwn(context: SignalingContext, flow: Flow, outcome: MigrationOutcome): void {
  const { migration } = flow;
  if (migration?.own === undefined) return;
  const { kind } = migration.own;
  migration.own = undefined;
  migration.transition('rsynAbandoned');
  if (kind === 'move') context.migrationEnded(flow, outcome);
}

/** Nobody has answered at any address for as long as a stream waits for an acknowledgment. */
function endFlow(context: SignalingContext, flow: Flow, now: Instant): void {
  flow.transition('expired');
  context.close(flow, 'timedOut', now);
}

// ---- steps of the peer's move ----

function beginPeer(flow: Flow, number: ControlSequence, received: ReceivedControl, now: Instant): void {
  const migration = flow.migration!;
  const { output } = received;
  const from = moverOf(received);
  migration.transition('rsynReceived');
  migration.unfinished = number;
  migration.peer = {
    number,
    output,
    // It may have said so before: what went there is a challenge still.
    candidates: migration.peer?.candidates.filter(({ path }) => path.remote.equals(from)) ?? [],
    repetition: new Repetition(flow.roundTripTime(now)),
    endsAt: after(now, MIGRATION_CONFIRM_TIMEOUT),
  };
}

function candidateFor(context: SignalingContext, flow: Flow, received: ReceivedControl): Candidate | undefined {
  const migration = flow.migration!;
  const { output } = received;
  const remote = moverOf(received);
  const known = migration.candidateAt(remote);
  if (known !== undefined) return known;
  if (!migration.hasRoomForCandidate) return undefined;
  const local = context.localAddressOf(received);
  const candidate = {
    path: context.pathOf(output.index, local, remote),
    number: output.properties.encapsulated ? flow.control.reserve(skipFrom(context)) : flow.control.sendNext,
    allowance: new Allowance(),
    isAtOurUsual: local === undefined || flow.path!.local?.equals(local) === true,
  };
  migration.peer!.candidates.push(candidate);
  return candidate;
}

function repeatPeer(flow: Flow, peer: PeerMove, now: Instant): void {
  peer.repetition.deadline = NEVER;
  for (const candidate of peer.candidates) sendRsynAck(flow, candidate, peer, now);
}

/** Through UDP the acknowledgment has to name the very number that went there, or one behind it of another packet. */
function isAnswer(flow: Flow, peer: PeerMove, candidate: Candidate, controlAck: ControlSequence): boolean {
  if (!isAtOrBefore(controlAck, flow.control.sendNext)) return false;
  if (!peer.output.properties.encapsulated) return true;
  const isOfAnother = ({ number }: Candidate): boolean => number !== candidate.number && follows(controlAck, number);
  return isBefore(candidate.number, controlAck) && !peer.candidates.some(isOfAnother);
}

function follows(controlAck: ControlSequence, number: ControlSequence): boolean {
  return ((controlAck - number) | 0) === 1;
}

function completePeer(context: SignalingContext, flow: Flow, candidate: Candidate, now: Instant): void {
  const migration = flow.migration!;
  const { output } = migration.peer!;
  const { path } = candidate;
  migration.transition('ackReceived');
  migration.peer = undefined;
  migration.unfinished = undefined;
  // What came from there was the peer, so nobody need be asked.
  if (migration.own?.kind === 'challenge') abandonChallenge(flow);
  const usual = flow.path!.local;
  const keepsLocal = candidate.isAtOurUsual && usual?.family === path.remote.family;
  const isMoved = usePath(flow, context.pathOf(path.link, keepsLocal ? usual : path.local, path.remote), output, now);
  if (isMoved) context.count('peerMigrated');
  // Our own RSYN finds it there.
  if (migration.own?.kind === 'move' && isMoved) redirect(context, flow, now);
  tellSettled(flow, now, isMoved ? 'flowMigrated' : 'flowRenewed');
}

function redirect(context: SignalingContext, flow: Flow, now: Instant): void {
  const { migration } = flow;
  const own = migration!.own!;
  if (own.path.local !== undefined && own.path.local.family !== flow.path!.remote.family) return;
  migration!.own = { ...own, path: context.pathOf(own.path.link, own.path.local, flow.path!.remote) };
  sendRsyn(flow, now);
}

function abandonPeer(context: SignalingContext, flow: Flow, now: Instant): void {
  const migration = flow.migration!;
  migration.peer = undefined;
  migration.transition('peerAbandoned');
  context.count('peerMigrationFailed');
  tellSettled(flow, now, 'flowReverted');
}

// ---- both ----

/** False when it is the path in use. */
function usePath(flow: Flow, path: Path, output: LinkOutput, now: Instant): boolean {
  const before = flow.path!;
  if (before.remote.equals(path.remote) && isSameAddress(before.local, path.local)) return false;
  const migration = flow.migration!;
  migration.previous = before;
  migration.previousUntil = after(now, MIGRATION_GRACE);
  // Its address of the other family is where we came from.
  if (before.remote.family !== path.remote.family) keepPeerAddress(flow, before.remote);
  flow.setPath(path, output);
  flow.unreachable = undefined;
  return true;
}

/** The owner's transport goes on when neither end is between two addresses. */
function tellSettled(flow: Flow, now: Instant, what: 'flowMigrated' | 'flowRenewed' | 'flowReverted'): void {
  const { owner, migration } = flow;
  owner?.[what]?.(flow, now);
  if (migration?.isUnderWay === true) owner?.flowMigrating?.(flow, now);
}

/** Whether it asks for us, from where the peer is anyhow, at an address that we have left some time ago. */
function isOfTheLeft(context: SignalingContext, { path, migration }: Flow, received: ReceivedControl): boolean {
  if (migration?.previous !== undefined || migration?.own !== undefined) return false;
  const local = context.localAddressOf(received);
  const isElsewhere = local !== undefined && path!.local !== undefined && !local.equals(path!.local);
  return isElsewhere && moverOf(received).equals(path!.remote);
}

/** Whether the RSYN came from where the peer is anyhow: it only asks. */
function isWhereItWas(flow: Flow, candidate: Candidate | undefined): boolean {
  return candidate?.path.remote.equals(flow.path!.remote) === true && candidate.isAtOurUsual;
}

/** Through UDP a RSYN-ACK uses its number up. True when the packet is none that came before. */
function takeNumber(flow: Flow, { controlSequence }: ControlExtension, { output }: ReceivedControl): boolean {
  if (!flow.control.isNew(controlSequence)) return false;
  if (output.properties.encapsulated) flow.control.handleConsumed(controlSequence);
  return true;
}

/** What a RSYN or RSYN-ACK says of the end of the flow: it acknowledges our FIN, or has the peer's. */
function endWith(context: SignalingContext, flow: Flow, control: ControlExtension, isNew: boolean, now: Instant): void {
  const acknowledged = flow.control.acknowledge(control.controlAck, now);
  if ((control.flags & ControlFlag.fin) !== 0 && isNew) receiveFin(context, flow, acknowledged, now);
  else if (acknowledged) handleFinAcknowledged(context, flow, now);
}

/** It has to come to the new address; and, where we asked whether somebody is the peer, from there. */
function isFromWhereAsked({ kind, path: { local, remote } }: OwnMove, { batch, row }: ReceivedControl): boolean {
  const to = batch.local(row);
  if (local !== undefined && !to.isUnspecified && !to.sameIp(local)) return false;
  return kind === 'move' || batch.isFrom(row, remote);
}

function isSameAddress(a: NetworkAddress | undefined, b: NetworkAddress | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}
