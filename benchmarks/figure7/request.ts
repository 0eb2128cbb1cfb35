// One request: a connection, 64 bytes there, and the answer, of which every byte is compared.

import type { Socket } from 'node:net';
import { clock } from '../measuring/clock';
import { HEADER_BYTES, REQUEST_BYTES, WANTS_FILE, WANTS_NOTHING } from './task';

export interface Answer {
  /** Why it failed; `undefined` when all is there and right. */
  readonly reason: string | undefined;
  /** Who answered. */
  readonly server: number | undefined;
  /** Milliseconds that the connect took. */
  readonly connected: number | undefined;
}

/** Asks for the file `expected`, or without one for nothing but who answers. `arrived` hears what comes. */
export function request(
  connect: () => Socket,
  expected: Buffer | undefined,
  arrived?: (server: number, bytes: number) => void,
): Promise<Answer> {
  return new Promise((resolve) => {
    const startedAt = clock();
    const socket = connect();
    let connected: number | undefined;
    let reason: string | undefined;
    const received = new Received(expected);
    socket.on('connect', () => {
      connected = clock() - startedAt;
      socket.write(expected === undefined ? ASK_WHO : ASK_FILE);
    });
    socket.on('data', (chunk: Buffer) => {
      if (!received.take(chunk)) socket.destroy(new Error('other bytes came than were sent'));
      else if (received.server !== undefined) arrived?.(received.server, chunk.length);
    });
    socket.setTimeout(SILENCE_MAXIMUM, () => socket.destroy(new Error(`silence for ${SILENCE_MAXIMUM} ms`)));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message;
    });
    socket.on('close', () => {
      if (reason === undefined && !received.isComplete) reason = `ended after ${received.bytes} bytes`;
      resolve({ reason, server: received.server, connected });
    });
  });
}

/** What came of an answer. */
class Received {
  bytes = 0;
  server: number | undefined;
  private header: Buffer | undefined = Buffer.alloc(0);
  private length: number | undefined;

  constructor(private readonly expected: Buffer | undefined) {}

  get isComplete(): boolean {
    return this.bytes === this.length;
  }

  /** False when these are not the bytes of the file. */
  take(chunk: Buffer): boolean {
    const body = this.header === undefined ? chunk : this.takeHeader(chunk);
    const at = this.bytes;
    this.bytes += body.length;
    if (this.length === undefined) return true;
    if (this.bytes > this.length || this.length !== (this.expected?.length ?? 0)) return false;
    return this.expected === undefined || body.equals(this.expected.subarray(at, this.bytes));
  }

  /** Gives what is behind it. */
  private takeHeader(chunk: Buffer): Buffer {
    const all = Buffer.concat([this.header!, chunk]);
    this.header = all;
    if (all.length < HEADER_BYTES) return all.subarray(all.length);
    this.header = undefined;
    this.server = all.readUInt32BE(0);
    this.length = all.readUInt32BE(4);
    return all.subarray(HEADER_BYTES);
  }
}

const ASK_FILE = Buffer.alloc(REQUEST_BYTES, WANTS_FILE);
const ASK_WHO = Buffer.alloc(REQUEST_BYTES, WANTS_NOTHING);
/** Milliseconds without a byte after which a request has failed. */
const SILENCE_MAXIMUM = 10_000;
