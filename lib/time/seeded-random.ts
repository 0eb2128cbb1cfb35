// Chance that repeats: xoshiro128** (Blackman and Vigna, 2018) for tests and the simulator. Not for flowIDs
// and nonces of a real host: whoever sees a few numbers can compute the rest.

import type { RandomSource } from './random-source';

export class SeededRandom implements RandomSource {
  private constructor(
    private s0: number,
    private s1: number,
    private s2: number,
    private s3: number,
  ) {}

  /** Any number; only its 32 low bits count. Seeds that differ in one bit give unrelated sequences. */
  static of(seed: number): SeededRandom {
    const next = splitMix32(seed);
    return new SeededRandom(next(), next(), next(), next());
  }

  /** The state itself, not all zero: for the published test vectors. */
  static fromState(s0: number, s1: number, s2: number, s3: number): SeededRandom {
    if ((s0 | s1 | s2 | s3) === 0) throw new RangeError('the state must not be all zero');
    return new SeededRandom(s0, s1, s2, s3);
  }

  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.s1, 5), 7), 9) >>> 0;
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = rotateLeft(this.s3, 11);
    return result;
  }

  /** 53 random bits. */
  fraction(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** A source of its own for one part of a simulation, so that a draw more in it moves nothing elsewhere. */
  fork(): SeededRandom {
    return SeededRandom.of(this.uint32());
  }
}

function rotateLeft(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count));
}

/** Spreads a seed over the state (the authors ask for another generator than xoshiro for that). */
function splitMix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}
