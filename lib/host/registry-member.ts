// A member's half of the registry: one connection to the holder, over which it says who it is and what it
// offers. When that connection ends, the holder has ended; what to do then is the owner's matter.

import type { Socket } from 'node:net';
import { LineReader } from '../controller/session/line-reader';
import { REGISTRY_LINE_MAXIMUM } from '../limits';
import type { TransportProtocol } from '../stack/control-interface';
import type { ServicePrefix } from '../wire/service-id';
import type { LocalRegistration } from './local-registrations';
import type { ProcessPort } from './process-port';
import {
  formatMessage,
  type HolderMessage,
  type MemberMessage,
  parseHolderMessage,
  REGISTRY_VERSION,
} from './registry-message';
import { everyBeat, Silence } from './silence';

export interface RegistryMemberObserver {
  /** The holder resolves at these ports; called again when that changes. */
  welcomed(service: readonly ProcessPort[]): void;
  registered(id: number): void;
  refused(id: number, reason: string): void;
  /** The holder's event loop is stuck, or was: what it resolves waits in its sockets. */
  holderSilent(isSilent: boolean, pid: number): void;
  /** Another process of the host ended without a goodbye. */
  departed(ports: readonly ProcessPort[]): void;
  /** The last call. `holder`: the ports of a holder that has ended; none if it said goodbye. `reason`: it refused us. */
  lost(outcome: LostHolder): void;
}

export interface LostHolder {
  readonly holder?: readonly ProcessPort[];
  readonly reason?: string;
  /** It made room for a service router. */
  readonly yields?: boolean;
}

export class RegistryMember {
  private readonly reader = new LineReader(REGISTRY_LINE_MAXIMUM);
  private holder: readonly ProcessPort[] | undefined;
  private reason: string | undefined;
  private isLost = false;
  private yields = false;
  private readonly silence = new Silence();
  private heartbeat: NodeJS.Timeout | undefined;
  private holderPid = 0;

  constructor(
    private readonly socket: Socket,
    ports: readonly ProcessPort[],
    private readonly observer: RegistryMemberObserver,
  ) {
    socket.on('data', (chunk) => this.handleChunk(chunk));
    socket.on('end', () => this.handleLost());
    socket.on('close', () => this.handleLost());
    socket.on('error', () => {});
    this.send({ type: 'hello', version: REGISTRY_VERSION, pid: process.pid, ports });
  }

  register({ id, prefix, protocol, terms }: LocalRegistration): void {
    this.send({ type: 'register', id, prefix, protocol, ...terms });
  }

  /** `withdrawn`: its socket is still there. */
  unregister(prefix: ServicePrefix, protocol: TransportProtocol, withdrawn: boolean): void {
    this.send({ type: 'unregister', prefix, protocol, ...(withdrawn ? { withdrawn } : {}) });
  }

  /** This process is a service router, and wants the holder's place. */
  askToYield(): void {
    this.send({ type: 'yield' });
  }

  ref(): void {
    this.socket.ref();
  }

  unref(): void {
    this.socket.unref();
  }

  close(): Promise<void> {
    clearInterval(this.heartbeat);
    return new Promise((resolve) => {
      this.isLost = true;
      if (this.socket.destroyed) return resolve();
      this.socket.once('close', () => resolve());
      this.send({ type: 'bye' });
      this.socket.destroySoon();
    });
  }

  private send(message: MemberMessage): void {
    if (this.socket.writable) this.socket.write(formatMessage(message));
  }

  private handleChunk(chunk: Buffer): void {
    if (this.silence.heard()) this.observer.holderSilent(false, this.holderPid);
    for (const line of this.reader.handleChunk(chunk) ?? ['']) {
      if (this.isLost) return;
      const message = parseHolderMessage(line);
      if (message === undefined) return this.leave('the holder sent a malformed line');
      this.handleMessage(message);
    }
  }

  private handleMessage(message: HolderMessage): void {
    switch (message.type) {
      case 'welcome':
        this.holder = message.ports;
        this.holderPid = message.pid;
        this.heartbeat ??= everyBeat(() => this.beat());
        return this.observer.welcomed(message.service);
      case 'registered':
        return this.observer.registered(message.id);
      case 'refused':
        if (message.id === undefined) return this.leave(message.reason);
        return this.observer.refused(message.id, message.reason);
      case 'peerGone':
        return this.observer.departed(message.ports);
      case 'ask':
        return this.send({ type: 'alive' });
      case 'bye':
        this.holder = [];
        this.yields = message.yields === true;
        // Its endpoint is free by now: no need to wait for the connection to end.
        return this.handleLost();
    }
  }

  private beat(): void {
    if (this.silence.beat()) this.observer.holderSilent(true, this.holderPid);
  }

  private leave(reason: string): void {
    this.reason = reason;
    this.handleLost();
  }

  private handleLost(): void {
    if (this.isLost) return;
    this.isLost = true;
    clearInterval(this.heartbeat);
    this.socket.destroy();
    if (this.reason !== undefined) this.observer.lost({ reason: this.reason });
    else this.observer.lost(this.holder === undefined ? {} : { holder: this.holder, yields: this.yields });
  }
}
