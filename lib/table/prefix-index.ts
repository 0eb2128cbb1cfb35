// A map from service prefixes to values with longest-prefix match (§4.2). The search is PrefixTrie's; this keeps
// a value beside each slot.

import type { ServiceID, ServicePrefix } from '../wire/service-id';
import { NOT_FOUND, PrefixTrie } from './prefix-trie';

export class PrefixIndex<Value> {
  private readonly trie = new PrefixTrie();
  private readonly values: (Value | undefined)[] = [];

  get size(): number {
    return this.trie.size;
  }

  /** The value of exactly this prefix. */
  get(prefix: ServicePrefix): Value | undefined {
    const slot = this.trie.find(prefix);
    return slot === NOT_FOUND ? undefined : this.values[slot];
  }

  /** The value of the longest stored prefix that contains `id` and, if asked, whose value is accepted. */
  longestMatch(id: ServiceID, isAccepted?: (value: Value) => boolean): Value | undefined {
    const count = this.trie.match(id);
    if (count === 0) return undefined;
    if (isAccepted === undefined) return this.values[this.trie.matched(count - 1)];
    for (const value of this.matches(id)) if (isAccepted(value)) return value;
    return undefined;
  }

  /** The values of all stored prefixes that contain `id`, from the longest to the shortest. */
  matches(id: ServiceID): Value[] {
    const values: Value[] = [];
    for (let index = this.trie.match(id) - 1; index >= 0; index--) {
      values.push(this.values[this.trie.matched(index)] as Value);
    }
    return values;
  }

  /**
   * Prefixes inside `prefix`, itself included, with their values; each stands before those inside it. They are
   * gathered at the start: what is deleted meanwhile is left out, what is inserted meanwhile is not seen.
   */
  *within(prefix: ServicePrefix): Generator<[ServicePrefix, Value]> {
    const found = this.trie.within(prefix).map((slot) => this.trie.prefix(slot));
    for (const inner of found) {
      const slot = this.trie.find(inner);
      if (slot !== NOT_FOUND) yield [inner, this.values[slot] as Value];
    }
  }

  /** Stores the value, in place of one that was stored for the prefix before. */
  insert(prefix: ServicePrefix, value: Value): void {
    this.values[this.trie.insert(prefix)] = value;
  }

  /** Whether there was something to delete. */
  delete(prefix: ServicePrefix): boolean {
    const slot = this.trie.find(prefix);
    if (slot === NOT_FOUND) return false;
    this.trie.remove(slot);
    this.values[slot] = undefined;
    return true;
  }
}
