// The calling process of one measurement, which makes the traffic. Started by compare.ts with its task; never by hand.

import type { Socket } from 'node:net';
import { beginTask, counted, fail, report, reportWhen } from '../measuring/measured-program';
import { type Contender, contenderOf } from './contender';
import { MESSAGE_BYTES, PARALLEL_STREAMS, type Task, VERIFIED_BYTES } from './task';
import { transferAll } from './verified-transfer';

/** Connects under way at a time. */
const CONCURRENCY = 16;
/** Connections that each have one message under way. */
const MESSAGE_CONNECTIONS = 256;
const CHUNK_BYTES = 65_536;
/** What is done before the measured time: code is compiled, windows have grown. */
const WARM_UP = { roundTrips: 2000, requests: 4000, messages: 50_000 };
/** Milliseconds; a slow or busy machine does not get through all of it. */
const WARM_UP_MAXIMUM = 4000;

const task = beginTask<Task>();
let contender: Contender;

const call: Readonly<Record<Task['measure'], () => void>> = {
  throughput: () => stream(1),
  parallel: () => stream(PARALLEL_STREAMS),
  'round-trip': roundTrip,
  spin: roundTrip,
  connections,
  messages,
  idle,
  verify,
};

function connect(): Socket {
  return contender.connect(task.target!);
}

/** Writes to each as fast as it is taken. */
function stream(streams: number): void {
  const chunk = Buffer.alloc(CHUNK_BYTES, 'serval');
  const sockets = Array.from({ length: streams }, connect);
  for (const socket of sockets) {
    const write = (): void => {
      while (socket.write(chunk));
    };
    socket.on('error', fail);
    socket.on('drain', write);
    socket.on('connect', write);
  }
  const written = (): number => sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0);
  reportWhen(() => sockets.every(({ connecting }) => !connecting) && written() >= task.warmUpBytes, WARM_UP_MAXIMUM);
}

/** One message under way at a time. */
function roundTrip(): void {
  let sentAt = 0;
  pingPong(connect(), {
    send: () => {
      sentAt = performance.now();
    },
    received: () => counted.roundTrips.push((performance.now() - sentAt) * 1000),
  });
  reportWhen(() => counted.roundTrips.length >= WARM_UP.roundTrips, WARM_UP_MAXIMUM);
}

/** Many connections are open, and each has one message under way. */
function messages(): void {
  const received = (): void => {
    counted.operations++;
  };
  for (let count = 0; count < MESSAGE_CONNECTIONS; count++) pingPong(connect(), { send: () => {}, received });
  reportWhen(() => counted.operations >= WARM_UP.messages, WARM_UP_MAXIMUM);
}

/** Sends a message when the one before it has come back. */
function pingPong(socket: Socket, told: { send(): void; received(): void }): void {
  const message = Buffer.alloc(MESSAGE_BYTES, 'm');
  let missing = 0;
  const send = (): void => {
    missing = MESSAGE_BYTES;
    told.send();
    socket.write(message);
  };
  socket.setNoDelay(true);
  socket.on('error', fail);
  socket.on('connect', send);
  socket.on('data', (chunk: Buffer) => {
    missing -= chunk.length;
    if (missing > 0) return;
    told.received();
    send();
  });
}

/** Connect, a request, its answer, and the end of both sides; then the next. */
function connections(): void {
  const request = Buffer.alloc(MESSAGE_BYTES, 'r');
  const next = (): void => {
    const socket = connect();
    let answered = 0;
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk: Buffer) => {
      answered += chunk.length;
    });
    socket.on('close', (hadError) => {
      if (!hadError && answered === MESSAGE_BYTES) counted.operations++;
      next();
    });
    socket.on('error', fail);
  };
  reportWhen(() => counted.operations >= WARM_UP.requests, WARM_UP_MAXIMUM);
  for (let count = 0; count < CONCURRENCY; count++) next();
}

function verify(): void {
  transferAll(connect, VERIFIED_BYTES).then(() => report({ kind: 'verified' }), fail);
}

/** Opens all connections and leaves them alone. */
function idle(): void {
  let opened = 0;
  let connected = 0;
  const next = (): void => {
    if (opened++ >= task.connections) return;
    const socket = connect();
    socket.on('error', fail);
    socket.on('connect', () => {
      if (++connected === task.connections) report({ kind: 'running' });
      next();
    });
  };
  for (let count = 0; count < CONCURRENCY; count++) next();
}

void contenderOf(task).then((loaded) => {
  contender = loaded;
  call[task.measure]();
});
