// The lower half of a controller session (§4.3): keeps a host registered with the router above it. It says hello,
// tells all that the host offers and then each change, and gives signs of life. When the router does not answer one,
// it opens a second session beside the first at once, and what the router answers to that decides.
// Long because what may happen to the session that lives and to the one that is to follow it stands side by side.

import type { TransportProtocol } from '../../stack/control-interface';
import { after, type Duration, earlier, type Instant, milliseconds, NEVER } from '../../time/instant';
import type { RandomSource } from '../../time/random-source';
import type { NetworkAddress } from '../../wire/network-address';
import type { ServicePrefix } from '../../wire/service-id';
import { formatLine, type RegisteredName } from './message-fields';
import { Offers } from './offers';
import type { ChannelObserver, SessionChannel } from './session-channel';
import {
  REGISTRATION_WAIT_MAXIMUM,
  SESSION_CONNECT_MAXIMUM,
  SESSION_CONNECT_MINIMUM,
  SESSION_HEARTBEAT_MINIMUM,
  SESSION_HELLO_TIMEOUT,
  SESSION_LEASE,
  SESSION_LEASE_MAXIMUM,
  SESSION_PROBLEMS_MAXIMUM,
  SESSION_RETRY_MAXIMUM,
  SESSION_RETRY_MINIMUM,
  SESSION_RETURN_SPREAD,
  SUSPICION_MINIMUM,
  SUSPICION_ROUND_TRIPS,
} from './session-limits';
import {
  type DownstreamMessage,
  parseUpstreamMessage,
  type RegisteredTerms,
  SESSION_VERSION,
  type UpstreamMessage,
  type Welcome,
} from './session-message';

export interface UpstreamSessionOptions {
  readonly random: RandomSource;
  /** Hex digits that no other run of a host has. */
  readonly identity: string;
  readonly name?: string | undefined;
  /** Where a router may be; after how many failures in a row. Each of them is asked. */
  readonly routers: (failures: number) => readonly NetworkAddress[];
  /** UDP port at which this host takes first packets; 0 on a link without ports. */
  readonly port: () => number;
  /** Longest pause between two attempts; SESSION_RETRY_MAXIMUM by default. */
  readonly retryMaximum?: Duration;
  /** Opens a channel to the controller service at one of these addresses, in so long. */
  readonly open: (to: readonly NetworkAddress[], timeout: Duration, observer: ChannelObserver) => SessionChannel;
}

export interface UpstreamSessionObserver {
  /**
   * The router at this address knows us. Told again for each session, and when `path` has changed. `isReturn`: in another
   * session than before.
   */
  welcomed(router: NetworkAddress, path: readonly string[], now: Instant, isReturn: boolean): void;
  /** There has been no session for a lease. */
  lost(now: Instant): void;
  /** The router knows an offer now, or has refused it; without an offer: nothing is to be waited for. */
  acknowledged(offer?: RegisteredName): void;
  /** The router does not want us, or something we offer. */
  problem(text: string): void;
}

/** One channel to the router: `opening`, then `greeted` until the router's welcome. */
interface Attempt {
  readonly number: number;
  channel: SessionChannel;
  /** Where it spoke from when it said hello; its flow may have migrated since, what it has registered has not. */
  ip: string | undefined;
  stage: 'opening' | 'greeted' | 'welcome' | 'over';
}

export class UpstreamSession {
  private readonly offers = new Offers();
  /** What the owner has been told of. */
  private readonly problems = new Set<string>();
  /** The one that holds what we have registered, and the one that is to take its place. */
  private current: Attempt | undefined;
  private next: Attempt | undefined;
  private isActive = false;
  private isComplete = true;
  /** The next session is wanted however well the current one does. */
  private isMoving = false;
  private lastNumber = 0;
  private failures = 0;
  private lease = SESSION_LEASE;
  private heartbeat = SESSION_HEARTBEAT_MINIMUM;
  private heartbeats = 0;
  private heardAt = 0 as Instant;
  /** When there was no session any more, or none yet. */
  private missingSince = 0 as Instant;
  private isLost = true;
  /** The last attempt met somebody who takes no sessions. */
  private isRefused = false;

  private retryAt = NEVER;
  private heartbeatAt = NEVER;
  private answerBy = NEVER;
  private welcomeBy = NEVER;

  constructor(
    private readonly options: UpstreamSessionOptions,
    private readonly observer: UpstreamSessionObserver,
  ) {}

  // ---- what is known ----

  get isWelcome(): boolean {
    return this.current !== undefined;
  }

  /** Hex digits; the router above knows this host by them. */
  get identity(): string {
    return this.options.identity;
  }

  get roundTripTime(): Duration | undefined {
    return this.current?.channel.roundTripTime;
  }

  /** Whether the router knows it, or there is no such offer: nobody need wait. */
  isAcknowledged(prefix: ServicePrefix, protocol: TransportProtocol): boolean {
    return this.offers.find(prefix, protocol)?.isAcknowledged ?? true;
  }

  /** Until when an acknowledgment is worth waiting for: what is there when no session can be had soon? */
  patience(now: Instant): Instant {
    if (!this.isActive || (this.current === undefined && this.isRefused)) return now;
    return after(this.current === undefined ? this.missingSince : now, REGISTRATION_WAIT_MAXIMUM);
  }

  // ---- what its owner wants ----

  /** `isComplete`: all that is offered is known by now. Else say `complete` when it is. */
  start(now: Instant, isComplete = true): void {
    if (this.isActive) return;
    this.isActive = true;
    this.isComplete = isComplete;
    this.failures = 0;
    this.missingSince = now;
    this.open(now);
  }

  /** What a former run or session has registered at the router, and we have not by now, is void. */
  complete(): void {
    if (this.isComplete) return;
    this.isComplete = true;
    this.tell({ type: 'synced' });
  }

  /** Says goodbye: all that is registered is void at once. */
  stop(): void {
    if (!this.isActive) return;
    this.tell({ type: 'bye' });
    this.leave((channel) => channel.end());
  }

  /** Falls silent: what is registered stays until the session of another process takes it over, or a lease is over. */
  handOver(): void {
    if (this.isActive) this.leave(() => {});
  }

  private leave(how: (channel: SessionChannel) => void): void {
    this.isActive = false;
    for (const attempt of [this.current, this.next]) this.discard(attempt, how);
    this.current = this.next = undefined;
    this.retryAt = this.heartbeatAt = this.answerBy = this.welcomeBy = NEVER;
  }

  offer(prefix: ServicePrefix, protocol: TransportProtocol, terms: RegisteredTerms): void {
    const offer = this.offers.set(prefix, protocol, terms);
    if (offer !== undefined) this.tell({ type: 'register', id: offer.id, prefix, protocol, ...terms });
  }

  withdraw(prefix: ServicePrefix, protocol: TransportProtocol): void {
    if (!this.offers.delete(prefix, protocol)) return;
    this.tell({ type: 'unregister', prefix, protocol });
    this.observer.acknowledged({ prefix, protocol });
  }

  // ---- what the network and the clock did ----

  /** An address of this host is gone: whoever speaks from it is not heard any more. */
  handleAddressGone(ip: string, now: Instant): void {
    const { current, next } = this;
    // One that has not said hello yet will say it from wherever it is then.
    if (current?.ip !== ip && next?.ip !== ip) return;
    if (next?.ip !== undefined && next.ip !== ip) this.isMoving = true;
    else this.move(now);
  }

  /** There is another way to the network: perhaps one to the router. */
  handleAddressAdded(now: Instant): void {
    if (this.isActive && this.current === undefined) this.move(now);
  }

  /** First packets are to come somewhere else than the session says. */
  move(now: Instant): void {
    if (!this.isActive) return;
    this.discard(this.next, (channel) => channel.reset());
    this.next = undefined;
    this.failures = 0;
    this.isMoving = true;
    this.open(now);
  }

  nextDeadline(): Instant {
    const leaseEnd = this.current === undefined ? NEVER : after(this.heardAt, this.lease);
    const lostAt = this.isLost || this.current !== undefined ? NEVER : after(this.missingSince, this.lease);
    const session = earlier(earlier(this.heartbeatAt, this.answerBy), earlier(leaseEnd, lostAt));
    return this.isActive ? earlier(session, earlier(this.retryAt, this.welcomeBy)) : NEVER;
  }

  handleDeadline(now: Instant): void {
    if (!this.isActive) return;
    if (this.welcomeBy <= now) this.handleFailed(this.next, now, (channel) => channel.reset());
    if (this.current !== undefined && after(this.heardAt, this.lease) <= now) this.handleLeaseOver(now);
    if (this.heartbeatAt <= now) this.giveSign(now);
    if (this.answerBy <= now) this.suspect(now);
    if (this.retryAt <= now) this.open(now);
    if (this.current === undefined && !this.isLost && after(this.missingSince, this.lease) <= now) {
      this.isLost = true;
      this.observer.lost(now);
    }
  }

  // ---- attempts ----

  private open(now: Instant): void {
    this.retryAt = NEVER;
    if (this.next !== undefined) return;
    const routers = this.options.routers(this.failures);
    if (routers.length === 0) return this.retry(now);
    const timeout = milliseconds(Math.min(SESSION_CONNECT_MINIMUM * 2 ** this.failures, SESSION_CONNECT_MAXIMUM));
    const attempt = { number: ++this.lastNumber, stage: 'opening' } as Attempt;
    this.next = attempt;
    attempt.channel = this.options.open(routers, timeout, {
      opened: (at) => this.handleOpened(attempt, at),
      lines: (lines, at) => this.handleLines(attempt, lines, at),
      closed: (at, isRefused) => this.handleClosed(attempt, isRefused, at),
    });
  }

  private handleOpened(attempt: Attempt, now: Instant): void {
    if (attempt.stage !== 'opening') return;
    attempt.stage = 'greeted';
    attempt.ip = attempt.channel.local.ip;
    this.welcomeBy = after(now, SESSION_HELLO_TIMEOUT);
    const { identity, name, port } = this.options;
    const who = { identity, session: attempt.number, ...(name === undefined ? {} : { name }) };
    const where = { port: port(), source: attempt.channel.local };
    send(attempt, { type: 'hello', version: SESSION_VERSION, ...who, ...where });
    for (const { id, prefix, protocol, terms } of this.offers) {
      send(attempt, { type: 'register', id, prefix, protocol, ...terms });
    }
    if (this.isComplete) send(attempt, { type: 'synced' });
  }

  private handleLines(attempt: Attempt, lines: readonly string[] | undefined, now: Instant): void {
    for (const line of lines ?? ['']) {
      if (attempt.stage === 'over') return;
      const message = parseUpstreamMessage(line);
      if (message === undefined) return this.handleRefused(attempt, 'it sent a malformed line', now);
      this.handleMessage(attempt, message, now);
    }
  }

  private handleMessage(attempt: Attempt, message: UpstreamMessage, now: Instant): void {
    if (attempt === this.current) this.handleSign(now);
    switch (message.type) {
      case 'welcome':
        return this.handleWelcome(attempt, message, now);
      case 'registered':
        return this.settle(message.id);
      case 'refused':
        if (message.id === undefined) return this.handleRefused(attempt, message.reason, now);
        this.complain(`the router did not register ${this.offers.named(message.id)?.prefix}: ${message.reason}`);
        return this.settle(message.id);
      case 'bye':
        return this.handleBye(attempt, now);
    }
  }

  private handleWelcome(attempt: Attempt, welcome: Welcome, now: Instant): void {
    if (welcome.version !== SESSION_VERSION) return this.handleRefused(attempt, 'it speaks another version', now);
    if (welcome.path.includes(this.identity)) return this.handleRefused(attempt, 'it registers with us itself', now);
    const isReturn = attempt === this.next && attempt.number > 1;
    if (attempt === this.next) this.follow(attempt, now);
    this.lease = milliseconds(Math.min(welcome.lease, SESSION_LEASE_MAXIMUM));
    this.heartbeat = milliseconds(Math.max(welcome.heartbeat, SESSION_HEARTBEAT_MINIMUM));
    this.heartbeatAt = earlier(this.heartbeatAt, after(now, this.heartbeat));
    this.observer.welcomed(attempt.channel.remote.withPort(welcome.port), welcome.path, now, isReturn);
  }

  /** The router has taken all over from the session before. */
  private follow(attempt: Attempt, now: Instant): void {
    attempt.stage = 'welcome';
    this.discard(this.current, (channel) => channel.reset());
    this.current = attempt;
    this.next = undefined;
    this.isMoving = this.isLost = this.isRefused = false;
    this.welcomeBy = this.heartbeatAt = NEVER;
    this.handleSign(now);
  }

  /** The router lives. What was opened because it seemed not to is not needed, unless the router knows of it. */
  private handleSign(now: Instant): void {
    this.heardAt = now;
    this.answerBy = NEVER;
    if (this.isMoving) return;
    this.retryAt = NEVER;
    this.failures = 0;
    if (this.next?.stage !== 'opening') return;
    this.discard(this.next, (channel) => channel.reset());
    this.next = undefined;
  }

  private settle(id: number): void {
    const offer = this.offers.named(id);
    if (offer === undefined || offer.isAcknowledged) return;
    offer.isAcknowledged = true;
    this.observer.acknowledged(offer);
  }

  private handleRefused(attempt: Attempt, reason: string, now: Instant): void {
    this.complain(`the router refused this host: ${reason}`);
    // It will say the same again: not before the longest pause.
    this.failures = Math.max(this.failures, PATIENT_FAILURES);
    this.handleFailed(attempt, now, (channel) => channel.end());
  }

  /** Once: the router says the same each time it is asked. */
  private complain(text: string): void {
    if (this.problems.has(text) || this.problems.size >= SESSION_PROBLEMS_MAXIMUM) return;
    this.problems.add(text);
    this.observer.problem(text);
  }

  private handleBye(attempt: Attempt, now: Instant): void {
    this.handleFailed(attempt, now, (channel) => channel.end());
    if (this.next === undefined) this.retryAt = after(now, this.drawn(SESSION_RETURN_SPREAD));
  }

  private handleClosed(attempt: Attempt, isRefused: boolean, now: Instant): void {
    this.isRefused = isRefused;
    this.handleFailed(attempt, now, () => {});
  }

  private handleFailed(attempt: Attempt | undefined, now: Instant, leave: (channel: SessionChannel) => void): void {
    if (attempt === undefined || attempt.stage === 'over') return;
    this.discard(attempt, leave);
    if (attempt === this.next) {
      this.next = undefined;
      this.welcomeBy = NEVER;
      this.failures++;
      this.observer.acknowledged();
    } else {
      this.miss(now);
    }
    if (this.next === undefined) this.retry(now);
  }

  private handleLeaseOver(now: Instant): void {
    this.discard(this.current, (channel) => channel.reset());
    this.miss(now);
    if (this.next === undefined && this.retryAt === NEVER) this.retry(now);
  }

  private miss(now: Instant): void {
    this.current = undefined;
    this.missingSince = now;
    this.heartbeatAt = this.answerBy = NEVER;
  }

  private retry(now: Instant): void {
    const { retryMaximum = SESSION_RETRY_MAXIMUM } = this.options;
    const longest = Math.min(SESSION_RETRY_MINIMUM * 2 ** this.failures, retryMaximum);
    this.retryAt = after(now, this.drawn(longest));
  }

  private giveSign(now: Instant): void {
    this.heartbeats = (this.heartbeats + 1) & 0x7fffffff;
    this.tell({ type: 'heartbeat', count: this.heartbeats });
    this.heartbeatAt = after(now, this.heartbeat);
    const expected = Math.max((this.roundTripTime ?? 0) * SUSPICION_ROUND_TRIPS, SUSPICION_MINIMUM);
    this.answerBy = earlier(this.answerBy, after(now, milliseconds(expected)));
  }

  private suspect(now: Instant): void {
    this.answerBy = NEVER;
    if (this.next === undefined && this.retryAt === NEVER) this.open(now);
  }

  private discard(attempt: Attempt | undefined, leave: (channel: SessionChannel) => void): void {
    if (attempt === undefined || attempt.stage === 'over') return;
    attempt.stage = 'over';
    leave(attempt.channel);
  }

  /** To whoever has been told the rest. */
  private tell(message: DownstreamMessage): void {
    for (const attempt of [this.current, this.next]) {
      if (attempt?.stage === 'welcome' || attempt?.stage === 'greeted') send(attempt, message);
    }
  }

  private drawn(longest: number): Duration {
    return milliseconds(longest * this.options.random.fraction());
  }
}

function send(attempt: Attempt, message: DownstreamMessage): void {
  attempt.channel.send(formatLine(message));
}

/** Failures after which the pause has reached its maximum. */
const PATIENT_FAILURES = 8;
