// The local sockets that are registered (§4.1): each has a DEMUX rule, and controllers know it with its weight. One that
// is withdrawn has neither, but nobody else of this process may have what it comes back to.

import type { PickerName } from '../table/pickers/picker-names';
import { DEMUX_PRIORITY } from '../table/service-rule';
import type { ServiceTable } from '../table/service-table';
import type { Instant } from '../time/instant';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import type { ServiceEvent, TransportProtocol } from './control-interface';

/** A socket that first packets are delivered to. */
export interface Registrant {
  readonly prefix: ServicePrefix;
  readonly protocol: TransportProtocol;
  /** Whether controllers are told of it; others are reached inside this process alone. */
  readonly isRegistered: boolean;
  /** How it wishes that one of several instances is chosen. */
  readonly picker?: PickerName | undefined;
}

export class Registrations {
  /** Of the sockets that have a rule. */
  private readonly weights = new Map<Registrant, number>();
  /** By prefix and protocol. */
  private readonly withdrawn = new Map<string, Registrant>();

  constructor(
    private readonly table: ServiceTable,
    private readonly tell: (event: ServiceEvent) => void,
  ) {}

  /** False when a local socket has the prefix. A weight of 0: withdrawn from the start. */
  add(socket: Registrant, weight: number, now: Instant): boolean {
    if (this.withdrawn.size > 0 && this.withdrawn.has(keyOf(socket))) return false;
    if (weight > 0) return this.enter(socket, weight, now);
    if (this.hasRule(socket)) return false;
    this.withdrawn.set(keyOf(socket), socket);
    return true;
  }

  /** The share of first packets it asks for; 0 withdraws it, and more brings it back. A socket that was removed stays so. */
  setWeight(socket: Registrant, weight: number, now: Instant): void {
    const former = this.weights.get(socket);
    if (former === weight) return;
    if (former === undefined) this.readmit(socket, weight, now);
    else if (weight === 0) this.withdraw(socket);
    else {
      this.table.modifyRule(this.ruleOf(socket), { weight });
      this.weights.set(socket, weight);
      this.announce(socket, weight);
    }
  }

  /** All of them, withdrawn ones too. */
  *sockets(): Generator<Registrant> {
    yield* this.weights.keys();
    yield* this.withdrawn.values();
  }

  /** Whether a socket here has the service, and takes nobody for now. */
  isWithdrawn(service: ServiceID, protocol: TransportProtocol): boolean {
    for (const socket of this.withdrawn.values()) {
      if (socket.protocol === protocol && socket.prefix.contains(service)) return true;
    }
    return false;
  }

  remove(socket: Registrant): void {
    if (this.withdrawn.get(keyOf(socket)) !== socket) return this.leave(socket, false);
    this.withdrawn.delete(keyOf(socket));
    this.denounce(socket, false);
  }

  private enter(socket: Registrant, weight: number, now: Instant): boolean {
    const rule = { ...this.ruleOf(socket), priority: DEMUX_PRIORITY, weight, picker: socket.picker };
    if (this.table.addRule(rule, now) === 'exists') return false;
    this.weights.set(socket, weight);
    this.announce(socket, weight);
    return true;
  }

  private readmit(socket: Registrant, weight: number, now: Instant): void {
    if (weight === 0 || this.withdrawn.get(keyOf(socket)) !== socket) return;
    this.withdrawn.delete(keyOf(socket));
    this.enter(socket, weight, now);
  }

  private withdraw(socket: Registrant): void {
    this.leave(socket, true);
    this.withdrawn.set(keyOf(socket), socket);
  }

  private leave(socket: Registrant, isWithdrawn: boolean): void {
    if (!this.weights.delete(socket)) return;
    this.table.deleteRule(this.ruleOf(socket));
    this.denounce(socket, isWithdrawn);
  }

  private announce({ prefix, protocol, isRegistered, picker }: Registrant, weight: number): void {
    const wish = picker === undefined ? {} : { picker };
    if (isRegistered) this.tell({ kind: 'registered', prefix, protocol, weight, ...wish });
  }

  private denounce({ prefix, protocol, isRegistered }: Registrant, isWithdrawn: boolean): void {
    if (isRegistered) this.tell({ kind: 'unregistered', prefix, protocol, ...(isWithdrawn ? { isWithdrawn } : {}) });
  }

  private hasRule({ prefix, protocol }: Registrant): boolean {
    return this.table.rulesOf(prefix).some((rule) => rule.action === 'demux' && rule.protocol === protocol);
  }

  private ruleOf(socket: Registrant) {
    const { prefix, protocol } = socket;
    return { action: 'demux', prefix, protocol, socket } as const;
  }
}

function keyOf({ prefix, protocol }: Registrant): string {
  return `${prefix} ${protocol}`;
}
