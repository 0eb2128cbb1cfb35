// A simulated world: hosts on a network, virtual time, and one seed. The same seed and the same story give
// the same run, packet for packet; whatever goes wrong is told with the seed and the last packets.

import { after, type Duration, type Instant, milliseconds } from '../time/instant';
import { SeededRandom } from '../time/seeded-random';
import type { SimulatedClock } from './clock';
import { type PlugOptions, SimulatedNetwork } from './network';
import type { Partition } from './partition';
import type { Path } from './path';
import type { Segment } from './segment';
import { type HostOptions, SimulatedHost } from './simulated-host';
import type { SimulatedInterface } from './simulated-interface';
import type { Trace } from './trace';

export interface WorldOptions {
  readonly seed: number;
  /** How many of the last packets the trace keeps; default 1000. */
  readonly traceCapacity?: number;
}

export interface RunOptions {
  /** How long to run. */
  readonly for?: Duration;
  /** Until when to run: an instant, or a condition that is asked after every event. */
  readonly until?: Instant | (() => boolean);
}

/** Something failed in a simulation. The message has the seed and the end of the trace. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';

  constructor(
    message: string,
    readonly seed: number,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export class World {
  readonly seed: number;
  readonly network: SimulatedNetwork;
  private readonly random: SeededRandom;
  private readonly named = new Map<string, SimulatedHost>();

  constructor({ seed, traceCapacity }: WorldOptions) {
    this.seed = seed;
    this.random = SeededRandom.of(seed);
    this.network = new SimulatedNetwork(this.random.fork(), traceCapacity);
  }

  get now(): Instant {
    return this.clock.now();
  }

  get clock(): SimulatedClock {
    return this.network.clock;
  }

  get trace(): Trace {
    return this.network.trace;
  }

  /** Who cannot reach whom. */
  get partition(): Partition {
    return this.network.partition;
  }

  get hosts(): readonly SimulatedHost[] {
    return [...this.named.values()];
  }

  /** The host of that name, made when it is not there yet. It has no interface at first. */
  host(name: string, options?: HostOptions): SimulatedHost {
    const known = this.named.get(name);
    if (known !== undefined) return known;
    const made = new SimulatedHost(name, this.network, this.random.fork(), options);
    this.named.set(name, made);
    return made;
  }

  /** The LAN of that name, made when it is not there yet. */
  segment(name: string): Segment {
    return this.network.segment(name);
  }

  /** Gives the host one more interface, on `segment`. */
  attach(host: SimulatedHost, segment: Segment, options?: PlugOptions): SimulatedInterface {
    return this.network.plug(host.kernel, segment, options);
  }

  /** A wire between two hosts, with a path in between. */
  connect(a: SimulatedHost, b: SimulatedHost, between?: Path, options?: PlugOptions): Segment {
    return this.network.connect(a.kernel, b.kernel, between, options);
  }

  /** Does something later. */
  at(instant: Instant, action: () => void): void {
    this.clock.schedule(instant, action);
  }

  in(delay: Duration, action: () => void): void {
    this.clock.scheduleAfter(delay, action);
  }

  /**
   * Runs until nothing is left to happen, or as long as `options` say; true when it ended as they say: at
   * that time, or with the condition true. A world that does not come to rest is an error.
   */
  run(options: RunOptions = {}): boolean {
    const limits = this.limitsOf(options);
    while (!limits.isReached()) if (!this.step(limits)) return limits.end();
    return true;
  }

  /** Like `run`, but lets promises and `node:stream` do their work after each event: for sockets on top. */
  async runAsync(options: RunOptions = {}): Promise<boolean> {
    const limits = this.limitsOf(options);
    await eventLoopTurn();
    while (!limits.isReached()) {
      if (!this.step(limits)) return limits.end();
      await eventLoopTurn();
    }
    return true;
  }

  /** `message` with what one needs to find out: the seed, the time, and the last packets. */
  failure(message: string, cause?: unknown): SimulationError {
    const text = `${message}\n  seed ${this.seed}, at ${this.now.toFixed(3)} ms; the last packets:\n${this.trace.format(TRACE_LINES)}`;
    return new SimulationError(text, this.seed, cause);
  }

  /** Runs `story`; what it throws is told with the seed. */
  tell(story: () => void): void {
    try {
      story();
    } catch (error) {
      throw this.annotated(error);
    }
  }

  private step(limits: RunLimits): boolean {
    const next = this.clock.nextAt();
    if (next === undefined || next > limits.until) return false;
    try {
      limits.countEvent();
      return this.clock.step();
    } catch (error) {
      throw this.annotated(error);
    }
  }

  private annotated(error: unknown): SimulationError {
    if (error instanceof SimulationError) return error;
    return this.failure(error instanceof Error ? error.message : String(error), error);
  }

  private limitsOf(options: RunOptions): RunLimits {
    return new RunLimits(this.clock, options, () => this.failure('the world does not come to rest'));
  }
}

/** When one call of `run` ends. */
class RunLimits {
  readonly until: Instant;
  private readonly condition: (() => boolean) | undefined;
  private readonly isTimed: boolean;
  private events = 0;

  constructor(
    private readonly clock: SimulatedClock,
    options: RunOptions,
    private readonly restless: () => Error,
  ) {
    const { until } = options;
    this.condition = typeof until === 'function' ? until : undefined;
    this.isTimed = options.for !== undefined || typeof until === 'number';
    const byDuration = after(clock.now(), options.for ?? RUN_DEFAULT);
    this.until = typeof until === 'number' ? until : byDuration;
  }

  isReached(): boolean {
    return this.condition?.() === true;
  }

  countEvent(): void {
    if (++this.events > EVENTS_MAXIMUM) throw this.restless();
  }

  /** Nothing is left to do before the end. */
  end(): boolean {
    const isAtRest = this.clock.nextAt() === undefined;
    if (this.isTimed) this.clock.advanceTo(this.until);
    else if (!isAtRest) throw this.restless();
    return this.condition === undefined;
  }
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A day: whatever the stack waits for, it does not wait that long. */
const RUN_DEFAULT = milliseconds(86_400_000);
/** Events of one run; a loop without end would never come to the day's end. */
const EVENTS_MAXIMUM = 2_000_000;
const TRACE_LINES = 60;
