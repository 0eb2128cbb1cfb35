import { describe, expect, it } from 'vitest';
import { TransportSignal } from '../../../lib/transport/transport';
import { Pipe, type PipeOptions } from '../pipe';

const MEGABYTE = 1_048_576;

/** Sends both ways at once and checks every byte, the ends, and that both FINs were acknowledged. */
function transfer(options: PipeOptions, forth: number, back: number, limit = 600_000): Pipe {
  const pipe = new Pipe(options);
  const { a, b } = pipe;
  a.send(forth, true);
  b.send(back, true);
  const done = pipe.runUntil(
    () =>
      a.transport.finAcknowledged && b.transport.finAcknowledged && a.endedAt !== undefined && b.endedAt !== undefined,
    limit,
  );
  const state = {
    done,
    read: [b.bytesRead, a.bytesRead],
    wrong: [b.bytesWrong, a.bytesWrong],
    dead: a.has(TransportSignal.timedOut) || b.has(TransportSignal.timedOut),
    buffered: [a.transport.bufferedBytes, b.transport.bufferedBytes],
  };
  expect(state).toEqual({ done: true, read: [forth, back], wrong: [0, 0], dead: false, buffered: [0, 0] });
  return pipe;
}

describe('bulk transfer', () => {
  it('is exact on a perfect path, in either direction and in both', () => {
    transfer({}, 5 * MEGABYTE, 0);
    transfer({}, 0, 5 * MEGABYTE);
    transfer({}, MEGABYTE, MEGABYTE);
  });
});

describe('bulk transfer over a bad path', () => {
  const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

  it.each([0.01, 0.03, 0.1, 0.2, 0.3])('is exact with a loss of %d', (loss) => {
    for (const seed of seeds.slice(0, 4)) {
      const bytes = loss > 0.1 ? 60_000 : 400_000;
      transfer({ seed, forth: { delay: 10, loss } }, bytes, bytes / 2, 3_000_000);
    }
  });

  it.each(seeds)('is exact with reordering, duplication and loss, seed %d', (seed) => {
    const forth = { delay: 5, rate: 50, loss: 0.02, reordering: 0.1, reorderDelay: 8, duplication: 0.05 };
    transfer({ seed, forth }, 500_000, 200_000);
  });

  it.each(seeds.slice(0, 4))('is exact when sequence numbers wrap, seed %d', (seed) => {
    const initialSequences = [0xffff_ffff - seed * 30_000, 0xffff_ff00 + seed] as const;
    const forth = { delay: 5, rate: 50, loss: 0.02, reordering: 0.1, duplication: 0.02 };
    transfer({ seed, initialSequences, forth }, 300_000, 300_000);
  });

  it.each(seeds.slice(0, 4))('is exact with small buffers, seed %d', (seed) => {
    const small = { sendBuffer: 5000, receiveBuffer: 4096 };
    transfer({ seed, a: small, b: small, forth: { delay: 2, loss: 0.03 } }, 200_000, 100_000);
  });
});
