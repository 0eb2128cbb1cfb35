// The transfer that is not timed: pseudo-random bytes, which the server answers with the SHA-256 of what arrived.

import { createCipheriv, createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** The client's half: each size on a connection of its own, all at once. Rejects when a digest is not the right one. */
export async function transferAll(connect: () => Duplex, sizes: readonly number[]): Promise<void> {
  await Promise.all(sizes.map((bytes, index) => transfer(connect(), pseudoRandom(bytes, index))));
}

/** The server's half. Four bytes say how many follow; their digest is the answer. */
export function answerDigest(socket: Duplex): void {
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  let missing = Number.POSITIVE_INFINITY;
  socket.on('data', (chunk: Buffer) => {
    let bytes = chunk;
    if (head.length < HEAD_BYTES) {
      head = Buffer.concat([head, chunk]);
      if (head.length < HEAD_BYTES) return;
      missing = head.readUInt32BE();
      bytes = head.subarray(HEAD_BYTES);
    }
    hash.update(bytes);
    missing -= bytes.length;
    if (missing <= 0) socket.end(hash.digest());
  });
}

async function transfer(socket: Duplex, bytes: Buffer): Promise<void> {
  const answer: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => answer.push(chunk));
  const ended = once(socket, 'end');
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(bytes.length);
  socket.write(head);
  socket.write(bytes);
  await ended;
  socket.end();
  const expected = createHash('sha256').update(bytes).digest();
  if (expected.equals(Buffer.concat(answer))) return;
  throw new Error(`${bytes.length} bytes did not arrive as they were sent: their SHA-256 differs`);
}

/** The same in every run, and no two of them alike. */
function pseudoRandom(bytes: number, seed: number): Buffer {
  const key = Buffer.alloc(16, 'serval');
  const counter = Buffer.alloc(16);
  counter.writeUInt32BE(seed);
  return createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(bytes));
}

const HEAD_BYTES = 4;
