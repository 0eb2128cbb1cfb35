// An end of the stream: it sends at a steady rate, as far as there is room, and notes what comes and when.

import type { Socket } from 'node:net';
import { clock } from '../measuring/clock';
import { PATTERN_PIECE_MAXIMUM, PatternCheck, patternAt } from '../measuring/pattern';
import type { Balance, Progress, Silence } from './task';

export class PacedStream {
  private readonly check = new PatternCheck();
  private readonly arrivals: Progress[] = [];
  private readonly pacer: NodeJS.Timeout;
  private readonly begun = clock();
  private written = 0;
  private hasRoom = true;
  private code: string | undefined;

  /** `rate` is in bits a second. */
  constructor(
    private readonly socket: Socket,
    private readonly rate: number,
  ) {
    this.pacer = setInterval(() => this.writeDue(), INTERVAL);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('drain', () => {
      this.hasRoom = true;
      this.writeDue();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (this.code = error.code ?? error.message));
    socket.on('close', () => this.stop());
  }

  get isFlowing(): boolean {
    const since = clock() - FLOWING_TIME;
    return this.arrivals.filter(({ at }) => at > since).length >= FLOWING_ARRIVALS;
  }

  get balance(): Balance {
    const { written, check, code } = this;
    return { written, received: check.bytes, isRight: check.isRight, ...(code !== undefined && { code }) };
  }

  progressSince(from: number): readonly Progress[] {
    return this.arrivals.filter(({ at }) => at >= from);
  }

  silenceSince(from: number): Silence {
    const times = [from, ...this.progressSince(from).map(({ at }) => at), clock()];
    let longest: Silence = { begin: from, end: from };
    times.slice(1).forEach((end, index) => {
      const begin = times[index]!;
      if (end - begin > longest.end - longest.begin) longest = { begin, end };
    });
    return longest;
  }

  stop(): void {
    clearInterval(this.pacer);
    this.hasRoom = false;
    this.socket.removeAllListeners('drain');
  }

  abandon(): void {
    this.stop();
    this.socket.destroy();
  }

  /** What was not sent in time is sent when there is room. */
  private writeDue(): void {
    const due = Math.floor(((clock() - this.begun) * this.rate) / 8000);
    while (this.hasRoom && this.written < due) {
      const piece = Math.min(due - this.written, PATTERN_PIECE_MAXIMUM);
      this.hasRoom = this.socket.write(patternAt(this.written, piece));
      this.written += piece;
    }
  }

  private take(chunk: Buffer): void {
    this.check.take(chunk);
    const at = clock();
    this.arrivals.push({ at, bytes: this.check.bytes });
    while (this.arrivals[0]!.at < at - KEPT) this.arrivals.splice(0, FORGOTTEN_AT_ONCE);
  }
}

/** Milliseconds. */
const INTERVAL = 2;
const FLOWING_TIME = 100;
const FLOWING_ARRIVALS = 5;
const KEPT = 30_000;
const FORGOTTEN_AT_ONCE = 1000;
