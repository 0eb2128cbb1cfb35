// The serving process of one measurement. Started by compare.ts with its task; never by hand.

import type { Socket } from 'node:net';
import { beginTask, counted, report } from '../measuring/measured-program';
import { contenderOf } from './contender';
import { MESSAGE_BYTES, type Task } from './task';
import { answerDigest } from './verified-transfer';

const task = beginTask<Task>();

const serve: Readonly<Record<Task['measure'], (socket: Socket) => void>> = {
  throughput: count,
  parallel: count,
  'round-trip': echo,
  spin: echo,
  messages: echo,
  connections: answerOnce,
  idle: (socket) => idle.push(socket),
  verify: answerDigest,
};

function count(socket: Socket): void {
  const index = counted.streams.push(0) - 1;
  socket.on('data', (chunk: Buffer) => {
    counted.bytes += chunk.length;
    counted.streams[index]! += chunk.length;
  });
}

function echo(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => socket.write(chunk));
}

/** One request, one answer, and the end. */
function answerOnce(socket: Socket): void {
  let missing = MESSAGE_BYTES;
  socket.on('data', (chunk: Buffer) => {
    missing -= chunk.length;
    if (missing > 0) return;
    counted.operations++;
    socket.end(answer);
  });
}

const answer = Buffer.alloc(MESSAGE_BYTES, 'a');
/** Held, as a server holds those of its users. */
const idle: Socket[] = [];

void contenderOf(task).then((contender) => {
  contender.serve(
    task.address,
    (socket) => {
      // The client ends by being stopped.
      socket.on('error', () => {});
      serve[task.measure](socket);
    },
    (target, carrier) => report({ kind: 'listening', target, carrier }),
  );
});
