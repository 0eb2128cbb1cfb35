// Chance as an argument: the host passes the system's generator, the simulator a seeded one.

export interface RandomSource {
  /** A uniform 32-bit unsigned integer. */
  uint32(): number;
  /** A uniform number in [0, 1). */
  fraction(): number;
}
