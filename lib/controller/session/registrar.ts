// The upper half of the controller sessions (§4.3): who is registered with a router, and for how long. What a session
// registers is its own and ends with it: by goodbye, by the end of its channel, or a lease after its last sign of
// life. A newer session of the same host takes it over without a gap, and an older one can bring nothing back.
// Long because a session's hello, its registrations and its end are one story.

import { DeadlineQueue, type HasQueuePosition, NOT_QUEUED } from '../../time/deadline-queue';
import { after, type Instant } from '../../time/instant';
import { NetworkAddress } from '../../wire/network-address';
import { CONTROLLER_PREFIX } from '../controller-service';
import type { ServiceInstance } from '../service-controller';
import { EndedSessions } from './ended-sessions';
import { formatLine, keyOf, type RegisteredName } from './message-fields';
import type { ChannelObserver, SessionChannel } from './session-channel';
import {
  REGISTRATIONS_MAXIMUM,
  REGISTRATIONS_PER_SESSION_MAXIMUM,
  SESSION_HEARTBEAT,
  SESSION_HELLO_TIMEOUT,
  SESSION_LEASE,
  SESSION_PATH_MAXIMUM,
  SESSIONS_MAXIMUM,
} from './session-limits';
import {
  type Hello,
  parseDownstreamMessage,
  type RegisteredTerms,
  SESSION_VERSION,
  type UpstreamMessage,
} from './session-message';

/** An instance that a host below has registered. */
export interface RegisteredInstance extends ServiceInstance {
  readonly since: Instant;
}

/** A host that is registered. */
export interface RegisteredHost {
  readonly identity: string;
  readonly name: string | undefined;
  /** Where its first packets go. */
  readonly address: NetworkAddress;
  readonly since: Instant;
  /** Its last sign of life. */
  readonly heardAt: Instant;
  /** Some of them a former session's, which this one has not named again yet. */
  readonly instances: Iterable<RegisteredInstance>;
  readonly instanceCount: number;
}

export interface RegistrarObserver {
  /** From now on, or with another weight or wish than before. */
  registered(instance: RegisteredInstance): void;
  unregistered(instance: RegisteredInstance): void;
  /** Calls `answer` when the instance may hear that it is registered: at once, or when it is known further up. */
  confirm?(instance: RegisteredInstance, answer: () => void, now: Instant): void;
}

export interface RegistrarOptions {
  /** Hex digits that no other run of a router has. */
  readonly identity: string;
  /** UDP port at which this router takes first packets; 0 on a link without ports. */
  readonly port: () => number;
}

export class Registrar {
  private readonly sessions = new Set<Session>();
  private readonly byIdentity = new Map<string, Session>();
  /** Where nobody but one process can be, so that a newer session there comes from a newer run. */
  private readonly byAddress = new Map<string, Session>();
  private readonly ended = new EndedSessions();
  private readonly deadlines = new DeadlineQueue<Session>();
  /** The identities of the routers above, nearest first. */
  private above: readonly string[] = [];
  private instanceCount = 0;

  constructor(
    private readonly options: RegistrarOptions,
    private readonly observer: RegistrarObserver,
  ) {}

  // ---- what is known ----

  /** Who is registered now. */
  *hosts(): IterableIterator<RegisteredHost> {
    for (const session of this.byIdentity.values()) yield session;
  }

  *instances(): IterableIterator<RegisteredInstance> {
    for (const session of this.byIdentity.values()) yield* session.instances;
  }

  // ---- what the network and the clock did ----

  /** A peer has opened a channel. `undefined` when there are too many: the channel is to be reset. */
  accept(channel: SessionChannel, now: Instant): ChannelObserver | undefined {
    if (this.sessions.size >= SESSIONS_MAXIMUM) return undefined;
    const session = new Session(channel, now);
    this.sessions.add(session);
    this.deadlines.set(session, after(now, SESSION_HELLO_TIMEOUT));
    return {
      opened: () => {},
      lines: (lines, at) => this.handleLines(session, lines, at),
      closed: (at) => this.end(session, at),
    };
  }

  nextDeadline(): Instant {
    return this.deadlines.next();
  }

  handleDeadline(now: Instant): void {
    for (let session = this.deadlines.popDue(now); session !== undefined; session = this.deadlines.popDue(now)) {
      const dueAt = after(session.heardAt, session.isRegistered ? SESSION_LEASE : SESSION_HELLO_TIMEOUT);
      if (dueAt > now) this.deadlines.set(session, dueAt);
      else this.cut(session, now);
    }
  }

  // ---- what its owner wants ----

  /** The routers above this one have changed: those below are told, and none of them may be among these. */
  setPath(above: readonly string[], now: Instant): void {
    this.above = above;
    for (const session of this.byIdentity.values()) {
      const reason = this.objectionTo(session.identity);
      if (reason === undefined) this.welcome(session);
      else this.refuse(session, reason, now);
    }
  }

  /** Says goodbye to everyone. */
  close(): void {
    for (const session of this.sessions) {
      send(session, { type: 'bye' });
      session.channel.end();
    }
    this.sessions.clear();
    this.byIdentity.clear();
    this.byAddress.clear();
  }

  // ---- messages ----

  private handleLines(session: Session, lines: readonly string[] | undefined, now: Instant): void {
    session.heardAt = now;
    if (lines === undefined) return this.refuse(session, 'a line is too long', now);
    for (const line of lines) {
      if (!this.sessions.has(session)) return;
      this.handleLine(session, line, now);
    }
  }

  private handleLine(session: Session, line: string, now: Instant): void {
    const message = parseDownstreamMessage(line);
    if (message === undefined) return this.refuse(session, 'a line is malformed', now);
    if (message.type === 'hello') return this.handleHello(session, message, now);
    if (!session.isRegistered) return this.refuse(session, 'hello comes first', now);
    switch (message.type) {
      case 'register':
        return this.handleRegister(session, message, now);
      case 'unregister':
        return this.handleUnregister(session, message);
      case 'synced':
        return this.handleSynced(session);
      case 'heartbeat':
        return send(session, { type: 'heartbeat', count: message.count });
      case 'bye':
        session.channel.end();
        return this.end(session, now);
    }
  }

  private handleHello(session: Session, hello: Hello, now: Instant): void {
    const reason = session.isRegistered ? 'hello twice' : this.objectionToHello(hello, now);
    if (reason !== undefined) return this.refuse(session, reason, now);
    session.register(hello);
    const former = this.byIdentity.get(hello.identity);
    if (former !== undefined) this.takeOver(session, former, now);
    const displaced = this.byAddress.get(session.address.toString());
    if (displaced !== undefined) this.takeOver(session, displaced, now);
    this.byIdentity.set(session.identity, session);
    this.byAddress.set(session.address.toString(), session);
    this.welcome(session);
  }

  private objectionToHello({ version, identity, session }: Hello, now: Instant): string | undefined {
    if (version !== SESSION_VERSION) return `version ${SESSION_VERSION} is spoken here`;
    const newest = this.byIdentity.get(identity)?.number ?? this.ended.numberOf(identity, now);
    if (newest !== undefined && session <= newest) return 'there is a newer session';
    return this.objectionTo(identity);
  }

  private objectionTo(identity: string): string | undefined {
    if (identity === this.options.identity || this.above.includes(identity)) return 'this router registers with it';
    return this.above.length + 1 >= SESSION_PATH_MAXIMUM ? 'too many routers above one another' : undefined;
  }

  /** What the former session registered stays, until the new one has said all it offers. */
  private takeOver(session: Session, former: Session, now: Instant): void {
    for (const [key, registration] of former.registrations) {
      const known = session.registrations.get(key);
      if (known !== undefined) this.withdraw(known.instance);
      session.registrations.set(key, { instance: registration.instance, isInherited: true });
    }
    former.registrations.clear();
    this.cut(former, now);
  }

  private welcome(session: Session): void {
    const { identity, port } = this.options;
    const times = { lease: SESSION_LEASE, heartbeat: SESSION_HEARTBEAT };
    const path = [identity, ...this.above];
    send(session, { type: 'welcome', version: SESSION_VERSION, identity, ...times, port: port(), path });
  }

  private handleRegister(
    session: Session,
    { id, prefix, protocol, weight, picker }: RegisteredName & RegisteredTerms & { readonly id: number },
    now: Instant,
  ): void {
    const key = keyOf(prefix, protocol);
    const known = session.registrations.get(key);
    const reason = known === undefined ? this.objectionToMore(session) : undefined;
    // Who had it would be told what every other host registers.
    if (prefix.equals(CONTROLLER_PREFIX)) return send(session, { type: 'refused', id, reason: 'the router has it' });
    if (reason !== undefined) return send(session, { type: 'refused', id, reason });
    const { address } = session;
    const isSame = known?.instance.address.equals(address) === true;
    const since = known === undefined ? now : known.instance.since;
    const instance = { prefix, protocol, address, weight, picker, since };
    session.registrations.set(key, { instance, isInherited: false });
    if (known === undefined) this.instanceCount++;
    // The new place is known before the old one goes.
    const isAsBefore = isSame && known.instance.weight === weight && known.instance.picker === picker;
    if (!isAsBefore) this.observer.registered(instance);
    if (known !== undefined && !isSame) this.observer.unregistered(known.instance);
    const answer = (): void => {
      if (this.sessions.has(session)) send(session, { type: 'registered', id });
    };
    if (this.observer.confirm === undefined) answer();
    else this.observer.confirm(instance, answer, now);
  }

  private objectionToMore({ registrations }: Session): string | undefined {
    if (registrations.size >= REGISTRATIONS_PER_SESSION_MAXIMUM) return 'too many registrations of one host';
    return this.instanceCount >= REGISTRATIONS_MAXIMUM ? 'too many registrations' : undefined;
  }

  private handleUnregister(session: Session, { prefix, protocol }: RegisteredName): void {
    const key = keyOf(prefix, protocol);
    const known = session.registrations.get(key);
    if (known === undefined) return;
    session.registrations.delete(key);
    this.withdraw(known.instance);
  }

  private handleSynced(session: Session): void {
    for (const [key, { instance, isInherited }] of session.registrations) {
      if (!isInherited) continue;
      session.registrations.delete(key);
      this.withdraw(instance);
    }
  }

  private withdraw(instance: RegisteredInstance): void {
    this.instanceCount--;
    this.observer.unregistered(instance);
  }

  // ---- ends ----

  /** It broke the rules, or cannot be taken: it is told why. */
  private refuse(session: Session, reason: string, now: Instant): void {
    send(session, { type: 'refused', reason });
    session.channel.end();
    this.end(session, now);
  }

  private cut(session: Session, now: Instant): void {
    session.channel.reset();
    this.end(session, now);
  }

  private end(session: Session, now: Instant): void {
    if (!this.sessions.delete(session)) return;
    this.deadlines.remove(session);
    if (!session.isRegistered) return;
    if (this.byIdentity.get(session.identity) === session) this.byIdentity.delete(session.identity);
    const at = session.address.toString();
    if (this.byAddress.get(at) === session) this.byAddress.delete(at);
    this.ended.add(session.identity, session.number, now);
    for (const { instance } of session.registrations.values()) this.withdraw(instance);
    session.registrations.clear();
  }
}

interface Registration {
  readonly instance: RegisteredInstance;
  /** A former session's, and not named again yet. */
  readonly isInherited: boolean;
}

/** One channel from below. */
class Session implements RegisteredHost, HasQueuePosition {
  readonly registrations = new Map<string, Registration>();
  queuePosition = NOT_QUEUED;
  heardAt: Instant;
  private hello: Hello | undefined;
  private place: NetworkAddress | undefined;

  constructor(
    readonly channel: SessionChannel,
    readonly since: Instant,
  ) {
    this.heardAt = since;
  }

  register(hello: Hello): void {
    this.hello = hello;
    this.place = addressOf(hello, this.channel.remote);
  }

  get isRegistered(): boolean {
    return this.hello !== undefined;
  }

  get identity(): string {
    return this.hello!.identity;
  }

  get number(): number {
    return this.hello!.session;
  }

  get name(): string | undefined {
    return this.hello?.name;
  }

  get address(): NetworkAddress {
    return this.place!;
  }

  get instanceCount(): number {
    return this.registrations.size;
  }

  get instances(): Iterable<RegisteredInstance> {
    return Array.from(this.registrations.values(), ({ instance }) => instance);
  }
}

/**
 * Where a host's first packets go. Its IP address is the one that the handshake has proved. The port is the one it
 * names, unless a translator (NAT) stands between: only what the session itself passes comes through that.
 */
function addressOf({ port, source }: Hello, remote: NetworkAddress): NetworkAddress {
  const told = source.ip === '' ? undefined : NetworkAddress.parse(source.ip, remote.port);
  const isTranslated = source.port !== remote.port || (told !== undefined && !told.sameIp(remote));
  return isTranslated ? remote : remote.withPort(port);
}

function send(session: Session, message: UpstreamMessage): void {
  session.channel.send(formatLine(message));
}
