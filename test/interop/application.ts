// The application on our side of a conversation: keeps what it is told, in order.

import type { DatagramObserver, DatagramSource, StreamHandle, StreamObserver } from '../../lib/driver/handles';
import type { ServalError } from '../../lib/errors';

export class StreamApplication implements StreamObserver {
  readonly told: string[] = [];
  handle: StreamHandle | undefined;
  private readonly chunks: Buffer[] = [];

  constructor(private readonly reads = true) {}

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Called in the middle of a conversation, to go on with it. */
  onData: (chunk: Buffer) => void = () => {};
  onEnded: () => void = () => {};

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

  writable(): void {}

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
