// What a host offers to the router above it, and what of it the router has acknowledged. It outlives every session:
// a new one is told all of it.

import type { TransportProtocol } from '../../stack/control-interface';
import type { ServicePrefix } from '../../wire/service-id';
import { keyOf, nextId } from './message-fields';
import type { RegisteredTerms } from './session-message';

export interface Offer {
  /** Names it in the router's answer; another one with each change of its terms. */
  readonly id: number;
  readonly prefix: ServicePrefix;
  readonly protocol: TransportProtocol;
  readonly terms: RegisteredTerms;
  isAcknowledged: boolean;
}

export class Offers implements Iterable<Offer> {
  private readonly byKey = new Map<string, Offer>();
  private readonly byId = new Map<number, Offer>();
  private lastId = 0;

  get size(): number {
    return this.byKey.size;
  }

  find(prefix: ServicePrefix, protocol: TransportProtocol): Offer | undefined {
    return this.byKey.get(keyOf(prefix, protocol));
  }

  named(id: number): Offer | undefined {
    return this.byId.get(id);
  }

  /** `undefined` when the very same is offered already. */
  set(prefix: ServicePrefix, protocol: TransportProtocol, terms: RegisteredTerms): Offer | undefined {
    const known = this.find(prefix, protocol);
    if (known !== undefined && isSame(known.terms, terms)) return undefined;
    if (known !== undefined) this.byId.delete(known.id);
    this.lastId = nextId(this.lastId);
    // With other terms it is no less known than it was.
    const isAcknowledged = known?.isAcknowledged === true;
    const offer: Offer = { id: this.lastId, prefix, protocol, terms, isAcknowledged };
    this.byKey.set(keyOf(prefix, protocol), offer);
    this.byId.set(offer.id, offer);
    return offer;
  }

  delete(prefix: ServicePrefix, protocol: TransportProtocol): boolean {
    const known = this.find(prefix, protocol);
    if (known === undefined) return false;
    this.byId.delete(known.id);
    return this.byKey.delete(keyOf(prefix, protocol));
  }

  [Symbol.iterator](): Iterator<Offer> {
    return this.byKey.values();
  }
}

function isSame(a: RegisteredTerms, b: RegisteredTerms): boolean {
  return a.weight === b.weight && a.picker === b.picker;
}
