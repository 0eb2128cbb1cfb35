// What the complete run is made of, in the order of its table: 15 minutes in all on a machine with two processors.

export interface PlannedBenchmark {
  readonly name: string;
  /** Besides `--json`. */
  readonly arguments: readonly string[];
  /** What it takes; for the progress, and so that everybody sees where the time goes. */
  readonly seconds: number;
}

export const plan: readonly PlannedBenchmark[] = [
  { name: 'stream', arguments: [], seconds: 240 },
  { name: 'peers', arguments: ['--seconds', '0.5'], seconds: 180 },
  { name: 'datagram', arguments: [], seconds: 20 },
  { name: 'raw-link', arguments: [], seconds: 40 },
  { name: 'loss', arguments: ['--rounds', '5'], seconds: 180 },
  { name: 'service-table', arguments: ['--counts', '1000000'], seconds: 25 },
  { name: 'first-packet', arguments: [], seconds: 25 },
];

export const SECONDS_MAXIMUM = 15 * 60;
