// Packets of a known flow from an address where its peer is not: a NAT has given it another one (§4.4), or somebody
// copies packets. Whoever is there is asked by a RSYN with a number that only its receiver can acknowledge; the flow
// follows when it answers. Through UDP alone: there is no other NAT, and no peer there is the original.

import {
  CHALLENGE_INTERVAL,
  CHALLENGE_INTERVAL_MAXIMUM,
  CHALLENGE_TRANSMISSIONS_MAXIMUM,
  MIGRATION_ANSWER_TIMEOUT,
} from '../../limits';
import { after, type Instant, milliseconds } from '../../time/instant';
import type { Flow } from '../flow';
import { Allowance, Migration, type OwnMove, Repetition } from './migration-record';
import { sendRsyn, skipFrom } from './rsyn';
import type { Origin, SignalingContext } from './signaling-context';

/** A packet with both flowIDs from elsewhere, of so many bytes. */
export interface Sighting extends Origin {
  readonly bytes: number;
}

export function handleSighting(context: SignalingContext, flow: Flow, sighting: Sighting, now: Instant): void {
  const { batch, row, output } = sighting;
  if (!output.properties.encapsulated || !flow.canMigrate) return;
  const own = flow.migration?.own;
  if (own?.kind === 'challenge' && !isAsked(own) && batch.isFrom(row, own.path.remote))
    own.allowance!.handleReceived(sighting.bytes);
  else if (mayAsk(flow, now) && context.isAnswerable(batch.source(row), batch.source(row)))
    ask(context, flow, sighting, now);
}

/** A challenge stops when nobody answers: the address may be anybody's. */
export function repeatChallenge(context: SignalingContext, flow: Flow, now: Instant): void {
  const { repetition, allowance } = flow.migration!.own!;
  if (isAsked(flow.migration!.own!)) {
    // The way there may be longer by far than the one before, by which the pauses went.
    repetition.deadline = after(repetition.startedAt!, MIGRATION_ANSWER_TIMEOUT);
    if (repetition.deadline <= now) giveUpChallenge(context, flow);
  } else if (allowance!.spend()) {
    sendRsyn(flow, now);
  } else {
    // More may come from there, and be worth another question.
    repetition.transmissions++;
    repetition.deadline = after(now, CHALLENGE_INTERVAL);
  }
}

function giveUpChallenge(context: SignalingContext, flow: Flow): void {
  context.count('challengeUnanswered');
  abandonChallenge(flow);
}

export function abandonChallenge(flow: Flow): void {
  flow.migration!.own = undefined;
  flow.migration!.transition('rsynAbandoned');
}

/** As often as may be: an answer is still taken, but does not hold up the next question. */
function isAsked({ repetition }: OwnMove): boolean {
  return repetition.transmissions >= CHALLENGE_TRANSMISSIONS_MAXIMUM;
}

function mayAsk({ migration }: Flow, now: Instant): boolean {
  if (migration === undefined) return true;
  if (migration.isUnderWay || (migration.own !== undefined && !isAsked(migration.own))) return false;
  return (migration.challengeAt ?? now) <= now;
}

function ask(context: SignalingContext, flow: Flow, sighting: Sighting, now: Instant): void {
  const { batch, row, output, bytes } = sighting;
  flow.migration ??= new Migration();
  const { migration, control } = flow;
  const local = context.localAddressOf(sighting) ?? flow.path!.local;
  const allowance = new Allowance();
  allowance.handleReceived(bytes);
  if (!allowance.spend()) return;
  if (migration.own !== undefined) giveUpChallenge(context, flow);
  context.count('challenged');
  migration.transition('migrate');
  const pause = Math.min(CHALLENGE_INTERVAL * 2 ** migration.unanswered++, CHALLENGE_INTERVAL_MAXIMUM);
  migration.challengeAt = after(now, milliseconds(pause));
  const number = control.reserve(skipFrom(context));
  migration.own = {
    kind: 'challenge',
    path: context.pathOf(output.index, local, batch.source(row)),
    output,
    number,
    latest: number,
    repetition: new Repetition(flow.roundTripTime(now)),
    allowance,
  };
  sendRsyn(flow, now);
  context.reschedule(flow);
}
