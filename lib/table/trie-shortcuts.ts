// Jump tables over the crowded parts of a PrefixTrie. A walk of four bits a step through nodes that do not fit the
// processor's caches waits for memory at each step; a shortcut takes 12 to 20 bits at once.
//
// A shortcut is a cache and nothing else: an empty place means walk, and places are filled by searches that
// walked. It belongs to one node, and leads to the first reference at or behind its end for keys on whose way
// from that node no prefix ends. When a prefix comes or goes, the places on its way are emptied.

const EMPTY = 0;
const NO_SHORTCUT = 0;
const SPAN_MINIMUM = 3;
const SPAN_MAXIMUM = 5;
const DEPTH_END = 64;

export class TrieShortcuts {
  /** By number. Number 0 means none. */
  private readonly shortcuts: (Shortcut | undefined)[] = [undefined];
  private readonly free: number[] = [];

  of(number: number): Shortcut | undefined {
    return this.shortcuts[number];
  }

  /**
   * The number of the shortcut that a node with `count` prefixes below it should have, NO_SHORTCUT for none:
   * the one it has, another or none. `covered` is the depth up to which shortcuts above the node reach.
   */
  tend(number: number, depth: number, count: number, covered: number): number {
    const span = depth < covered ? 0 : Math.min(spanFor(count), DEPTH_END - depth);
    const shortcut = this.shortcuts[number];
    if (shortcut !== undefined) {
      // Kept until it is sixteen times too large, so that it does not come and go.
      if (depth >= covered && shortcut.span >= span && shortcut.span <= spanFor(count * 16)) return number;
      this.shortcuts[number] = undefined;
      this.free.push(number);
    }
    if (span < SPAN_MINIMUM) return NO_SHORTCUT;
    const created = this.free.pop() ?? this.shortcuts.length;
    this.shortcuts[created] = new Shortcut(depth, span);
    return created;
  }
}

export class Shortcut {
  /** By the bits behind the node's depth: a reference, or EMPTY. */
  private readonly references: Int32Array;

  /** Both in fours of bits. */
  constructor(
    readonly depth: number,
    readonly span: number,
  ) {
    this.references = new Int32Array(16 ** span);
  }

  get end(): number {
    return this.depth + this.span;
  }

  /** The key may stand behind others in `words`. */
  at(words: Uint32Array, from = 0): number {
    return this.references[this.place(words, from)]!;
  }

  fill(words: Uint32Array, reference: number): void {
    this.references[this.place(words)] = reference;
  }

  /** Empties the place of the prefix, or all places that begin with it when it ends before the shortcut does. */
  empty(words: Uint32Array, bits: number): void {
    const open = Math.max(0, this.end * 4 - bits);
    const first = (this.place(words) >>> open) << open;
    if (open === 0) this.references[first] = EMPTY;
    else this.references.fill(EMPTY, first, first + (1 << open));
  }

  private place(words: Uint32Array, from = 0): number {
    const word = from + (this.depth >> 3);
    const skipped = (this.depth & 7) << 2;
    const length = this.span << 2;
    const head = words[word]! << skipped;
    if (skipped + length <= 32) return head >>> (32 - length);
    return (head | (words[word + 1]! >>> (32 - skipped))) >>> (32 - length);
  }
}

/** At least half as many prefixes as places: 3 from 2^11 prefixes on, 4 from 2^15, 5 from 2^19. */
function spanFor(count: number): number {
  return Math.min(SPAN_MAXIMUM, (32 - Math.clz32(count)) >> 2);
}
