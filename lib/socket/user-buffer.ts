// The `onread` option of `net.Socket`: incoming bytes go into a buffer of the application's and are announced
// to its callback; the stream itself then yields no data.

export interface OnReadOptions {
  /** One buffer that is used again and again, or a function that gives the buffer for each read. */
  buffer: Uint8Array | (() => Uint8Array);
  /** Returning false pauses the socket. */
  callback(bytesWritten: number, buffer: Uint8Array): boolean;
}

export class UserBuffer {
  private rest: Uint8Array | undefined;
  private target: Uint8Array;

  constructor(private readonly options: OnReadOptions) {
    this.target = nextBuffer(options);
  }

  /** `undefined` where Node ignores the option: no buffer, or no callback. */
  static from(options: OnReadOptions | null | undefined): UserBuffer | undefined {
    if (options === null || typeof options !== 'object' || typeof options.callback !== 'function') return undefined;
    if (typeof options.buffer !== 'function' && !(options.buffer instanceof Uint8Array)) return undefined;
    return new UserBuffer(options);
  }

  /** Hands the bytes over piece by piece. False when the callback asked to pause; the rest is kept. */
  deliver(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      const length = Math.min(this.target.length, chunk.length - at);
      if (length === 0) throw new RangeError('the buffer of the onread option is empty');
      this.target.set(chunk.subarray(at, at + length));
      at += length;
      const filled = this.target;
      const goOn = this.options.callback(length, filled) !== false;
      this.target = nextBuffer(this.options, filled);
      if (!goOn) {
        this.rest = at < chunk.length ? chunk.subarray(at) : undefined;
        return false;
      }
    }
    return true;
  }

  /** Hands over what a pause kept back. False when that paused again. */
  deliverRest(): boolean {
    const rest = this.rest;
    this.rest = undefined;
    return rest === undefined || this.deliver(rest);
  }
}

function nextBuffer(options: OnReadOptions, current?: Uint8Array): Uint8Array {
  if (typeof options.buffer !== 'function') return options.buffer;
  const next = options.buffer();
  if (next instanceof Uint8Array) return next;
  return current ?? new Uint8Array(0);
}
