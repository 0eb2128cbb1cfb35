// Writes down what a socket emits, in order, in a form that two networks can be compared by: data as counted
// bytes, one entry however many chunks it came in.

import type { EventEmitter } from 'node:events';

const EVENTS = ['connect', 'ready', 'data', 'end', 'finish', 'timeout', 'drain', 'drop', 'listening', 'connection'];

export class EventRecord {
  readonly entries: string[] = [];
  private bytes = 0;

  /** `'data'` is listened to only when asked for: listening makes the stream flow. */
  constructor(emitter: EventEmitter, events: readonly string[] = EVENTS) {
    for (const event of events) {
      if (event === 'data') emitter.on('data', (chunk: Buffer) => this.data(chunk.length));
      else emitter.on(event, () => this.note(event));
    }
    emitter.on('error', (error: NodeJS.ErrnoException) =>
      this.note(`error ${error.code} ${error.syscall ?? ''}`.trim()),
    );
    emitter.on('close', (hadError?: boolean) => this.note(hadError === undefined ? 'close' : `close ${hadError}`));
  }

  note(entry: string): void {
    this.entries.push(entry);
  }

  private data(length: number): void {
    const last = this.entries.length - 1;
    this.bytes = this.entries[last]?.startsWith('data ') ? this.bytes + length : length;
    if (this.entries[last]?.startsWith('data ')) this.entries[last] = `data ${this.bytes}`;
    else this.note(`data ${this.bytes}`);
  }
}
