// A datagram socket in a story: sends numbered messages, answers some of those it gets, and checks that
// nothing arrives that nobody sent to it.

import type { DatagramHandle, DatagramObserver, DatagramSource, SocketHost } from '../../lib/driver/handles';
import type { ServalError } from '../../lib/errors';
import type { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { HEAD_BYTES, patternBytes, readHead } from './byte-pattern';

interface Letter {
  readonly from: string;
  /** A service, or the name of the socket that is answered. */
  readonly to: string;
  readonly length: number;
}

/** What was sent by whom to whom, of one story. */
export class Post {
  private readonly letters = new Map<number, Letter>();
  private nextKey = 1;

  get size(): number {
    return this.letters.size;
  }

  /** A message nobody has sent before. */
  write(from: DatagramActor, to: string, length: number): Buffer {
    const key = this.nextKey++;
    this.letters.set(key, { from: from.name, to, length });
    return patternBytes(key, length, 0, length);
  }

  /** The letter that somebody sent to that socket with exactly these bytes. */
  recognize(bytes: Buffer, to: DatagramActor): { key: number; from: string } | undefined {
    if (bytes.length < HEAD_BYTES) return undefined;
    const { key, length } = readHead(bytes);
    const letter = this.letters.get(key);
    if (letter === undefined || letter.length !== bytes.length || !to.answersTo(letter.to)) return undefined;
    return patternBytes(key, length, 0, length).equals(bytes) ? { key, from: letter.from } : undefined;
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

  answersTo(name: string): boolean {
    return name === this.name || name === String(this.handle.localServiceID);
  }

  /** Sends `length` bytes to the service, or on the connection to it. */
  send(length: number, service: ServiceID, connected = false): ServalError | undefined {
    return this.dispatch(this.post.write(this, String(service), length), connected ? undefined : service);
  }

  message(bytes: Buffer, from: DatagramSource): void {
    this.expect(!this.isClosed, 'no message after closed');
    const letter = this.post.recognize(bytes, this);
    this.expect(letter !== undefined, `only what was sent to it, not ${bytes.length} bytes from ${from.serviceID}`);
    this.arrived.push(letter!.key);
    if (this.echoes) this.dispatch(this.post.write(this, letter!.from, bytes.length), from);
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

  private dispatch(bytes: Buffer, target: ServiceID | DatagramSource | undefined): ServalError | undefined {
    const { key } = readHead(bytes);
    const error = this.handle.send(bytes, target);
    if (error === undefined) this.sentKeys.push(key);
    else this.errors.push(error);
    bytes.fill(0);
    return error;
  }

  private expect(holds: boolean, what: string): void {
    if (!holds) throw new Error(`datagram socket ${this.name}: expected ${what}`);
  }
}
