// One end of a flow: it writes for as long as there is room, or notes what comes and when.

import type { Socket } from 'node:net';
import { clock } from '../measuring/clock';
import { PATTERN_PIECE_MAXIMUM, PatternCheck, patternAt } from '../measuring/pattern';
import { BIN, type FlowReport } from './task';

export function writeWithoutEnd(socket: Socket): void {
  let position = 0;
  const fill = (): void => {
    for (let hasRoom = true; hasRoom; position += PIECE) hasRoom = socket.write(patternAt(position, PIECE));
  };
  socket.on('drain', fill);
  fill();
}

const PIECE = Math.min(32 * 1024, PATTERN_PIECE_MAXIMUM);

export class Receiver {
  private readonly check = new PatternCheck();
  /** Bytes by the number of their bin since the machine started. */
  private readonly bins = new Map<number, number>();

  take(chunk: Uint8Array): void {
    this.check.take(chunk);
    const bin = Math.floor(clock() / BIN);
    this.bins.set(bin, (this.bins.get(bin) ?? 0) + chunk.length);
  }

  report(origin: number): FlowReport {
    const first = Math.floor(origin / BIN);
    const count = Math.max(0, ...this.bins.keys()) - first + 1;
    const bins = Array.from({ length: count }, (_, index) => this.bins.get(first + index) ?? 0);
    return { bins, isRight: this.check.isRight };
  }
}
