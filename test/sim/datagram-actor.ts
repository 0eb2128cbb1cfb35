// A datagram socket in a story: sends numbered messages, answers some of those it gets, and checks that
// nothing arrives that nobody sent to it.

import type { DatagramHandle, DatagramObserver, DatagramSource, SocketHost } from '../../lib/driver/handles';
import type { ServalError } from '../../lib/errors';
import type { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { HEAD_BYTES, patternBytes, readHead } from './byte-pattern';

/** What was sent to whom, of one story. */
export class Post {
  private readonly letters = new Map<number, { readonly to: string; readonly length: number }>();
  private nextKey = 1;

  write(to: ServiceID, length: number): Buffer {
    const key = this.nextKey++;
    this.letters.set(key, { to: String(to), length });
    return patternBytes(key, length, 0, length);
  }

  /** The key of a message that arrived, if somebody sent exactly these bytes to that service. */
  recognize(bytes: Buffer, to: ServiceID): number | undefined {
    if (bytes.length < HEAD_BYTES) return undefined;
    const { key, length } = readHead(bytes);
    const letter = this.letters.get(key);
    if (letter === undefined || letter.length !== bytes.length || letter.to !== String(to)) return undefined;
    return patternBytes(key, length, 0, length).equals(bytes) ? key : undefined;
  }
}

export class DatagramActor implements DatagramObserver {
  readonly handle: DatagramHandle;
  /** Keys of what arrived, duplicates included. */
  readonly arrived: number[] = [];
  readonly sentKeys: number[] = [];
  readonly errors: ServalError[] = [];
  isConnected = false;
  isClosed = false;
  failure: ServalError | undefined;

  constructor(
    readonly name: string,
    host: SocketHost,
    readonly prefix: ServicePrefix | undefined,
    private readonly post: Post,
    /** Whether it sends every message back to where it came from. */
    private readonly echoes = false,
  ) {
    this.handle = host.openDatagram(prefix, this);
  }

  /** Sends `length` bytes to `target`, or to the connected peer's service `as`. */
  send(length: number, target: ServiceID, connected = false): ServalError | undefined {
    const bytes = this.post.write(target, length);
    const error = this.handle.send(bytes, connected ? undefined : target);
    if (error === undefined) this.sentKeys.push(readHead(bytes).key);
    else this.errors.push(error);
    return error;
  }

  message(bytes: Buffer, from: DatagramSource): void {
    this.expect(!this.isClosed, 'no message after closed');
    const key = this.post.recognize(bytes, this.handle.localServiceID);
    this.expect(key !== undefined, `a message that was sent to it, not ${bytes.length} bytes from ${from.serviceID}`);
    this.arrived.push(key!);
    if (this.echoes) this.send(bytes.length, from.serviceID);
  }

  connected(): void {
    this.expect(!this.isConnected && !this.isClosed, 'connected once, while open');
    this.isConnected = true;
  }

  failed(error: ServalError): void {
    this.expect(!this.isClosed, 'no failure after closed');
    this.failure = error;
  }

  closed(): void {
    this.expect(!this.isClosed, 'closed once');
    this.isClosed = true;
  }

  private expect(holds: boolean, what: string): void {
    if (!holds) throw new Error(`datagram socket ${this.name}: expected ${what}`);
  }
}
