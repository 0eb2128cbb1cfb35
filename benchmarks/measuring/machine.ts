// What a figure depends on besides the code: printed beside every result.

import { cpus, loadavg } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly platform: string;
  /** Load averages of 1, 5 and 15 minutes when asked: other programs' work shows in every figure. */
  readonly load: readonly number[];
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    load: loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

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
  const start = process.hrtime.bigint();
  for (let step = 0; step < steps; step++) at = chain[at]!;
  const elapsed = Number(process.hrtime.bigint() - start);
  return at < 0 ? Number.NaN : elapsed / steps;
}
