// One process's connection to the holder of its host: lines in and out, and what is known of the process.

import type { Socket } from 'node:net';
import type { ServiceInstance } from '../controller/service-controller';
import { LineReader } from '../controller/session/line-reader';
import {
  REGISTRATIONS_PER_MEMBER_MAXIMUM,
  REGISTRY_BACKLOG_MAXIMUM,
  REGISTRY_HELLO_TIMEOUT,
  REGISTRY_LINE_MAXIMUM,
} from '../limits';
import type { NetworkAddress } from '../wire/network-address';
import { loopbackAddress, type ProcessPort } from './process-port';
import { formatMessage, type HolderMessage, type MemberMessage, parseMemberMessage } from './registry-message';
import { Silence } from './silence';

export type Registration = Omit<ServiceInstance, 'address'>;

/** `message` for each line, and `heard` behind those that came together. */
interface MemberSessionObserver {
  message(message: MemberMessage): void;
  heard(): void;
  ended(): void;
}

/** One process's connection. */
export class MemberSession {
  /** By `PREFIX protocol`: what it offers, also while nobody is sent to it. */
  readonly registrations = new Map<string, Registration>();
  /** Of what it has withdrawn: its sockets are still there, and refuse who comes. */
  readonly withdrawn = new Set<string>();
  readonly silence = new Silence();
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

  /** Whether more may be remembered as withdrawn. */
  mayWithdraw(key: string): boolean {
    if (this.withdrawn.size + this.registrations.size >= REGISTRATIONS_PER_MEMBER_MAXIMUM) return false;
    this.withdrawn.add(key);
    return true;
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
    if (lines.length > 0) this.observer.heard();
  }

  private handleEnded(): void {
    clearTimeout(this.helloTimer);
    this.socket.removeAllListeners('data');
    // Whatever it still says is thrown away, so that its end is seen.
    this.socket.resume();
    this.observer.ended();
  }
}
