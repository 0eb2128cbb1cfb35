// A generator that gives the same numbers for the same seed, for simulations and tests. It is not for
// secrets: flowIDs and nonces of a real host come from the system's generator.

import type { RandomSource } from './random-source';

/** xoshiro128** (Blackman and Vigna), its state filled from the seed by splitmix32. */
export class SeededRandom implements RandomSource {
  private readonly state = new Uint32Array(4);

  constructor(seed: number) {
    let z = seed >>> 0;
    for (let index = 0; index < 4; index++) {
      z = (z + 0x9e3779b9) >>> 0;
      let word = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      this.state[index] = word ^ (word >>> 15);
    }
  }

  uint32(): number {
    const state = this.state;
    const result = Math.imul(rotateLeft(Math.imul(state[1]!, 5), 7), 9) >>> 0;
    const shifted = state[1]! << 9;
    state[2]! ^= state[0]!;
    state[3]! ^= state[1]!;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= shifted;
    state[3] = rotateLeft(state[3]!, 11);
    return result;
  }

  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A generator of its own, so that what one part draws does not change what another part gets. */
  fork(): SeededRandom {
    return new SeededRandom(this.uint32());
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
