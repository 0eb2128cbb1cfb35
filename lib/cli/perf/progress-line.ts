// The line of a running test: rewritten in place on a terminal, one line an interval elsewhere.

import type { WriteStream } from 'node:tty';
import type { IntervalReport } from './intervals';
import { intervalLine } from './text-report';

export class ProgressLine {
  private isOpen = false;

  constructor(private readonly output: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>) {}

  show(report: IntervalReport): void {
    const line = intervalLine(report);
    if (!this.output.isTTY) this.output.write(`${line}\n`);
    else this.rewrite(line.slice(0, Math.max((this.output.columns || DEFAULT_COLUMNS) - 1, 0)));
  }

  /** Whatever comes next stands on a line of its own. */
  end(): void {
    if (this.isOpen) this.rewrite('');
    this.isOpen = false;
  }

  private rewrite(line: string): void {
    this.output.write(`\r${line}${ERASE_TO_END}`);
    this.isOpen = true;
  }
}

/** Of a terminal that says none, or 0. */
const DEFAULT_COLUMNS = 80;
const ERASE_TO_END = '\x1b[K';
