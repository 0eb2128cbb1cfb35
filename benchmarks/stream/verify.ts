// The transfer that is not timed: pseudo-random bytes, of which the server answers with the SHA-256 that it found.

import { createCipheriv, createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fail, report } from '../measuring/measured-program';
import { VERIFIED_BYTES } from './task';

/** All at once; reports when every digest was right. */
export function verify(connect: () => Socket): void {
  Promise.all(VERIFIED_BYTES.map((bytes, index) => transfer(connect(), pseudoRandom(bytes, index)))).then(() => {
    report({ kind: 'verified', bytes: VERIFIED_BYTES.reduce((sum, bytes) => sum + bytes, 0) });
  }, fail);
}

async function transfer(socket: Socket, bytes: Buffer): Promise<void> {
  const answer: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => answer.push(chunk));
  const ended = once(socket, 'end');
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  socket.write(head);
  socket.write(bytes);
  await ended;
  socket.end();
  const expected = createHash('sha256').update(bytes).digest();
  if (!expected.equals(Buffer.concat(answer))) {
    throw new Error(`${bytes.length} bytes did not arrive as they were sent: their SHA-256 differs`);
  }
}

/** The same in every run, and no two of them alike. */
function pseudoRandom(bytes: number, seed: number): Buffer {
  const key = Buffer.alloc(16, 'serval');
  const counter = Buffer.alloc(16);
  counter.writeUInt32BE(seed);
  return createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(bytes));
}
