// The holder's half of the registry: takes the other processes' connections, checks what they say and tells
// its owner what they registered and when they ended. What a stuck process registered counts as unregistered until it
// answers again (§4.1). What follows from that is policy (controller/).

import type { Server, Socket } from 'node:net';
import type { ServiceInstance } from '../controller/service-controller';
import { REGISTRATIONS_PER_MEMBER_MAXIMUM, REGISTRY_MEMBERS_MAXIMUM } from '../limits';
import type { NetworkAddress } from '../wire/network-address';
import { type ProcessPort, portsOverlap } from './process-port';
import { type MemberMessage, REGISTRY_VERSION } from './registry-message';
import { MemberSession, type Registration } from './registry-session';
import { everyBeat } from './silence';

export interface RegistryHolderObserver {
  /** The member hears of it when that resolves; none: at once. */
  registered(instance: ServiceInstance): Promise<void> | undefined;
  unregistered(instance: Omit<ServiceInstance, 'weight'>): void;
  /** The same, of a socket that is still there and refuses who comes. */
  withdrawn(instance: Omit<ServiceInstance, 'weight'>): void;
  /** All that the member at `address` registered is void. */
  memberGone(address: NetworkAddress): void;
  /** A service router of this host wants our place. */
  yieldAsked(): void;
  /** A process ended without a goodbye: its connections are dead. */
  departed(ports: readonly ProcessPort[]): void;
}

export class RegistryHolder {
  private readonly sessions = new Set<MemberSession>();
  /** Where first packets are resolved; `undefined` until the owner receives them. */
  private service: readonly ProcessPort[] | undefined;
  private referenced = false;
  private readonly heartbeat = everyBeat(() => this.beat());

  constructor(
    private readonly server: Server,
    private readonly ports: readonly ProcessPort[],
    private readonly observer: RegistryHolderObserver,
  ) {
    server.on('connection', (socket) => this.accept(socket));
    // Out of descriptors, and the like: that connection is lost, its process tries again.
    server.on('error', () => {});
    server.unref();
  }

  /** Processes that are registered now. */
  get memberCount(): number {
    let count = 0;
    for (const session of this.sessions) if (session.isMember) count++;
    return count;
  }

  /** The owner receives first packets at these ports now: whoever waits is welcome. */
  serveOn(service: readonly ProcessPort[]): void {
    this.service = service;
    for (const session of this.sessions) if (session.isMember) this.welcome(session);
  }

  ref(): void {
    this.referenced = true;
    this.server.ref();
    for (const session of this.sessions) session.socket.ref();
  }

  unref(): void {
    this.referenced = false;
    this.server.unref();
    for (const session of this.sessions) session.socket.unref();
  }

  /** Leaves the endpoint first and says goodbye then: who hears it can take over at once. `yields`: a router is to. */
  close(yields = false): Promise<void> {
    clearInterval(this.heartbeat);
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      for (const session of this.sessions) {
        session.send(yields ? { type: 'bye', yields } : { type: 'bye' });
        session.socket.destroySoon();
        // Their next holder resolves for them: we live on, and have them in our table.
        if (yields && session.address !== undefined) this.observer.memberGone(session.address);
      }
      this.sessions.clear();
    });
  }

  private accept(socket: Socket): void {
    if (!this.referenced) socket.unref();
    if (this.sessions.size >= REGISTRY_MEMBERS_MAXIMUM) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const session = new MemberSession(socket, {
      message: (message) => this.handleMessage(session, message),
      heard: () => this.handleHeard(session),
      ended: () => this.handleEnded(session),
    });
    this.sessions.add(session);
  }

  private handleMessage(session: MemberSession, message: MemberMessage): void {
    if (message.type === 'hello') this.handleHello(session, message.version, message.ports);
    else if (!session.isMember) session.refuse('hello comes first');
    else if (message.type === 'register') this.handleRegister(session, message);
    else if (message.type === 'unregister') this.handleUnregister(session, message);
    else if (message.type === 'yield') this.observer.yieldAsked();
    else if (message.type === 'bye') session.livesOn = true;
  }

  /** Nothing more is asked of one that is stuck: what waits for it, it answers when it can. */
  private beat(): void {
    for (const session of this.sessions) {
      if (!session.isMember || session.silence.isLong) continue;
      if (!session.silence.beat()) session.send({ type: 'ask' });
      else for (const registration of session.registrations.values()) this.withdraw(session, registration);
    }
  }

  private handleHeard(session: MemberSession): void {
    if (!session.silence.heard() || !this.sessions.has(session)) return;
    for (const registration of session.registrations.values()) this.offer(session, registration);
  }

  /** Resolves when the member may hear that it is registered; none: at once. */
  private offer({ address, silence }: MemberSession, registration: Registration): Promise<void> | undefined {
    return address === undefined || silence.isLong ? undefined : this.observer.registered({ ...registration, address });
  }

  private withdraw({ address }: MemberSession, { prefix, protocol }: Omit<Registration, 'weight'>): void {
    if (address !== undefined) this.observer.unregistered({ prefix, protocol, address });
  }

  private handleHello(session: MemberSession, version: number, ports: readonly ProcessPort[]): void {
    if (session.isMember) return session.refuse('hello twice');
    if (version !== REGISTRY_VERSION) return session.refuse(`version ${REGISTRY_VERSION} is spoken here`);
    // A member that claims another one's port would get its first packets, and end its connections by leaving.
    if (this.isTaken(ports)) return session.refuse('another process has that port');
    session.join(ports);
    if (this.service !== undefined) this.welcome(session);
  }

  private isTaken(ports: readonly ProcessPort[]): boolean {
    if (portsOverlap(ports, this.ports)) return true;
    for (const session of this.sessions) if (portsOverlap(ports, session.ports)) return true;
    return false;
  }

  private welcome(session: MemberSession): void {
    session.send({ type: 'welcome', pid: process.pid, ports: this.ports, service: this.service! });
  }

  private handleRegister(session: MemberSession, message: MemberMessage & { type: 'register' }): void {
    const { id, prefix, protocol, weight, picker } = message;
    const key = `${prefix} ${protocol}`;
    if (!session.registrations.has(key) && session.registrations.size >= REGISTRATIONS_PER_MEMBER_MAXIMUM) {
      session.send({ type: 'refused', id, reason: 'too many registrations' });
      return;
    }
    const registration = { prefix, protocol, weight, picker };
    session.registrations.set(key, registration);
    const known = this.offer(session, registration);
    if (known === undefined) session.send({ type: 'registered', id });
    else void known.then(() => session.send({ type: 'registered', id }));
  }

  private handleUnregister(session: MemberSession, message: MemberMessage & { type: 'unregister' }): void {
    const { prefix, protocol, withdrawn } = message;
    const key = `${prefix} ${protocol}`;
    const registration = session.registrations.get(key);
    session.registrations.delete(key);
    const { address } = session;
    if (withdrawn === true && registration !== undefined && address !== undefined && session.mayWithdraw(key)) {
      this.observer.withdrawn({ prefix, protocol, address });
    } else if (session.withdrawn.delete(key) || (registration !== undefined && !session.silence.isLong)) {
      this.withdraw(session, { prefix, protocol });
    }
  }

  private handleEnded(session: MemberSession): void {
    if (!this.sessions.delete(session) || !session.isMember) return;
    if (session.address !== undefined) this.observer.memberGone(session.address);
    if (session.livesOn || session.ports.length === 0) return;
    this.observer.departed(session.ports);
    for (const other of this.sessions) if (other.isMember) other.send({ type: 'peerGone', ports: session.ports });
  }
}
