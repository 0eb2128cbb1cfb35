// The orderly end of a socket that serves others: it takes nothing new, what is open goes on until it ends by itself,
// and what has not when the time is over, or the signal is given, is cut off. How, is the socket's matter.

import { DRAIN_MINIMUM } from '../limits';
import { checkAbortSignal, checkNumber, checkObject } from './argument-checks';
import { outOfRange } from './node-error';

export interface DrainOptions {
  /** Milliseconds until what is still open is cut off; 0 at once. Default: never. */
  timeout?: number | undefined;
  /** Cuts off at once what is still open when it is aborted: the second Ctrl-C of somebody who is in a hurry. */
  signal?: AbortSignal | undefined;
}

export interface DrainResult {
  /** Connections that ended by themselves. */
  readonly finished: number;
  /** Connections that had to be ended. */
  readonly cut: number;
}

export class Drain {
  readonly done: Promise<DrainResult>;
  private resolve!: (result: DrainResult) => void;
  private count: number;
  private cutCount = 0;
  private readonly begun = performance.now();
  private deadline = Number.POSITIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private readonly signals = new Set<AbortSignal>();
  private isHurried = false;
  private readonly end = (): void => {
    this.isHurried = true;
    this.cutCount += this.cutOff();
  };

  /** `open`: connections there are. `cutOff` ends all that are left, and says how many that were. */
  constructor(
    open: number,
    private readonly cutOff: () => number,
  ) {
    this.count = open;
    this.done = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  /** Another one whose handshake was under way. */
  noteConnection(): void {
    this.count++;
  }

  /** Asked for once more, the earlier end counts. */
  hasten({ timeout, signal }: DrainOptions): void {
    if (timeout === 0 || signal?.aborted) this.end();
    else if (timeout !== undefined) this.cutAfter(timeout);
    if (signal === undefined || signal.aborted || this.signals.has(signal)) return;
    this.signals.add(signal);
    signal.addEventListener('abort', this.end, { once: true });
  }

  /**
   * Nothing is open any more. Who waits for it may end the process, and first packets are still under way: for a moment
   * there must be somebody to refuse them, or their clients wait for an answer.
   */
  finish(): void {
    clearTimeout(this.timer);
    for (const signal of this.signals) signal.removeEventListener('abort', this.end);
    const result = { finished: this.count - this.cutCount, cut: this.cutCount };
    const rest = Math.min(this.begun + DRAIN_MINIMUM, this.deadline) - performance.now();
    if (this.isHurried || rest <= 0) this.resolve(result);
    else setTimeout(() => this.resolve(result), rest);
  }

  private cutAfter(timeout: number): void {
    const deadline = performance.now() + timeout;
    if (deadline >= this.deadline) return;
    this.deadline = deadline;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.end, timeout);
  }
}

/** Throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE. */
export function checkDrainOptions(options: unknown): asserts options is DrainOptions {
  checkObject(options, 'options');
  const { timeout, signal } = options as { timeout?: unknown; signal?: unknown };
  if (timeout !== undefined) {
    checkNumber(timeout, 'options.timeout');
    if (!(timeout >= 0 && timeout <= TIMEOUT_MAXIMUM)) {
      throw outOfRange('options.timeout', `>= 0 && <= ${TIMEOUT_MAXIMUM}`, timeout);
    }
  }
  if (signal !== undefined) checkAbortSignal(signal, 'options.signal');
}

/** The longest delay that a timer of Node takes, milliseconds. */
const TIMEOUT_MAXIMUM = 2 ** 31 - 1;
