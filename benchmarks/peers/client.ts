// The calling process of one measurement, which makes the traffic. Started with its task; never by hand.

import { createHash, randomBytes } from 'node:crypto';
import { beginTask, counted, fail, report, reportWhen } from '../measuring/measured-program';
import { contenderOf } from './contenders';
import type { Peer, PeerConnection } from './peer';
import { MESSAGE_BYTES, type Task, VERIFIED_BYTES } from './task';

/** Connections under way at a time. */
const LANES = 16;
const CHUNK_BYTES = 65_536;
/** Milliseconds of the same traffic before the measured time: as long for the slow as for the fast. */
const WARM_UP = 1500;
const DIGEST_BYTES = 32;

const task = beginTask<Task>();
let peer: Peer;

const call: Readonly<Record<Task['measure'], () => Promise<unknown>>> = { throughput, connections, verify };

/** Writes as fast as it is taken. */
async function throughput(): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES, 'serval');
  const write = (): void => {
    while (connection.write(chunk));
  };
  const connection = await peer.connect(task.target!, 0, { received: () => {}, drained: write });
  reportWhen(() => false, WARM_UP);
  write();
}

/** In each lane: connect, a request, its answer, and the end; then the next. A failed one fails the run. */
async function connections(): Promise<void> {
  const request = Buffer.alloc(MESSAGE_BYTES, 'r');
  const lane = async (number: number): Promise<void> => {
    for (;;) {
      await exchange(number, (connection) => connection.write(request), MESSAGE_BYTES);
      counted.operations++;
    }
  };
  reportWhen(() => false, WARM_UP);
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
}

async function verify(): Promise<void> {
  const bytes = randomBytes(VERIFIED_BYTES);
  const digest = await exchange(0, (connection) => connection.write(bytes), DIGEST_BYTES);
  if (!createHash('sha256').update(bytes).digest().equals(digest)) {
    throw new Error('bytes did not arrive as they were sent: their SHA-256 differs');
  }
  report({ kind: 'verified' });
}

/** A new connection, what is asked on it, and so many bytes of an answer. */
async function exchange(lane: number, ask: (connection: PeerConnection) => void, bytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let missing = bytes;
  let answered!: () => void;
  const isAnswered = new Promise<void>((resolve) => {
    answered = resolve;
  });
  const connection = await peer.connect(task.target!, lane, {
    received: (chunk) => {
      parts.push(chunk.subarray());
      missing -= chunk.byteLength;
      if (missing <= 0) answered();
    },
    drained: () => {},
  });
  ask(connection);
  await isAnswered;
  await connection.close();
  return Buffer.concat(parts);
}

async function begin(): Promise<void> {
  peer = await contenderOf(task.contender);
  await call[task.measure]();
}

begin().catch(fail);
