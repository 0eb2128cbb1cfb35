import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../lib/time/seeded-random';
import { CopyPool } from '../../lib/wire/copy-pool';

const SLAB_BYTES = 100_000;

describe('CopyPool', () => {
  it('gives what stood in the slab, and keeps it when the slab is written again', () => {
    const random = SeededRandom.of(Number(process.env['SERVAL_SEED'] ?? 7));
    const pool = new CopyPool();
    const slab = Buffer.alloc(SLAB_BYTES);
    const copies: { copy: Buffer; expected: string }[] = [];
    for (let burst = 0; burst < 100; burst++) {
      for (let at = 0; at < SLAB_BYTES; at += 4) slab.writeUInt32LE(random.uint32(), at);
      const ends = 5000 + (random.uint32() % 90_000);
      for (let at = random.uint32() % 100; ; ) {
        const length = 1 + (random.uint32() % 2048);
        if (at + length > ends) break;
        copies.push({ copy: pool.copy(slab, at, length, ends), expected: slab.toString('hex', at, at + length) });
        at += length + (random.uint32() % 8 === 0 ? random.uint32() % 20_000 : random.uint32() % 120);
      }
      pool.endBurst();
    }
    expect(copies.length).toBeGreaterThan(500);
    for (const { copy, expected } of copies) expect(copy.toString('hex')).toBe(expected);
  });

  it('goes back in the slab, and to another slab', () => {
    const pool = new CopyPool();
    const [one, two] = [Buffer.alloc(10_000, 1), Buffer.alloc(10_000, 2)];
    for (const at of [3000, 4000, 5000, 1000]) expect(pool.copy(one, at, 900, 10_000)[0]).toBe(1);
    expect(pool.copy(two, 1000, 900, 10_000)[0]).toBe(2);
    expect(pool.copy(one, 1000, 900, 10_000)[0]).toBe(1);
  });

  it('lets no copy pin more than 128 times its size', () => {
    const pool = new CopyPool();
    const slab = Buffer.alloc(SLAB_BYTES);
    for (const length of [1, 100, 511, 512, 1200, 2048]) {
      for (let at = 0; at + length <= SLAB_BYTES; at += length + 92) {
        const copy = pool.copy(slab, at, length, SLAB_BYTES);
        const pinned = copy.buffer.byteLength;
        expect(pinned).toBeLessThanOrEqual(Math.max(128 * length, Buffer.poolSize));
      }
      pool.endBurst();
    }
  });

  it('copies little in vain: messages far apart alone, those side by side at most twice', () => {
    const chunksOf = (gap: number): number => {
      const pool = new CopyPool();
      const slab = Buffer.alloc(1_000_000);
      const chunks = new Set<ArrayBufferLike>();
      for (let at = 0; at + 1000 <= slab.length; at += 1000 + gap)
        chunks.add(pool.copy(slab, at, 1000, slab.length).buffer);
      return chunks.size;
    };
    expect(chunksOf(9000)).toBe(Math.ceil(100 / 65));
    expect(chunksOf(92)).toBeLessThanOrEqual(Math.ceil(1_000_000 / 65_536) * 2);
  });
});
