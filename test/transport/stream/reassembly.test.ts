import { describe, expect, it } from 'vitest';
import { REASSEMBLY_RUNS_MAXIMUM } from '../../../lib/limits';
import { SeededRandom } from '../../../lib/time/seeded-random';
import { Reassembly } from '../../../lib/transport/stream/reassembly';
import { ReceiveBuffer } from '../../../lib/transport/stream/receive-buffer';
import { ReceivedBatch } from '../../../lib/wire/received-batch';
import { patternFrom } from '../pipe';

/** Inserts [start, end) of the pattern. */
function insert(reassembly: Reassembly, start: number, end: number, chunks = 100_000): boolean {
  return reassembly.insert(start, end, chunks, (skip, length) => patternFrom(start + skip, length));
}

describe('Reassembly', () => {
  it.each([1, 2, 3, 4, 5])('agrees with a set of bytes over random inserts, seed %i', (seed) => {
    const random = SeededRandom.of(seed);
    const reassembly = new Reassembly();
    const held = new Set<number>();
    let next = 0;
    for (let step = 0; step < 400; step++) {
      const start = next + 1 + Math.floor(random.fraction() * 200);
      const end = start + 1 + Math.floor(random.fraction() * 60);
      insert(reassembly, start, end);
      for (let at = start; at < end; at++) held.add(at);
      if (random.fraction() < 0.2) {
        next += Math.floor(random.fraction() * 40);
        const chunks: Buffer[] = [];
        const to = reassembly.takeFrom(next, (chunk) => chunks.push(chunk));
        let expected = next;
        while (held.has(expected)) expected++;
        expect(to).toBe(expected);
        expect(Buffer.concat(chunks).equals(patternFrom(next, to - next))).toBe(true);
        next = to;
        for (const at of [...held]) if (at < to) held.delete(at);
      }
      expect(reassembly.bytes).toBe(held.size);
    }
  });

  it('bounds the gaps', () => {
    const reassembly = new Reassembly();
    for (let run = 0; run < REASSEMBLY_RUNS_MAXIMUM; run++)
      expect(insert(reassembly, 10 + run * 4, 12 + run * 4)).toBe(true);
    expect(insert(reassembly, 1_000_000, 1_000_001)).toBe(false);
    expect(insert(reassembly, 12, 14)).toBe(true);
    expect(insert(reassembly, 1_000_000, 1_000_001)).toBe(true);
  });

  it('bounds the chunks', () => {
    const reassembly = new Reassembly();
    for (let byte = 0; byte < 64; byte++) insert(reassembly, 10 + byte, 11 + byte, 64);
    expect(insert(reassembly, 74, 75, 64)).toBe(false);
    expect(reassembly.chunks).toBe(64);
  });
});

describe('ReceiveBuffer', () => {
  function feed(buffer: ReceiveBuffer, offset: number, length: number): ReceivedBatch {
    const batch = new ReceivedBatch(1, Buffer.from(patternFrom(offset, length)));
    buffer.insert(offset, batch, 0, length, 1_000_000);
    return batch;
  }

  it('gathers small payloads while nobody reads', () => {
    const buffer = new ReceiveBuffer(0);
    for (let byte = 0; byte < 50_000; byte += 10) feed(buffer, byte, 10);
    let chunks = 0;
    const bytes: Buffer[] = [];
    for (let chunk = buffer.read(); chunk !== undefined; chunk = buffer.read()) {
      chunks++;
      bytes.push(chunk);
    }
    expect(chunks).toBeLessThan(10);
    expect(Buffer.concat(bytes).equals(patternFrom(0, 50_000))).toBe(true);
    expect(buffer.unread).toBe(0);
  });

  it('does not change a chunk that was read', () => {
    const buffer = new ReceiveBuffer(0);
    feed(buffer, 0, 10);
    feed(buffer, 10, 10);
    buffer.read();
    const second = buffer.read()!;
    feed(buffer, 20, 10);
    feed(buffer, 30, 10);
    expect(second.equals(patternFrom(10, 10))).toBe(true);
    expect(Buffer.concat([buffer.read()!, buffer.read()!]).equals(patternFrom(20, 20))).toBe(true);
  });

  it('keeps large payloads where they are', () => {
    const batch = feed(new ReceiveBuffer(0), 0, 20_000);
    expect(batch.retainedEnd).toBe(20_000);
  });

  it('copies what waits above a gap, so that the peer cannot pin a slab for each segment that it withholds', () => {
    const buffer = new ReceiveBuffer(0);
    const batch = feed(buffer, 20_000, 20_000);
    expect(batch.retainedEnd).toBe(0);
    batch.slab.fill(0);
    feed(buffer, 0, 20_000);
    expect(Buffer.concat([buffer.read()!, buffer.read()!]).equals(patternFrom(0, 40_000))).toBe(true);
  });
});
