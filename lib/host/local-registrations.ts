// What this process offers, and who waits to hear that the host knows it. It outlives every connection to a
// holder: a new holder is told all of it again.

import { keyOf, nextId } from '../controller/session/message-fields';
import type { RegisteredTerms } from '../controller/session/session-message';
import { ErrorCode, ServalError } from '../errors';
import type { TransportProtocol } from '../stack/control-interface';
import type { ServicePrefix } from '../wire/service-id';

export class LocalRegistration {
  readonly confirmed: Promise<void>;
  confirm!: () => void;
  reject!: (error: Error) => void;

  constructor(
    /** Names the registration in the answers to it. */
    readonly id: number,
    readonly prefix: ServicePrefix,
    readonly protocol: TransportProtocol,
    readonly terms: RegisteredTerms,
  ) {
    this.confirmed = new Promise((resolve, reject) => {
      this.confirm = resolve;
      this.reject = reject;
    });
    // Nobody need wait for it: a refusal is then no unhandled rejection.
    this.confirmed.catch(() => {});
  }

  refuse(reason: string): void {
    const message = `the holder of this host did not register ${this.prefix}: ${reason}`;
    this.reject(new ServalError(ErrorCode.noBufferSpace, message, { serviceID: this.prefix.base.toString() }));
  }
}

export class LocalRegistrations implements Iterable<LocalRegistration> {
  private readonly byKey = new Map<string, LocalRegistration>();
  private readonly byId = new Map<number, LocalRegistration>();
  private lastId = 0;

  /** In place of one of the same prefix, if there is one: who waits for that waits for this. */
  add(prefix: ServicePrefix, protocol: TransportProtocol, terms: RegisteredTerms): LocalRegistration {
    const key = keyOf(prefix, protocol);
    const former = this.byKey.get(key);
    this.lastId = nextId(this.lastId);
    const registration = new LocalRegistration(this.lastId, prefix, protocol, terms);
    this.byKey.set(key, registration);
    this.byId.set(registration.id, registration);
    if (former !== undefined) {
      this.byId.delete(former.id);
      registration.confirmed.then(former.confirm, former.reject);
    }
    return registration;
  }

  find(prefix: ServicePrefix, protocol: TransportProtocol): LocalRegistration | undefined {
    return this.byKey.get(keyOf(prefix, protocol));
  }

  /** Whether it was there. Who waits for it need not wait any longer. */
  remove(prefix: ServicePrefix, protocol: TransportProtocol): boolean {
    const registration = this.byKey.get(keyOf(prefix, protocol));
    if (registration === undefined) return false;
    this.byKey.delete(keyOf(prefix, protocol));
    this.byId.delete(registration.id);
    registration.confirm();
    return true;
  }

  confirm(id: number): void {
    this.byId.get(id)?.confirm();
  }

  refuse(id: number, reason: string): void {
    this.byId.get(id)?.refuse(reason);
  }

  confirmAll(): void {
    for (const registration of this.byId.values()) registration.confirm();
  }

  [Symbol.iterator](): Iterator<LocalRegistration> {
    return this.byKey.values();
  }
}
