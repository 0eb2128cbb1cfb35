// The pairs of paths that the kernel's own test of MPTCP uses (simult_flows.sh), and the time that it allows on them.

export interface Line {
  /** Megabits a second, in each direction. */
  readonly rate: number;
  /** Milliseconds, one way. */
  readonly delay: number;
}

export type Mix = readonly [Line, Line];

export const MIXES: readonly Mix[] = [
  [line(10, 0), line(10, 0)],
  [line(10, 1), line(10, 50)],
  [line(30, 0), line(10, 0)],
  [line(30, 1), line(10, 50)],
  [line(30, 50), line(10, 1)],
];

export const TRANSFER_BYTES = 16 * 1024 * 1024;

/** Seconds: what nine tenths of both rates take, and 450 ms for the beginning and the end. */
export function limitOf(mix: Mix): number {
  const rate = mix.reduce((sum, each) => sum + each.rate, 0);
  return Math.round(((TRANSFER_BYTES * 8) / (0.9 * rate * 1e6) + 0.45) * 100) / 100;
}

export function nameOf(mix: Mix): string {
  return mix.map(({ rate, delay }) => `${rate} Mbit/s ${delay} ms`).join(' and ');
}

function line(rate: number, delay: number): Line {
  return { rate, delay };
}

/** What is transferred: of a period that no segment size divides. */
export function contentOf(bytes: number): Buffer {
  const period = Buffer.from(Array.from({ length: 65_521 }, (_, index) => (index * 167 + (index >> 8)) & 0xff));
  return Buffer.alloc(bytes, period);
}
