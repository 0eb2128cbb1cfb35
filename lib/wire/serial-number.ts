// 32-bit sequence numbers that wrap (RFC 1982, RFC 9293 §3.4). The only place that compares them.

/** a < b on the circle. */
export function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** a <= b on the circle. */
export function isAtOrBefore(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

/** b - a as a signed distance. */
export function distance(a: number, b: number): number {
  return (b - a) | 0;
}

export function advance(a: number, count: number): number {
  return (a + count) >>> 0;
}
