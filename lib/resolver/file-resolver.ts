// A directory that is a file (docs/discovery.md): read anew when it changes, and what changed is asked for anew. A file
// that cannot be read or understood leaves the last good one in force, and a warning says why.

import { open, stat } from 'node:fs/promises';
import { SERVICE_FILE_BYTES_MAXIMUM, SERVICE_FILE_CHANGES_MAXIMUM, SERVICE_FILE_POLL_INTERVAL } from '../limits';
import { ServicePrefix } from '../wire/service-id';
import type { Resolution, Resolver, ResolverQuestion } from './resolver';
import { ServiceFile } from './service-file';

export interface FileResolverOptions {
  /** Milliseconds between two looks at the file; default 1000. */
  readonly interval?: number | undefined;
}

export class FileResolver implements Resolver {
  /** The last good content. */
  private content: ServiceFile | undefined;
  /** What the file looked like when it was read; `undefined` to read it again in any case. */
  private seen: string | undefined;
  private warned: string | undefined;
  private readonly listeners = new Set<(prefix: ServicePrefix) => void>();
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> | undefined;
  private readonly interval: number;

  constructor(
    readonly path: string,
    { interval = SERVICE_FILE_POLL_INTERVAL }: FileResolverOptions = {},
  ) {
    if (typeof path !== 'string' || path === '') throw new TypeError('the path of a file of services must be a text');
    this.interval = interval;
  }

  /** Rejects while there has been no good file yet. */
  async resolve({ serviceID }: ResolverQuestion, signal: AbortSignal): Promise<Resolution> {
    // While somebody listens the timer keeps it fresh.
    if (this.content === undefined || this.timer === undefined) await this.refresh();
    signal.throwIfAborted();
    if (this.content === undefined) throw new Error(`${this.path}: ${this.warned}`);
    return this.content.resolve(serviceID);
  }

  onChange(changed: (prefix: ServicePrefix) => void): () => void {
    this.listeners.add(changed);
    this.timer ??= setInterval(() => void this.refresh(), this.interval).unref();
    return () => {
      this.listeners.delete(changed);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  /** Reads the file if it has changed. Never rejects. */
  private refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async read(): Promise<void> {
    try {
      if (this.seen !== undefined && this.seen === appearanceOf(await stat(this.path, { bigint: true }))) return;
      const { appearance, text } = await readWhole(this.path);
      const content = ServiceFile.parse(text);
      this.seen = appearance;
      this.warned = undefined;
      this.replace(content);
    } catch (error) {
      // It may have been read while it was written: whatever it looks like, it is read again.
      this.seen = undefined;
      this.warn((error as Error).message);
    }
  }

  private replace(content: ServiceFile): void {
    const former = this.content;
    this.content = content;
    if (former === undefined) return;
    const changed = content.differencesFrom(former);
    const told = changed.length > SERVICE_FILE_CHANGES_MAXIMUM ? [ServicePrefix.any] : changed;
    for (const prefix of told) for (const listener of [...this.listeners]) listener(prefix);
  }

  private warn(reason: string): void {
    if (reason === this.warned) return;
    this.warned = reason;
    const consequence = this.content === undefined ? '' : '; what was read before stays in force';
    process.emitWarning(`${this.path}: ${reason}${consequence}`, {
      type: 'ServalWarning',
      code: 'SERVAL_SERVICE_FILE',
    });
  }
}

interface FileStatus {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

function appearanceOf({ dev, ino, size, mtimeNs, ctimeNs }: FileStatus): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

async function readWhole(path: string): Promise<{ readonly appearance: string; readonly text: string }> {
  const file = await open(path);
  try {
    const status = await file.stat({ bigint: true });
    if (status.size > SERVICE_FILE_BYTES_MAXIMUM)
      throw new RangeError(`has more than ${SERVICE_FILE_BYTES_MAXIMUM} bytes`);
    return { appearance: appearanceOf(status), text: await file.readFile('utf8') };
  } finally {
    await file.close();
  }
}
