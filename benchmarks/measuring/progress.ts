// One line on a terminal that says what is being measured and how far it is; nothing where nobody watches.

/** `done` is from 0 to 1. */
export function showProgress(text: string, done: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${PREFIX}${Math.round(done * 100)} % ${text}`);
}

/** To be called before anything else is printed. */
export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}

/** Set by a run of several benchmarks: which of them this is. */
const PREFIX = process.env['SERVAL_BENCHMARK_PROGRESS'] ?? '';
