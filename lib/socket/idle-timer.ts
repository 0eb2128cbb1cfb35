// The idle timeout of `socket.setTimeout`: an unreferenced timer that every sign of life sets back.

import { checkNumber } from './argument-checks';
import { outOfRange } from './node-error';

/** The longest delay that a timer of Node takes, milliseconds. */
const DELAY_MAXIMUM = 2 ** 31 - 1;

export class IdleTimer {
  private timer: NodeJS.Timeout | undefined;

  /** 0 stops. Throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE. */
  start(milliseconds: number, expired: () => void): void {
    checkDelay(milliseconds);
    this.stop();
    if (milliseconds > 0) this.timer = setTimeout(expired, Math.min(milliseconds, DELAY_MAXIMUM)).unref();
  }

  refresh(): void {
    this.timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

export function checkDelay(milliseconds: unknown): void {
  checkNumber(milliseconds, 'msecs');
  if (milliseconds >= 0 && Number.isFinite(milliseconds)) return;
  throw outOfRange('msecs', 'a non-negative finite number', milliseconds);
}
