// The client has the first processor and the server the second: left to the scheduler both often share one.

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export const isPinned =
  process.platform === 'linux' &&
  availableParallelism() > 1 &&
  spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;

/** What stands before a command so that it keeps to a processor. */
export function pinnedTo(processor: number): readonly string[] {
  return isPinned ? ['taskset', '-c', String(processor)] : [];
}
