import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../lib/time/seeded-random';
import { BlockPool } from '../../../lib/transport/stream/block-pool';
import { SendBuffer } from '../../../lib/transport/stream/send-buffer';
import { NetworkAddress } from '../../../lib/wire/network-address';
import { TransmitBatch } from '../../../lib/wire/transmit-batch';
import { patternFrom } from '../pipe';

const ADDRESS = NetworkAddress.parse('192.0.2.1', 1)!;

function readFrom(buffer: SendBuffer, from: number, length: number): Buffer {
  const batch = new TransmitBatch(1);
  batch.begin(ADDRESS, undefined);
  const count = buffer.appendTo(batch, from, length);
  expect(count).toBe(buffer.reach(from, length));
  expect(batch.pieceCount).toBeLessThanOrEqual(6);
  const pieces = batch.pieces.map((piece, index) => {
    const start = batch.pieceSpans[index * 2]!;
    return Buffer.from(piece.subarray(start, start + batch.pieceSpans[index * 2 + 1]!));
  });
  return Buffer.concat(pieces);
}

describe('SendBuffer', () => {
  it.each([1, 2, 3])('gives back what was written, whatever was released, seed %i', (seed) => {
    const random = SeededRandom.of(seed);
    const pool = new BlockPool();
    const buffer = new SendBuffer(pool);
    for (let step = 0; step < 3000; step++) {
      const size = random.fraction() < 0.1 ? 100_000 : 300;
      const length = Math.floor(random.fraction() * size);
      if (buffer.length < 500_000) buffer.append(patternFrom(buffer.end, length), 0, Math.min(length, 65_536));
      if (random.fraction() < 0.6)
        buffer.release(buffer.start + Math.floor(random.fraction() * random.fraction() * buffer.length * 1.2));
      if (buffer.length === 0) continue;
      const from = buffer.start + Math.floor(random.fraction() * buffer.length);
      const wanted = Math.min(1 + Math.floor(random.fraction() * 65_000), buffer.end - from);
      const bytes = readFrom(buffer, from, wanted);
      expect(bytes.length).toBeGreaterThan(0);
      expect(bytes.equals(patternFrom(from, bytes.length))).toBe(true);
    }
    const before = pool.pooledBytes;
    buffer.clear();
    expect(pool.pooledBytes).toBeGreaterThanOrEqual(before);
  });

  it('holds no memory once everything is acknowledged', () => {
    const pool = new BlockPool();
    const buffer = new SendBuffer(pool);
    buffer.append(Buffer.alloc(100), 0, 100);
    buffer.release(100);
    expect(pool.pooledBytes).toBe(2048);
  });

  it('puts a stream of small writes into large blocks', () => {
    const buffer = new SendBuffer(new BlockPool());
    for (let count = 0; count < 3000; count++) buffer.append(patternFrom(count * 100, 100), 0, 100);
    expect(buffer.reach(150_000, 65_000)).toBe(65_000);
  });
});
