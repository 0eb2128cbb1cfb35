import { describe, expect, it } from 'vitest';
import { NewReno } from '../../../lib/transport/stream/congestion/new-reno';
import { type Direction, Pipe, type PipeOptions } from '../pipe';

/** Goodput of a transfer in megabits a second of virtual time. */
function goodput(bytes: number, options: PipeOptions): number {
  const pipe = new Pipe(options);
  const start = pipe.now;
  pipe.a.send(bytes, true);
  expect(pipe.runUntil(() => pipe.b.endedAt !== undefined, 600_000)).toBe(true);
  expect([pipe.b.bytesRead, pipe.b.bytesWrong]).toEqual([bytes, 0]);
  return (bytes * 8) / (pipe.now - start) / 1000;
}

const BACK: Direction = { delay: 10, rate: 100 };
const path = (more: Partial<Direction>): PipeOptions => ({ forth: { ...BACK, queue: 250_000, ...more }, back: BACK });

describe('throughput on a path of 100 Mbit/s and 20 ms', () => {
  it('is 90 % of the rate with CUBIC, slow start included', () => {
    expect(goodput(20_000_000, path({}))).toBeGreaterThan(90);
  });

  it('is 90 % of the rate with NewReno', () => {
    const a = { congestion: (segmentSize: number) => new NewReno(segmentSize) };
    expect(goodput(20_000_000, { ...path({}), a })).toBeGreaterThan(90);
  });

  it('survives a queue of a sixth of the path', () => {
    expect(goodput(20_000_000, path({ queue: 40_000 }))).toBeGreaterThan(55);
  });

  it('is what the window formula lets expect at 1 % loss', () => {
    // 1.22 * 1440 bytes / (20 ms * sqrt(0.01)) = 7 Mbit/s.
    expect(goodput(5_000_000, path({ loss: 0.01 }))).toBeGreaterThan(6);
  });

  it('does not suffer from reordering that is less than a quarter of the round trip', () => {
    expect(goodput(8_000_000, path({ reordering: 0.05, reorderDelay: 4 }))).toBeGreaterThan(80);
  });

  it('sends again only what was lost', () => {
    const pipe = new Pipe(path({ loss: 0.005, queue: 125_000 }));
    pipe.a.send(10_000_000, true);
    expect(pipe.runUntil(() => pipe.b.endedAt !== undefined, 600_000)).toBe(true);
    const again = pipe.a.transport.statistics.retransmittedBytes / pipe.a.subflow.segmentSize;
    expect(again).toBeLessThan(pipe.a.wire.dropped * 1.05 + 3);
  });

  it('is shared by two transfers in opposite directions', () => {
    const pipe = new Pipe({ forth: { ...BACK, queue: 250_000 }, back: { ...BACK, queue: 250_000 } });
    const start = pipe.now;
    pipe.a.send(10_000_000, true);
    pipe.b.send(10_000_000, true);
    expect(pipe.runUntil(() => pipe.b.endedAt !== undefined && pipe.a.endedAt !== undefined, 60_000)).toBe(true);
    expect((20_000_000 * 8) / (pipe.now - start) / 1000).toBeGreaterThan(140);
  });
});

describe('throughput elsewhere', () => {
  it('fills 10 Mbit/s over 100 ms', () => {
    const forth = { delay: 50, rate: 10, queue: 125_000 };
    expect(goodput(5_000_000, { forth, back: { delay: 50, rate: 10 } })).toBeGreaterThan(8.5);
  });

  it('recovers when the rate falls to a tenth', () => {
    const pipe = new Pipe(path({}));
    pipe.a.send(60_000_000);
    pipe.run(2000);
    pipe.forth.rate = 10;
    pipe.run(3000);
    const before = pipe.b.bytesRead;
    pipe.run(3000);
    expect(((pipe.b.bytesRead - before) * 8) / 3000 / 1000).toBeGreaterThan(8);
  });

  it('acknowledges by trains where they arrive whole', () => {
    const pipe = new Pipe({ forth: { delay: 1 } });
    pipe.a.send(10_000_000, true);
    expect(pipe.runUntil(() => pipe.b.endedAt !== undefined, 60_000)).toBe(true);
    expect(pipe.b.transport.statistics.acknowledgmentsSent).toBeLessThan(10_000_000 / 1440 / 10);
  });
});
