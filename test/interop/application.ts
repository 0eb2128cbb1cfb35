// The application on our side of a conversation: keeps what it is told, in order.

import type { DatagramObserver, DatagramSource, StreamHandle, StreamObserver } from '../../lib/driver/handles';
import type { ServalError } from '../../lib/errors';

export class StreamApplication implements StreamObserver {
  readonly told: string[] = [];
  handle: StreamHandle | undefined;
  private readonly chunks: Buffer[] = [];
  private unwritten = Buffer.alloc(0);
  private isEnding = false;

  constructor(private readonly reads = true) {}

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Called in the middle of a conversation, to go on with it. */
  onData: (chunk: Buffer) => void = () => {};
  onEnded: () => void = () => {};

  /** Before there is a connection nothing is taken: the rest goes when there is room. */
  write(bytes: Buffer): void {
    this.unwritten = Buffer.concat([this.unwritten, bytes]);
    this.writable();
  }

  end(): void {
    this.isEnding = true;
    this.writable();
  }

  take(handle: StreamHandle): void {
    this.handle = handle;
    handle.setObserver(this);
  }

  connected(): void {
    this.told.push('connected');
    if (this.reads) this.handle!.startReading();
  }

  data(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.onData(chunk);
  }

  ended(): void {
    this.told.push('ended');
    this.onEnded();
  }

  writable(): void {
    this.unwritten = this.unwritten.subarray(this.handle!.write(this.unwritten));
    if (this.isEnding && this.unwritten.length === 0) this.handle!.shutdown();
  }

  finished(): void {
    this.told.push('finished');
  }

  failed(error: ServalError): void {
    this.told.push(error.code);
  }

  closed(): void {
    this.told.push('closed');
  }
}

export class DatagramApplication implements DatagramObserver {
  readonly told: string[] = [];
  readonly messages: { readonly text: string; readonly bytes: Buffer; readonly from: DatagramSource }[] = [];

  message(bytes: Buffer, from: DatagramSource): void {
    this.messages.push({ text: bytes.toString(), bytes, from });
  }

  connected(): void {
    this.told.push('connected');
  }

  failed(error: ServalError): void {
    this.told.push(error.code);
  }

  closed(): void {
    this.told.push('closed');
  }
}
