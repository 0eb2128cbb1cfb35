// The serving process of one measurement. Started with its task; never by hand.

import { createHash } from 'node:crypto';
import { beginTask, counted, fail, report } from '../measuring/measured-program';
import { contenderOf } from './contenders';
import type { Chunk, ConnectionEvents, PeerConnection } from './peer';
import { MESSAGE_BYTES, type Task, VERIFIED_BYTES } from './task';

const task = beginTask<Task>();

const accept: Readonly<Record<Task['measure'], (connection: PeerConnection) => ConnectionEvents['received']>> = {
  throughput:
    () =>
    ({ byteLength }) => {
      counted.bytes += byteLength;
    },
  /** One request, one answer, and the end. */
  connections: (connection) =>
    behind(
      MESSAGE_BYTES,
      () => {},
      () => {
        connection.write(answer);
        connection.end();
      },
    ),
  /** The answer is the digest of what arrived. */
  verify: (connection) => {
    const hash = createHash('sha256');
    const received = (chunk: Chunk): void => void hash.update(chunk.subarray());
    return behind(VERIFIED_BYTES, received, () => {
      connection.write(hash.digest());
      connection.end();
    });
  },
};

/** Calls `complete` once so many bytes have been given to `received`. */
function behind(bytes: number, received: ConnectionEvents['received'], complete: () => void) {
  let missing = bytes;
  return (chunk: Chunk): void => {
    if (missing <= 0) return;
    received(chunk);
    missing -= chunk.byteLength;
    if (missing <= 0) complete();
  };
}

const answer = Buffer.alloc(MESSAGE_BYTES, 'a');

async function serve(): Promise<void> {
  const contender = await contenderOf(task.contender);
  const events = (connection: PeerConnection) => ({ received: accept[task.measure](connection), drained: () => {} });
  await contender.serve(task.address, events, (target, carrier) => report({ kind: 'listening', target, carrier }));
}

serve().catch(fail);
