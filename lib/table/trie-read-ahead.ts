// Searches of a burst of ids side by side, for what they read and not for what they find: a search in a table that
// no cache holds waits for memory three times, each time for an address that the read before it gave. Those of
// different ids do not depend on each other, so a processor that is given them together waits for many at once.
//
// A level at a time: first all nodes of the level are read, and nothing is decided by them; then each search goes a
// step further. A step too few costs time and nothing else: the search that counts is PrefixTrie.match.

import { READ_AHEAD_IDS } from '../limits';
import type { PrefixKeys } from './prefix-keys';
import { countBits, DEPTH_BITS, DEPTH_MASK, NODE_HEADER_WORDS, type TrieNodes } from './trie-nodes';
import type { TrieShortcuts } from './trie-shortcuts';

/** Nodes on the way that are read ahead; with a million random prefixes hardly a way is longer. */
const LEVELS_MAXIMUM = 3;
const NOTHING = 0;
const ID_WORDS = 8;

export class TrieReadAhead {
  /** Of each search: the node where it stands, or the complement of the slot it has found. */
  private readonly references = new Int32Array(READ_AHEAD_IDS);
  /** Searches that have not ended. */
  private readonly open = new Int32Array(READ_AHEAD_IDS);
  /** What was read, so that no compiler leaves the reads out. */
  touched = 0;

  constructor(
    private readonly nodes: TrieNodes,
    private readonly shortcuts: TrieShortcuts,
    private readonly keys: PrefixKeys,
  ) {}

  /** Reads what searches for `count` ids will read, eight words each. Their slots are `slot(index)` after that. */
  read(root: number, ids: Uint32Array, count: number): void {
    this.references.fill(root, 0, count);
    for (let index = 0; index < count; index++) this.open[index] = index;
    let left = this.withoutEnded(count);
    for (let level = 0; level < LEVELS_MAXIMUM && left > 0; level++) {
      this.touchNodes(left);
      this.step(ids, left);
      left = this.withoutEnded(left);
    }
    this.touchKeys(count);
  }

  /** Where the search for the id ended, negative when that is no prefix. */
  slot(index: number): number {
    return ~this.references[index]!;
  }

  private touchNodes(left: number): void {
    const { references, open } = this;
    const nodes = this.nodes.words;
    let touched = 0;
    for (let index = 0; index < left; index++) {
      const node = references[open[index]!]!;
      touched ^= nodes[node]! ^ nodes[node + NODE_HEADER_WORDS + 1]!;
    }
    this.touched = touched;
  }

  private step(ids: Uint32Array, left: number): void {
    const { references, open, shortcuts } = this;
    const nodes = this.nodes.words;
    for (let index = 0; index < left; index++) {
      const search = open[index]!;
      const node = references[search]!;
      const at = search * ID_WORDS;
      const depthAndShortcut = nodes[node + 1]!;
      if (depthAndShortcut > DEPTH_MASK) {
        const target = shortcuts.of(depthAndShortcut >>> DEPTH_BITS)!.at(ids, at);
        references[search] = target;
        if (target !== NOTHING) continue;
      }
      const depth = depthAndShortcut & DEPTH_MASK;
      const map = nodes[node]!;
      const child = 1 << ((ids[at + (depth >> 3)]! >>> (28 - ((depth & 7) << 2))) & 15);
      const isThere = (map & child) !== 0;
      references[search] = isThere ? nodes[node + NODE_HEADER_WORDS + countBits(map & (child - 1))]! : NOTHING;
    }
  }

  /** Without a branch for each: which searches end is nothing that a processor can guess. */
  private withoutEnded(left: number): number {
    const { references, open } = this;
    let kept = 0;
    for (let index = 0; index < left; index++) {
      const search = open[index]!;
      open[kept] = search;
      kept += -references[search]! >>> 31;
    }
    return kept;
  }

  private touchKeys(count: number): void {
    let touched = 0;
    for (let index = 0; index < count; index++) {
      const reference = this.references[index]!;
      // Of a search without an end the first key: no branch here either.
      touched ^= this.keys.touch(~reference & (reference >> 31));
    }
    this.touched ^= touched;
  }
}
