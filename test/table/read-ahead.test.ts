// Reading ahead changes nothing that can be seen but time. What can be tested is that it goes where searches go.

import { describe, expect, it } from 'vitest';
import { READ_AHEAD_IDS } from '../../lib/limits';
import { NOT_FOUND, PrefixTrie } from '../../lib/table/prefix-trie';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { randomID } from './prefixes';

function wordsOf(ids: readonly ServiceID[]): Uint32Array {
  return Uint32Array.from(ids.flatMap((id) => [...id.words]));
}

describe('reading ahead', () => {
  it.each([1, 20, 200, 20_000])(
    'ends at the prefixes that searches find, nine times of ten or more, among %i',
    (count) => {
      const random = SeededRandom.of(count);
      const trie = new PrefixTrie();
      const names = Array.from({ length: count }, () => randomID(random));
      for (const name of names) trie.insert(ServicePrefix.of(name, 64));
      const burst = names.slice(0, READ_AHEAD_IDS);
      const slots = burst.map((name) => trie.find(ServicePrefix.of(name, 64)));
      expect(slots).not.toContain(NOT_FOUND);
      const ahead = trie.readAhead(wordsOf(burst), burst.length);
      const ended = slots.filter((slot, index) => {
        // A way with more nodes than are read ahead ends nowhere, but never at another prefix.
        if (ahead.slot(index) >= 0) expect(ahead.slot(index)).toBe(slot);
        return ahead.slot(index) >= 0;
      });
      expect(ended.length).toBeGreaterThanOrEqual(0.9 * burst.length);
    },
  );

  it('ends at nothing where nothing is stored', () => {
    const trie = new PrefixTrie();
    const burst = wordsOf([ServiceID.zero, ServiceID.zero]);
    expect(trie.readAhead(burst, 2).slot(1)).toBeLessThan(0);
    for (const word of [0x80000000, 0x90000000]) {
      trie.insert(ServicePrefix.of(ServiceID.fromWords([word, 0, 0, 0, 0, 0, 0, 0]), 64));
    }
    expect(trie.readAhead(burst, 2).slot(0)).toBeLessThan(0);
  });

  it('survives ids of any bits in tables of any shape, while they change', () => {
    const random = SeededRandom.of(7);
    const trie = new PrefixTrie();
    const stored: ServicePrefix[] = [];
    const bits = (): number => random.uint32() % 257;
    for (let round = 0; round < 3000; round++) {
      const base = random.uint32() % 2 === 0 ? ServiceID.zero : randomID(random);
      const prefix = ServicePrefix.of(base, bits());
      if (trie.find(prefix) === NOT_FOUND) stored.push(prefix);
      trie.insert(prefix);
      if (round % 3 === 0) trie.remove(trie.find(stored.splice(random.uint32() % stored.length, 1)[0]!));
      const ids = [prefix.base, randomID(random), ServiceID.zero];
      const ahead = trie.readAhead(wordsOf(ids), ids.length);
      for (const [index] of ids.entries()) {
        const slot = ahead.slot(index);
        // A slot in use, or none: a free one has lost its prefix.
        if (slot >= 0) expect(trie.find(trie.prefix(slot))).toBe(slot);
      }
    }
  });
});
