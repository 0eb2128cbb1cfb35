// One end of a connection that must not be harmed, whatever others send.

import type { StreamHandle, StreamObserver } from '../../lib/driver/handles';

/** One end of an honest connection: writes a pattern, and checks the one it reads byte for byte. */
export class HonestEnd implements StreamObserver {
  written = 0;
  read = 0;
  hasEnded = false;
  isConnected = false;
  isClosed = false;
  failure = '';
  constructor(
    readonly handle: StreamHandle,
    private readonly salt: number,
  ) {
    handle.setObserver(this);
    handle.startReading();
  }

  write(count: number): void {
    const bytes = Buffer.alloc(count);
    for (let index = 0; index < count; index++) bytes[index] = patternAt(this.written + index, this.salt);
    this.written += this.handle.write(bytes);
  }

  data(chunk: Buffer): void {
    for (const byte of chunk)
      if (byte !== patternAt(this.read++, this.salt)) throw new Error(`wrong byte ${this.read}`);
  }

  connected(): void {
    this.isConnected = true;
  }

  writable(): void {}
  finished(): void {}
  ended(): void {
    this.hasEnded = true;
  }
  failed(error: { readonly code: string }): void {
    this.failure = error.code;
  }
  closed(): void {
    this.isClosed = true;
  }
}

function patternAt(offset: number, salt: number): number {
  return (offset * 31 + (offset >>> 8) + salt) & 0xff;
}

export const SILENT: StreamObserver = {
  connected() {},
  data() {},
  ended() {},
  writable() {},
  finished() {},
  failed() {},
  closed() {},
};
