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
