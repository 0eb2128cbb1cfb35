// The memory of a PrefixTrie's nodes: blocks of words in one Int32Array. What the words mean to a search is
// said in prefix-trie.ts.
//
// A block is: a map of the members it has; its depth in fours of bits with the number of its shortcut; how many
// prefixes are in and below it; and one reference for each member in the order of the map's bits. Member 0 to 15 is the child for that value of the four bits at the node's depth; 16 to 30 are
// the prefixes that end inside those four bits. So the words that a search step reads lie together.

const MAP = 0;
const DEPTH_AND_SHORTCUT = 1;
const COUNT = 2;
export const NODE_HEADER_WORDS = 3;
/** How depth and shortcut share a word: depths are 0 to 63. */
export const DEPTH_BITS = 6;
export const DEPTH_MASK = (1 << DEPTH_BITS) - 1;
const CHILDREN = 0xffff;
const MEMBERS_MAXIMUM = 31;
const CAPACITY_INITIAL = 256;
const NO_BLOCK = 0;

export class TrieNodes {
  /** Read by the search without a call. Replaced when it grows: do not keep it over an insert. */
  words = new Int32Array(CAPACITY_INITIAL);
  /** Words from here on were never used. Word 0 is not used, so that no node has reference 0. */
  private used = 1;
  /** Heads of the lists of free blocks by members they hold; a free block's first word is the next one. */
  private readonly free = new Int32Array(MEMBERS_MAXIMUM + 2).fill(NO_BLOCK);

  depth(node: number): number {
    return this.words[node + DEPTH_AND_SHORTCUT]! & DEPTH_MASK;
  }

  shortcut(node: number): number {
    return this.words[node + DEPTH_AND_SHORTCUT]! >>> DEPTH_BITS;
  }

  setShortcut(node: number, shortcut: number): void {
    this.words[node + DEPTH_AND_SHORTCUT] = this.depth(node) | (shortcut << DEPTH_BITS);
  }

  /** Prefixes in and below the node. */
  count(node: number): number {
    return this.words[node + COUNT]!;
  }

  addCount(node: number, change: number): void {
    this.words[node + COUNT] = this.words[node + COUNT]! + change;
  }

  map(node: number): number {
    return this.words[node + MAP]!;
  }

  /** The member's reference, 0 when the node has it not. */
  member(node: number, member: number): number {
    return (this.words[node + MAP]! & (1 << member)) === 0 ? 0 : this.words[this.place(node, member)]!;
  }

  size(node: number): number {
    return countBits(this.words[node + MAP]!);
  }

  /** Where in `words` the member's reference stands. */
  place(node: number, member: number): number {
    return node + NODE_HEADER_WORDS + countBits(this.words[node + MAP]! & ((1 << member) - 1));
  }

  /** References of the prefixes that end inside the node's four bits, shorter ones first. */
  endings(node: number): Int32Array {
    const references = node + NODE_HEADER_WORDS;
    return this.words.subarray(references + this.childCount(node), references + this.size(node));
  }

  children(node: number): Int32Array {
    const references = node + NODE_HEADER_WORDS;
    return this.words.subarray(references, references + this.childCount(node));
  }

  /** A node of two members. */
  create(depth: number, member: number, reference: number, otherMember: number, otherReference: number): number {
    const node = this.allocate(2);
    const isFirst = member < otherMember;
    this.words[node + MAP] = (1 << member) | (1 << otherMember);
    this.words[node + DEPTH_AND_SHORTCUT] = depth;
    this.words[node + COUNT] = this.countBehind(reference) + this.countBehind(otherReference);
    this.words[node + NODE_HEADER_WORDS] = isFirst ? reference : otherReference;
    this.words[node + NODE_HEADER_WORDS + 1] = isFirst ? otherReference : reference;
    return node;
  }

  /** Adds a member and returns where the node is now. */
  insert(node: number, member: number, reference: number): number {
    const size = this.size(node);
    const place = this.place(node, member) - node;
    let grown = node;
    if (capacityFor(size + 1) !== capacityFor(size)) {
      grown = this.allocate(size + 1);
      this.words.copyWithin(grown, node, node + place);
    }
    this.words.copyWithin(grown + place + 1, node + place, node + NODE_HEADER_WORDS + size);
    this.words[grown + place] = reference;
    this.words[grown + MAP] = this.words[grown + MAP]! | (1 << member);
    if (grown !== node) this.release(node, size);
    return grown;
  }

  /** Takes a member away and returns where the node is now. */
  remove(node: number, member: number): number {
    const size = this.size(node);
    const place = this.place(node, member) - node;
    let shrunk = node;
    if (capacityFor(size - 1) !== capacityFor(size)) {
      shrunk = this.allocate(size - 1);
      this.words.copyWithin(shrunk, node, node + place);
    }
    this.words.copyWithin(shrunk + place, node + place + 1, node + NODE_HEADER_WORDS + size);
    this.words[shrunk + MAP] = this.words[shrunk + MAP]! & ~(1 << member);
    if (shrunk !== node) this.release(node, size);
    return shrunk;
  }

  /** Gives up the node of two members and returns the reference that does not stand at `place`. */
  dissolve(node: number, place: number): number {
    const first = node + NODE_HEADER_WORDS;
    const kept = this.words[place === first ? first + 1 : first]!;
    this.release(node, 2);
    return kept;
  }

  private countBehind(reference: number): number {
    return reference < 0 ? 1 : this.count(reference);
  }

  private childCount(node: number): number {
    return countBits(this.words[node + MAP]! & CHILDREN);
  }

  private allocate(members: number): number {
    const capacity = capacityFor(members);
    const free = this.free[capacity]!;
    if (free !== NO_BLOCK) {
      this.free[capacity] = this.words[free]!;
      return free;
    }
    const block = this.used;
    this.used += NODE_HEADER_WORDS + capacity;
    if (this.used > this.words.length) {
      const larger = new Int32Array(this.words.length * 2);
      larger.set(this.words);
      this.words = larger;
    }
    return block;
  }

  private release(block: number, members: number): void {
    const capacity = capacityFor(members);
    this.words[block] = this.free[capacity]!;
    this.free[capacity] = block;
  }
}

/** An even number: half as many copies when a node grows, and a freed block fits more. */
function capacityFor(members: number): number {
  return (members + 1) & ~1;
}

export function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
