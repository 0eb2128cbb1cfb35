// The two halves of a controller session without a network: channels that carry lines when the test says so, and that
// it can cut, hold up and end.

import { Registrar } from '../../../lib/controller/session/registrar';
import type { ChannelObserver, SessionChannel } from '../../../lib/controller/session/session-channel';
import { UpstreamSession } from '../../../lib/controller/session/upstream-session';
import { type Duration, type Instant, milliseconds } from '../../../lib/time/instant';
import { SeededRandom } from '../../../lib/time/seeded-random';
import { NetworkAddress } from '../../../lib/wire/network-address';

export const ROUTER = NetworkAddress.parse('10.0.0.1', 54325)!;

/** One end of a channel. What it was told waits until `deliver`. */
export class End implements SessionChannel {
  readonly lines: string[] = [];
  isOver = false;
  isReset = false;
  observer: ChannelObserver | undefined;
  peer: End | undefined;
  roundTripTime: Duration | undefined = milliseconds(1);

  constructor(
    readonly local: { ip: string; port: number },
    readonly remote: NetworkAddress,
  ) {}

  send(line: string): void {
    if (!this.isOver) this.lines.push(line);
  }

  end(): void {
    this.isOver = true;
  }

  reset(): void {
    this.isOver = this.isReset = true;
    this.lines.length = 0;
  }

  /** What this end has sent, without waiting for it. */
  take(): Record<string, unknown>[] {
    return this.lines.splice(0).map((line) => JSON.parse(line));
  }
}

/** A router that hosts open channels to; `isReachable` says whether they do. */
export class Neighbourhood {
  now = 1000 as Instant;
  readonly told: string[] = [];
  registrar: Registrar;
  isReachable = true;
  /** Whether lines pass, too. */
  isCarrying = true;
  readonly channels: { readonly below: End; readonly above: End }[] = [];
  private readonly sessions: UpstreamSession[] = [];
  private vain: { readonly below: End; readonly failsAt: Instant }[] = [];

  constructor() {
    this.registrar = this.restart();
  }

  /** Another run of the router, which knows nothing. */
  restart(): Registrar {
    for (const { above } of this.channels) above.isOver = true;
    const identity = String(this.channels.length).padStart(32, 'f');
    this.registrar = new Registrar(
      { identity, port: () => 54325 },
      {
        registered: ({ prefix, address, weight }) =>
          this.told.push(`+${prefix.base.toString()[0]} ${address} ${weight}`),
        unregistered: ({ prefix, address }) => this.told.push(`-${prefix.base.toString()[0]} ${address}`),
      },
    );
    return this.registrar;
  }

  host(ip: string, options: { readonly identity?: string; readonly translatedTo?: NetworkAddress } = {}) {
    const events: string[] = [];
    const { identity = ip.replaceAll('.', '').padStart(32, '0'), translatedTo } = options;
    const place = { ip, port: 40_000 };
    const session = new UpstreamSession(
      {
        random: SeededRandom.of(7),
        identity,
        routers: () => [ROUTER],
        port: () => 54325,
        open: (to, timeout, observer) => this.open(place, to[0]!, timeout, observer, translatedTo),
      },
      {
        welcomed: (router) => events.push(`welcomed ${router}`),
        lost: () => events.push('lost'),
        acknowledged: () => {},
        problem: (text) => events.push(text),
      },
    );
    this.sessions.push(session);
    return { session, events, place };
  }

  /** What the router's observer was told since the last time. */
  take(): string[] {
    return this.told.splice(0);
  }

  /** Passes lines on until there are no more. */
  deliver(): void {
    for (let more = true; more; ) {
      more = false;
      for (const { below, above } of this.channels) {
        if (this.pass(below, above)) more = true;
        if (this.pass(above, below)) more = true;
      }
    }
  }

  /** Lets time pass, with all that falls due in it. */
  elapse(duration: number): void {
    const until = (this.now + duration) as Instant;
    for (;;) {
      this.deliver();
      const deadlines = [this.registrar.nextDeadline(), ...this.sessions.map((session) => session.nextDeadline())];
      const next = Math.min(...deadlines, ...this.vain.map(({ failsAt }) => failsAt));
      if (next > until) break;
      this.now = Math.max(next, this.now) as Instant;
      this.registrar.handleDeadline(this.now);
      for (const session of this.sessions) session.handleDeadline(this.now);
      const due = this.vain.filter(({ failsAt }) => failsAt <= this.now);
      this.vain = this.vain.filter(({ failsAt }) => failsAt > this.now);
      for (const { below } of due) if (!below.isOver) below.observer!.closed(this.now, false);
    }
    this.now = until;
  }

  private open(
    place: { readonly ip: string; readonly port: number },
    router: NetworkAddress,
    timeout: Duration,
    observer: ChannelObserver,
    translatedTo: NetworkAddress | undefined,
  ): SessionChannel {
    const below = new End({ ...place }, router);
    const above = new End(
      { ip: router.ip, port: router.port },
      translatedTo ?? NetworkAddress.parse(place.ip, place.port)!,
    );
    below.observer = observer;
    below.peer = above;
    above.peer = below;
    if (!this.isReachable) {
      this.vain.push({ below, failsAt: (this.now + timeout) as Instant });
      return below;
    }
    above.observer = this.registrar.accept(above, this.now);
    this.channels.push({ below, above });
    return below;
  }

  private pass(from: End, to: End): boolean {
    if (!this.isCarrying) return false;
    if (from.observer !== undefined && !openedEnds.has(from)) {
      openedEnds.add(from);
      if (!from.isOver) from.observer.opened(this.now);
      return true;
    }
    if (from.lines.length > 0) {
      const lines = from.lines.splice(0).map((line) => line.trimEnd());
      if (!to.isOver) to.observer?.lines(lines, this.now);
      return true;
    }
    if (from.isOver && !to.isOver) {
      to.isOver = true;
      to.observer?.closed(this.now, false);
      return true;
    }
    return false;
  }
}

const openedEnds = new WeakSet<End>();
