// The holder's half of the registry: takes the other processes' connections, checks what they say and tells
// its owner what they registered and when they ended. What follows from that is policy (controller/).

import type { Server, Socket } from 'node:net';
import type { ServiceInstance } from '../controller/service-controller';
import { LineReader } from '../controller/session/line-reader';
import {
  REGISTRATIONS_PER_MEMBER_MAXIMUM,
  REGISTRY_BACKLOG_MAXIMUM,
  REGISTRY_HELLO_TIMEOUT,
  REGISTRY_LINE_MAXIMUM,
  REGISTRY_MEMBERS_MAXIMUM,
} from '../limits';
import type { NetworkAddress } from '../wire/network-address';
import { loopbackAddress, type ProcessPort, portsOverlap } from './process-port';
import {
  formatMessage,
  type HolderMessage,
  type MemberMessage,
  parseMemberMessage,
  REGISTRY_VERSION,
} from './registry-message';

export interface RegistryHolderObserver {
  registered(instance: ServiceInstance): void;
  unregistered(instance: Omit<ServiceInstance, 'weight'>): void;
  /** All that the member at `address` registered is void. */
  memberGone(address: NetworkAddress): void;
  /** A process ended without a goodbye: its connections are dead. */
  departed(ports: readonly ProcessPort[]): void;
}

export class RegistryHolder {
  private readonly sessions = new Set<MemberSession>();
  /** Where first packets are resolved; `undefined` until the owner receives them. */
  private service: readonly ProcessPort[] | undefined;
  private referenced = false;

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

  /** Leaves the endpoint first and says goodbye then: who hears it can take over at once. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      for (const session of this.sessions) {
        session.send({ type: 'bye' });
        session.socket.destroySoon();
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
      ended: () => this.handleEnded(session),
    });
    this.sessions.add(session);
  }

  private handleMessage(session: MemberSession, message: MemberMessage): void {
    if (message.type === 'hello') this.handleHello(session, message.version, message.ports);
    else if (!session.isMember) session.refuse('hello comes first');
    else if (message.type === 'register') this.handleRegister(session, message);
    else if (message.type === 'unregister') this.handleUnregister(session, message);
    else session.livesOn = true;
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
    const { id, prefix, protocol, weight } = message;
    const key = `${prefix} ${protocol}`;
    if (!session.registrations.has(key) && session.registrations.size >= REGISTRATIONS_PER_MEMBER_MAXIMUM) {
      session.send({ type: 'refused', id, reason: 'too many registrations' });
      return;
    }
    session.registrations.add(key);
    if (session.address !== undefined) this.observer.registered({ prefix, protocol, weight, address: session.address });
    session.send({ type: 'registered', id });
  }

  private handleUnregister(session: MemberSession, message: MemberMessage & { type: 'unregister' }): void {
    const { prefix, protocol } = message;
    if (!session.registrations.delete(`${prefix} ${protocol}`) || session.address === undefined) return;
    this.observer.unregistered({ prefix, protocol, address: session.address });
  }

  private handleEnded(session: MemberSession): void {
    if (!this.sessions.delete(session) || !session.isMember) return;
    if (session.address !== undefined) this.observer.memberGone(session.address);
    if (session.livesOn || session.ports.length === 0) return;
    this.observer.departed(session.ports);
    for (const other of this.sessions) if (other.isMember) other.send({ type: 'peerGone', ports: session.ports });
  }
}

interface MemberSessionObserver {
  message(message: MemberMessage): void;
  ended(): void;
}

/** One process's connection. */
class MemberSession {
  /** `PREFIX protocol`, to count and to ignore what was never registered. */
  readonly registrations = new Set<string>();
  isMember = false;
  /** Its end is no reason to fail its connections: it said goodbye, or it was cut off. */
  livesOn = false;
  ports: readonly ProcessPort[] = [];
  address: NetworkAddress | undefined;
  private readonly reader = new LineReader(REGISTRY_LINE_MAXIMUM);
  private readonly helloTimer: NodeJS.Timeout;

  constructor(
    readonly socket: Socket,
    private readonly observer: MemberSessionObserver,
  ) {
    this.helloTimer = setTimeout(() => this.refuse('no hello'), REGISTRY_HELLO_TIMEOUT).unref();
    socket.on('data', (chunk) => this.handleChunk(chunk));
    // `end` comes before `close` when the peer is gone but our last lines to it are still queued.
    socket.on('end', () => this.handleEnded());
    socket.on('close', () => this.handleEnded());
    socket.on('error', () => {});
  }

  join(ports: readonly ProcessPort[]): void {
    clearTimeout(this.helloTimer);
    this.isMember = true;
    this.ports = ports;
    this.address = loopbackAddress(ports);
  }

  send(message: HolderMessage): void {
    if (!this.socket.writable) return;
    this.socket.write(formatMessage(message));
    if (this.socket.writableLength <= REGISTRY_BACKLOG_MAXIMUM) return;
    // It does not read; when it does again, it finds its connection ended and comes back.
    this.livesOn = true;
    this.socket.destroy();
  }

  /** It broke the rules: tell it why, and end. */
  refuse(reason: string): void {
    this.livesOn = true;
    this.send({ type: 'refused', reason });
    this.socket.destroySoon();
    this.handleEnded();
  }

  private handleChunk(chunk: Buffer): void {
    const lines = this.reader.handleChunk(chunk);
    if (lines === undefined) return this.refuse('line too long');
    for (const line of lines) {
      if (this.socket.destroyed || !this.socket.writable) return;
      const message = parseMemberMessage(line);
      if (message === undefined) return this.refuse('malformed line');
      this.observer.message(message);
    }
  }

  private handleEnded(): void {
    clearTimeout(this.helloTimer);
    this.socket.removeAllListeners('data');
    // Whatever it still says is thrown away, so that its end is seen.
    this.socket.resume();
    this.observer.ended();
  }
}
