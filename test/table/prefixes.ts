// Random prefixes and ids for the tests of the tables: clustered, so that they nest and part at all depths.

import type { RandomSource } from '../../lib/time/random-source';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

export function randomID(random: RandomSource): ServiceID {
  return ServiceID.fromWords(Array.from({ length: 8 }, () => random.uint32()));
}

/** Shares its first bits with `base`, and has random ones from a random bit on. */
export function relativeOf(base: ServiceID, random: RandomSource): ServiceID {
  const shared = random.uint32() % 257;
  const words = randomID(random).words;
  for (let index = 0; index < 8; index++) {
    const bits = shared - index * 32;
    const mask = bits <= 0 ? 0 : bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
    words[index] = (base.words[index]! & mask) | (words[index]! & ~mask);
  }
  return ServiceID.fromWords(words);
}

/** Half of the lengths at the borders of a name's blocks, the others anywhere, 0 and 256 included. */
export function randomBits(random: RandomSource): number {
  return random.uint32() % 2 === 0 ? [0, 64, 128, 192, 256][random.uint32() % 5]! : random.uint32() % 257;
}

export function prefix(hex: string, bits: number): ServicePrefix {
  return ServicePrefix.of(ServiceID.fromHex(hex.padEnd(64, '0'))!, bits);
}

export function id(hex: string): ServiceID {
  return ServiceID.fromHex(hex.padEnd(64, '0'))!;
}
