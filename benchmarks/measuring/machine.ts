// What a figure depends on besides the code: printed beside every result.

import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly platform: string;
  readonly kernel: string;
  /** What the kernel's TCP uses; `unknown` where it cannot be asked. */
  readonly congestionControl: string;
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
    kernel: release(),
    congestionControl: setting('net/ipv4/tcp_congestion_control'),
    load: loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

/** One line for the head of a table. */
export function machineLine({ cpu, cores, kernel, node, congestionControl, load }: Machine): string {
  return `${cpu}, ${cores} cores, kernel ${kernel}, Node ${node}, TCP ${congestionControl}, load ${load.join(' ')}`;
}

function setting(path: string): string {
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
  } catch {
    return 'unknown';
  }
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
