// Several rounds of one measurement, summed up: one figure alone says nothing on a machine that others use too.

export interface Summary {
  readonly minimum: number;
  readonly median: number;
  readonly maximum: number;
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  return { minimum: sorted[0]!, median: sorted[sorted.length >> 1]!, maximum: sorted[sorted.length - 1]! };
}

/**
 * Operations per processor second of `run`, which does `operations` of them. Time in which other programs had
 * the processor does not count; that they fill its caches does.
 */
export function rate(operations: number, run: () => void): number {
  const start = processorSeconds();
  run();
  return operations / (processorSeconds() - start);
}

/** Time all threads of this process have had, the garbage collector's included. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** `median (minimum-maximum)` in millions. */
export function inMillions(summary: Summary): string {
  const text = (value: number): string => (value / 1e6).toFixed(value < 1e6 ? 2 : 1);
  return `${text(summary.median)} (${text(summary.minimum)}-${text(summary.maximum)})`;
}

/** The value below which a fraction of all lies. */
export function quantile(values: readonly number[], fraction: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(Math.floor(sorted.length * fraction), sorted.length - 1)]!;
}
