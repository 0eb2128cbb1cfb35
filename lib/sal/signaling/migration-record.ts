// What is kept of a flow while its path changes (§4.4): our own move, the peer's, and the path before. Most flows
// have none. The steps of the protocol stand in migration.ts.

import {
  MIGRATION_AMPLIFICATION,
  MIGRATION_CANDIDATES_MAXIMUM,
  MIGRATION_EAGER_TRANSMISSIONS,
  MIGRATION_LIFETIME,
  MIGRATION_TIMEOUT_MAXIMUM,
  MIGRATION_TIMEOUT_MINIMUM,
} from '../../limits';
import { after, type Duration, earlier, elapsed, type Instant, milliseconds, NEVER } from '../../time/instant';
import type { ControlSequence } from '../../wire/control-extension';
import type { NetworkAddress } from '../../wire/network-address';
import type { ReceivedBatch } from '../../wire/received-batch';
import type { LinkOutput } from '../link-output';
import type { Path } from '../path';
import { type MigrationEvent, type MigrationState, nextMigrationState } from './flow-state';

/** A RSYN or RSYN-ACK without the IP and UDP headers around it. */
export const RESYNCHRONIZATION_BYTES = 32;

/** Bytes that may still go to an address where nobody has shown to be (reliability S2, S4). */
export class Allowance {
  private bytes = 0;

  handleReceived(bytes: number): void {
    this.bytes += MIGRATION_AMPLIFICATION * bytes;
  }

  /** False when no more may be sent there. */
  spend(): boolean {
    if (this.bytes < RESYNCHRONIZATION_BYTES) return false;
    this.bytes -= RESYNCHRONIZATION_BYTES;
    return true;
  }
}

/** When something is said again: the first pauses from the round trip, those behind them doubled. */
export class Repetition {
  transmissions = 0;
  deadline: Instant = NEVER;
  startedAt: Instant | undefined;

  constructor(private readonly roundTrip: Duration | undefined) {}

  /** Since the first time it was said, milliseconds. */
  age(now: Instant): Duration {
    return elapsed(this.startedAt ?? now, now);
  }

  handleSent(now: Instant, fallback: Duration): void {
    const { roundTrip } = this;
    const first = roundTrip === undefined ? fallback : Math.max(2 * roundTrip, MIGRATION_TIMEOUT_MINIMUM);
    const doublings = Math.max(this.transmissions - MIGRATION_EAGER_TRANSMISSIONS, 0);
    const pause = Math.min(first * 2 ** doublings, MIGRATION_TIMEOUT_MAXIMUM);
    this.transmissions++;
    this.startedAt ??= now;
    this.deadline = after(now, milliseconds(pause));
  }
}

/**
 * What becomes of a move of ours: the flow is there; nobody answered there, and it goes on where it was; the address went
 * before that; somebody has sent it elsewhere meanwhile; or it has ended.
 */
export type MigrationOutcome = 'moved' | 'unanswered' | 'noAddress' | 'superseded' | 'closed';

/** Our RSYN: it comes from a new address of ours, or asks whether the peer is where packets of it come from. */
export interface OwnMove {
  readonly kind: 'move' | 'challenge';
  readonly path: Path;
  readonly output: LinkOutput;
  /** Who acknowledges this number, or one behind it, has received the RSYN. */
  readonly number: ControlSequence;
  /** The number that it had last. */
  latest: ControlSequence;
  readonly repetition: Repetition;
  /** Of a challenge: what may go to the address that is asked. */
  readonly allowance: Allowance | undefined;
}

/** An address at which the peer says that it is now. */
export interface Candidate {
  readonly path: Path;
  /** The number of our RSYN-ACK there: who acknowledges it has received that. */
  readonly number: ControlSequence;
  readonly allowance: Allowance;
  /** Our local address is the one of the path before: it stays so when that changes meanwhile. */
  readonly isAtOurUsual: boolean;
}

/** The peer's RSYN. Copies of it may have come from several addresses: the one that answers is the peer's. */
export interface PeerMove {
  readonly number: ControlSequence;
  readonly output: LinkOutput;
  readonly candidates: Candidate[];
  readonly repetition: Repetition;
  readonly endsAt: Instant;
}

export class Migration {
  state: MigrationState = 'settled';
  own: OwnMove | undefined;
  peer: PeerMove | undefined;
  /** A RSYN of the peer that it never confirmed: it may go on with it. */
  unfinished: ControlSequence | undefined;
  /** The path before: what was under way on it is welcome for a while. */
  previous: Path | undefined;
  previousUntil: Instant = NEVER;
  /** No challenge before this; unanswered ones in a row. */
  challengeAt: Instant | undefined;
  unanswered = 0;
  /** Since when our address of the path is gone: nothing can leave by it. */
  cutAt: Instant | undefined;

  nextDeadline(): Instant {
    const peer = this.peer;
    const theirs = peer === undefined ? NEVER : earlier(peer.repetition.deadline, peer.endsAt);
    const kept = this.previous === undefined ? NEVER : this.previousUntil;
    return earlier(earlier(this.own?.repetition.deadline ?? NEVER, theirs), earlier(kept, this.endsAt));
  }

  /** When a flow that has no address to go back to ends. */
  get endsAt(): Instant {
    return this.cutAt === undefined ? NEVER : after(this.cutAt, MIGRATION_LIFETIME);
  }

  /** Whether one of the two ends is between two addresses. */
  get isUnderWay(): boolean {
    return this.own?.kind === 'move' || this.peer !== undefined || this.cutAt !== undefined;
  }

  transition(event: MigrationEvent): boolean {
    const next = nextMigrationState(this.state, event);
    if (next === undefined) return false;
    this.state = next;
    return true;
  }

  /** Whether nothing is left that has to be remembered. */
  get isOver(): boolean {
    const isQuiet = this.state === 'settled' && this.cutAt === undefined && this.unanswered === 0;
    return isQuiet && this.unfinished === undefined && this.previous === undefined;
  }

  candidateAt(remote: NetworkAddress): Candidate | undefined {
    return this.peer?.candidates.find(({ path }) => path.remote.equals(remote));
  }

  /** Whether a row comes from where the peer says to be, or was before. */
  welcomes(batch: ReceivedBatch, row: number, now: Instant): boolean {
    if (this.previous !== undefined && now < this.previousUntil && batch.isFrom(row, this.previous.remote)) return true;
    return this.peer?.candidates.some(({ path }) => batch.isFrom(row, path.remote)) === true;
  }

  get hasRoomForCandidate(): boolean {
    return this.peer !== undefined && this.peer.candidates.length < MIGRATION_CANDIDATES_MAXIMUM;
  }
}
