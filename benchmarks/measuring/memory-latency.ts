// What a read that no cache has costs here: a search through a large table is a few of them.

import { processorSeconds } from './rounds';

/** Nanoseconds that a read takes when it depends on the one before and no cache has it. */
export function memoryLatency(bytes = 64 * 1024 * 1024): number {
  const LINE = 16;
  const lines = bytes / (LINE * 4);
  const order = Uint32Array.from({ length: lines }, (_, index) => index);
  let state = 1;
  for (let index = lines - 1; index > 0; index--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = state % (index + 1);
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  const chain = new Uint32Array(lines * LINE);
  for (let index = 0; index < lines; index++) chain[order[index]! * LINE] = order[(index + 1) % lines]! * LINE;
  let at = 0;
  const steps = 1_000_000;
  const start = processorSeconds();
  for (let step = 0; step < steps; step++) at = chain[at]!;
  const elapsed = processorSeconds() - start;
  return at < 0 ? Number.NaN : (elapsed / steps) * 1e9;
}
