// The serving process of one measurement. Started by run.ts with its task; never by hand.

import type { Socket } from 'node:net';
import { contenders } from './contenders';
import type { MeasureName } from './messages';
import { counted, MESSAGE_BYTES, report, task } from './program';

const serve: Readonly<Record<MeasureName, (socket: Socket) => void>> = {
  throughput: (socket) => {
    socket.on('data', (chunk: Buffer) => {
      counted.bytes += chunk.length;
    });
  },
  'round-trip': (socket) => {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => socket.write(chunk));
  },
  /** One request, one answer, and the end. */
  connections: (socket) => {
    let missing = MESSAGE_BYTES;
    socket.on('data', (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing > 0) return;
      counted.requests++;
      socket.end(answer);
    });
  },
  idle: (socket) => idle.push(socket),
};

const answer = Buffer.alloc(MESSAGE_BYTES, 'a');
/** Held, as a server holds those of its users. */
const idle: Socket[] = [];

contenders[task.contender].serve(
  task.address,
  (socket) => {
    // The client ends by being stopped.
    socket.on('error', () => {});
    serve[task.measure](socket);
  },
  (target, link) => report({ kind: 'listening', target, link }),
);
