// Longest-prefix match over 256-bit prefixes (§4.2): a trie of four bits a step, in which a node stands only
// where stored prefixes part. It gives slots, small numbers by which an owner keeps what belongs to a prefix.
//
// Bits that all prefixes below a node share are skipped on the way down, and checked once at the end: prefixes
// met on one way down lie inside each other, so the longest one met tells by its key which of them match.
// Why this structure: docs/decisions/longest-prefix-match.md.

import { SERVICE_ID_BITS, type ServiceID, type ServicePrefix } from '../wire/service-id';
import { PrefixKeys } from './prefix-keys';
import { countBits, DEPTH_BITS, DEPTH_MASK, NODE_HEADER_WORDS, TrieNodes } from './trie-nodes';
import { TrieReadAhead } from './trie-read-ahead';
import { type Shortcut, TrieShortcuts } from './trie-shortcuts';

export const NOT_FOUND = -1;

/** References: a node is positive, a slot is its complement and so negative. */
const NOTHING = 0;
const ROOT_PLACE = -1;
/** Behind the deepest node there can be, in fours of bits. */
const DEPTH_END = 64;

/** By the four bits at a node: which prefixes that end inside them match. Lengths ascend with the bits. */
const ENDING_HERE = Int32Array.from({ length: 16 }, (_, nibble) => {
  return [0, 1, 2, 3].reduce((map, length) => map | (1 << endingMember(nibble, length)), 0);
});

export class PrefixTrie {
  private readonly keys = new PrefixKeys();
  private readonly nodes = new TrieNodes();
  private readonly shortcuts = new TrieShortcuts();
  private readonly ahead = new TrieReadAhead(this.nodes, this.shortcuts, this.keys);
  private root: number = NOTHING;
  private count = 0;
  /** Slots found by the last `match`, from shorter to longer prefixes. */
  private readonly met = new Int32Array(SERVICE_ID_BITS + 1);
  /** The key that `unlink` is about; here so that it needs no memory. */
  private readonly unlinked = new Uint32Array(SERVICE_ID_BITS / 32);

  get size(): number {
    return this.count;
  }

  prefix(slot: number): ServicePrefix {
    return this.keys.prefix(slot);
  }

  bits(slot: number): number {
    return this.keys.bits(slot);
  }

  /** A number that the owner keeps with the prefix: read with the key, it costs no memory access more. */
  tag(slot: number): number {
    return this.keys.tag(slot);
  }

  setTag(slot: number, tag: number): void {
    this.keys.setTag(slot, tag);
  }

  /**
   * Finds all stored prefixes that contain `id` and returns how many. `matched(count - 1)` is the longest of
   * them, `matched(0)` the shortest; they stand until the next call of any method.
   */
  match(id: ServiceID): number {
    const words = id.words;
    const nodes = this.nodes.words;
    const met = this.met;
    let count = 0;
    let hasWalked = false;
    let reference = this.root;
    while (reference > 0) {
      const map = nodes[reference]!;
      const depthAndShortcut = nodes[reference + 1]!;
      const depth = depthAndShortcut & DEPTH_MASK;
      const nibble = (words[depth >> 3]! >>> (28 - ((depth & 7) << 2))) & 15;
      for (let ending = map & ENDING_HERE[nibble]!; ending !== 0; ending &= ending - 1) {
        const lower = (ending & -ending) - 1;
        met[count++] = ~nodes[reference + NODE_HEADER_WORDS + countBits(map & lower)]!;
      }
      if (depthAndShortcut > DEPTH_MASK) {
        const target = this.shortcuts.of(depthAndShortcut >>> DEPTH_BITS)!.at(words);
        if (target !== NOTHING) {
          reference = target;
          continue;
        }
        hasWalked = true;
      }
      const child = 1 << nibble;
      if ((map & child) === 0) reference = NOTHING;
      else reference = nodes[reference + NODE_HEADER_WORDS + countBits(map & (child - 1))]!;
    }
    if (reference < 0) met[count++] = ~reference;
    if (count === 0) return 0;
    // The longest one met has all skipped bits of the way: what it has in common with the id, matches.
    const common = this.keys.commonBits(met[count - 1]!, words);
    if (hasWalked) this.fillShortcuts(words, common);
    while (count > 0 && this.keys.bits(met[count - 1]!) > common) count--;
    return count;
  }

  /** Has memory deliver what `match` will read for these ids, READ_AHEAD_IDS at most: see trie-read-ahead.ts. */
  readAhead(ids: Uint32Array, count: number): TrieReadAhead {
    this.ahead.read(this.root, ids, count);
    return this.ahead;
  }

  matched(index: number): number {
    return this.met[index]!;
  }

  /** The slot of exactly this prefix, or NOT_FOUND. */
  find(prefix: ServicePrefix): number {
    const count = this.match(prefix.base);
    for (let index = count - 1; index >= 0; index--) {
      const bits = this.keys.bits(this.met[index]!);
      if (bits === prefix.bits) return this.met[index]!;
      if (bits < prefix.bits) break;
    }
    return NOT_FOUND;
  }

  /** The slot of the prefix, which is stored if it is not yet. */
  insert(prefix: ServicePrefix): number {
    const found = this.find(prefix);
    if (found !== NOT_FOUND) return found;
    const slot = this.keys.add(prefix);
    this.count++;
    if (this.root === NOTHING) this.root = ~slot;
    else this.link(slot, prefix);
    return slot;
  }

  /** Forgets a stored prefix. Its slot is given to another one. */
  remove(slot: number): void {
    this.unlink(slot);
    this.keys.remove(slot);
    this.count--;
  }

  /** The slots of all stored prefixes inside `prefix`, itself included; each stands before those inside it. */
  within(prefix: ServicePrefix): number[] {
    let reference = this.root;
    while (reference > 0 && this.nodes.depth(reference) * 4 + 4 <= prefix.bits) {
      reference = this.nodes.member(reference, nibbleOf(prefix.base.words, this.nodes.depth(reference)));
    }
    const slots: number[] = [];
    this.collect(reference, slots);
    return slots.filter((slot) => {
      return this.bits(slot) >= prefix.bits && this.keys.commonBits(slot, prefix.base.words) >= prefix.bits;
    });
  }

  /**
   * Notes in the empty shortcuts on the way where it leads. A place is one for all keys that have its bits, so it
   * is filled only when a stored prefix was found to have them: `common` bits of `words` are such bits.
   */
  private fillShortcuts(words: Uint32Array, common: number): void {
    let shortcut: Shortcut | undefined;
    let reference = this.root;
    while (true) {
      const depth = reference > 0 ? this.nodes.depth(reference) : DEPTH_END;
      if (shortcut !== undefined && depth >= shortcut.end) {
        shortcut.fill(words, reference);
        shortcut = undefined;
      }
      if (reference <= 0) return;
      const nibble = nibbleOf(words, depth);
      if (shortcut !== undefined && (this.nodes.map(reference) & ENDING_HERE[nibble]!) !== 0) shortcut = undefined;
      const own = this.shortcuts.of(this.nodes.shortcut(reference));
      if (own !== undefined && own.end * 4 <= common) shortcut = own;
      reference = this.nodes.member(reference, nibble);
    }
  }

  /** Hangs a stored key, that no reference leads to yet, into the trie. */
  private link(slot: number, prefix: ServicePrefix): void {
    const words = prefix.base.words;
    const neighbour = this.neighbour(prefix);
    const depth = Math.min(prefix.bits, this.keys.commonBits(neighbour, words)) >> 2;
    let place = ROOT_PLACE;
    let reference = this.root;
    let covered = 0;
    while (reference > 0 && this.nodes.depth(reference) < depth) {
      covered = this.noteChange(reference, words, prefix.bits, 1, covered);
      place = this.nodes.place(reference, nibbleOf(words, this.nodes.depth(reference)));
      reference = this.nodes.words[place]!;
    }
    const member = this.member(slot, depth);
    if (reference > 0 && this.nodes.depth(reference) === depth) {
      this.noteChange(reference, words, prefix.bits, 1, covered);
      this.setReference(place, this.nodes.insert(reference, member, ~slot));
    } else {
      this.setReference(place, this.nodes.create(depth, member, ~slot, this.member(neighbour, depth), reference));
    }
  }

  private unlink(slot: number): void {
    this.keys.copyWords(slot, this.unlinked);
    let nodePlace = ROOT_PLACE;
    let place = ROOT_PLACE;
    let node = NOTHING;
    let covered = 0;
    for (let reference = this.root; reference !== ~slot; reference = this.nodes.words[place]!) {
      nodePlace = place;
      node = reference;
      covered = this.noteChange(node, this.unlinked, this.keys.bits(slot), -1, covered);
      place = this.nodes.place(node, this.member(slot, this.nodes.depth(node)));
    }
    if (node === NOTHING) this.root = NOTHING;
    else if (this.nodes.size(node) === 2) this.setReference(nodePlace, this.nodes.dissolve(node, place));
    else this.setReference(nodePlace, this.nodes.remove(node, this.member(slot, this.nodes.depth(node))));
  }

  /** `change` prefixes come or go in or below the node. Returns how deep shortcuts reach, this node's included. */
  private noteChange(node: number, words: Uint32Array, bits: number, change: 1 | -1, covered: number): number {
    this.nodes.addCount(node, change);
    const depth = this.nodes.depth(node);
    const number = this.shortcuts.tend(this.nodes.shortcut(node), depth, this.nodes.count(node), covered);
    this.nodes.setShortcut(node, number);
    const shortcut = this.shortcuts.of(number);
    if (shortcut === undefined) return covered;
    // A prefix that ends in the node itself is met before its shortcut is asked.
    if (bits >= depth * 4 + 4) shortcut.empty(words, bits);
    return shortcut.end;
  }

  /** A stored prefix that parts from `prefix` in the same four bits as the one with the most bits in common. */
  private neighbour(prefix: ServicePrefix): number {
    let reference = this.root;
    while (reference > 0) {
      const depth = this.nodes.depth(reference);
      const isLonger = depth * 4 + 4 <= prefix.bits;
      const child = isLonger ? this.nodes.member(reference, nibbleOf(prefix.base.words, depth)) : NOTHING;
      reference = child === NOTHING ? this.nodes.words[reference + NODE_HEADER_WORDS]! : child;
    }
    return ~reference;
  }

  /** Which member of a node at `depth` leads to the prefix. */
  private member(slot: number, depth: number): number {
    const rest = this.keys.bits(slot) - depth * 4;
    const nibble = this.keys.nibble(slot, depth);
    return rest < 4 ? endingMember(nibble, rest) : nibble;
  }

  private setReference(place: number, reference: number): void {
    if (place === ROOT_PLACE) this.root = reference;
    else this.nodes.words[place] = reference;
  }

  /** Depth first, and no deeper than there are fours in 256 bits. */
  private collect(reference: number, slots: number[]): void {
    if (reference < 0) slots.push(~reference);
    if (reference <= 0) return;
    for (const child of this.nodes.endings(reference)) slots.push(~child);
    for (const child of this.nodes.children(reference)) this.collect(child, slots);
  }
}

/** The member of a node for a prefix that ends `length` (0 to 3) bits after the node's depth. */
function endingMember(nibble: number, length: number): number {
  return 16 + (1 << length) - 1 + (nibble >> (4 - length));
}

function nibbleOf(words: Uint32Array, index: number): number {
  return (words[index >> 3]! >>> (28 - ((index & 7) << 2))) & 15;
}
