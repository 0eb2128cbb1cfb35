// Chance from the system's generator, drawn in blocks: flowIDs and nonces must not be guessable (§4.4).

import { randomFillSync } from 'node:crypto';
import type { RandomSource } from '../time/random-source';

export class SystemRandom implements RandomSource {
  private readonly words = new Uint32Array(BLOCK_WORDS);
  private next = BLOCK_WORDS;

  uint32(): number {
    if (this.next === BLOCK_WORDS) {
      randomFillSync(this.words);
      this.next = 0;
    }
    const word = this.words[this.next]!;
    // A word is used once: whoever reads our memory later finds no old nonce here.
    this.words[this.next++] = 0;
    return word;
  }

  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }
}

const BLOCK_WORDS = 1024;
