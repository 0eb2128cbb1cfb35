// A process of a measurement, seen from inside: its task, what it counts, and its answers to whoever started it.

/** Everything counted since the program began. */
export interface Mark {
  /** Milliseconds on this process's monotonic clock. */
  readonly at: number;
  /** Seconds of all threads, user and system. */
  readonly cpu: number;
  readonly bytes: number;
  /** Requests answered, messages received. */
  readonly operations: number;
  /** Resident memory, behind a garbage collection where the program runs with `--expose-gc`. */
  readonly memory: number;
  /** Microseconds of each round trip since the last mark. */
  readonly roundTrips: readonly number[];
  /** Bytes of each stream, where several are compared. */
  readonly streams: readonly number[];
}

export type ProgramReport =
  /** The server can be reached at `target`; `carrier` is what carries the bytes, to be told. */
  | { readonly kind: 'listening'; readonly target: string; readonly carrier: string }
  /** The client's traffic flows and both are warm; where connections idle: all are open. */
  | { readonly kind: 'running' }
  /** The untimed transfer arrived; both ends have the same SHA-256. */
  | { readonly kind: 'verified' }
  | { readonly kind: 'mark'; readonly mark: Mark }
  | { readonly kind: 'failed'; readonly reason: string };

/** The program adds to these as it goes. */
export const counted = { bytes: 0, operations: 0, roundTrips: [] as number[], streams: [] as number[] };

/** The task this program was started with; from now on it answers marks, and ends with whoever started it. */
export function beginTask<Task>(): Task {
  process.on('message', () => report({ kind: 'mark', mark: mark() }));
  // Whoever started us has gone.
  process.on('disconnect', () => process.exit());
  process.on('uncaughtException', (error) => {
    fail(error);
    setImmediate(() => process.exit(1));
  });
  return JSON.parse(process.argv[2] ?? 'null') as Task;
}

export function report(message: ProgramReport): void {
  process.send?.(message);
}

/** A figure with failures in it would compare nothing. */
export function fail(error: Error): void {
  report({ kind: 'failed', reason: error.message });
}

/** Tells that the measured time may begin; a slow or busy machine does not get through the whole warm-up. */
export function reportWhen(isWarm: () => boolean, maximum: number): void {
  const begun = performance.now();
  const look = setInterval(() => {
    const elapsed = performance.now() - begun;
    if (elapsed < WARM_UP_MINIMUM || (!isWarm() && elapsed < maximum)) return;
    clearInterval(look);
    report({ kind: 'running' });
  }, 20);
}

/** Milliseconds: however fast a contender gets through its warm-up, its code is compiled while it runs, and late. */
const WARM_UP_MINIMUM = 1500;

function mark(): Mark {
  const { user, system } = process.cpuUsage();
  const { bytes, operations, streams } = counted;
  const roundTrips = counted.roundTrips;
  counted.roundTrips = [];
  return {
    at: performance.now(),
    cpu: (user + system) / 1e6,
    bytes,
    operations,
    memory: memory(),
    roundTrips,
    streams: [...streams],
  };
}

/** What is garbage does not count; what a collection leaves to the allocator does, as in `top`. */
function memory(): number {
  if (globalThis.gc !== undefined) for (let turn = 0; turn < 3; turn++) globalThis.gc();
  return process.memoryUsage.rss();
}
