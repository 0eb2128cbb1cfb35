// What both programs share: their task, the counters, and the answers to marks.

import type { Mark, Report, Task } from './messages';

export const task = JSON.parse(process.argv[2] ?? 'null') as Task;

/** The program adds to these as it goes. */
export const counted = { bytes: 0, requests: 0, roundTrips: [] as number[] };

export function report(message: Report): void {
  process.send?.(message);
}

process.on('message', () => report({ kind: 'mark', mark: mark() }));
// Whoever started us has gone.
process.on('disconnect', () => process.exit());
process.on('uncaughtException', (error) => {
  report({ kind: 'failed', reason: error.message });
  setImmediate(() => process.exit(1));
});

function mark(): Mark {
  const { user, system } = process.cpuUsage();
  const { bytes, requests } = counted;
  const roundTrips = counted.roundTrips;
  counted.roundTrips = [];
  return { at: performance.now(), cpu: (user + system) / 1e6, bytes, requests, memory: memory(), roundTrips };
}

/** What is garbage does not count; what a collection leaves to the allocator does, as in `top`. */
function memory(): number {
  if (task.measure !== 'idle') return 0;
  for (let turn = 0; turn < 3; turn++) globalThis.gc?.();
  return process.memoryUsage.rss();
}

export const MESSAGE_BYTES = 64;
