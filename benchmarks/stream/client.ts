// The calling process of one measurement, which makes the traffic. Started by run.ts with its task; never by hand.

import type { Socket } from 'node:net';
import { contenders } from './contenders';
import type { MeasureName } from './messages';
import { counted, MESSAGE_BYTES, report, task } from './program';

/** Connects under way at a time. */
const CONCURRENCY = 16;
const CHUNK_BYTES = 65_536;
/** What is done before the measured time: code is compiled, windows have grown. */
const WARM_UP = { bytes: 500e6, roundTrips: 2000, requests: 4000 };
/** Milliseconds; a slow or busy machine does not get through all of it. */
const WARM_UP_MAXIMUM = 4000;

const call: Readonly<Record<MeasureName, () => void>> = { throughput, 'round-trip': roundTrip, connections, idle };

function connect(): Socket {
  return contenders[task.contender].connect(task.target!);
}

/** Writes as fast as it is taken. */
function throughput(): void {
  const chunk = Buffer.alloc(CHUNK_BYTES, 'serval');
  const socket = connect();
  const write = (): void => {
    while (socket.write(chunk));
  };
  socket.on('drain', write);
  socket.on('connect', () => {
    reportWhen(() => socket.bytesWritten >= WARM_UP.bytes);
    write();
  });
}

/** One message under way at a time. */
function roundTrip(): void {
  const message = Buffer.alloc(MESSAGE_BYTES, 'm');
  const socket = connect().setNoDelay(true);
  let missing = 0;
  let sentAt = 0;
  const send = (): void => {
    missing = MESSAGE_BYTES;
    sentAt = performance.now();
    socket.write(message);
  };
  socket.on('data', (chunk: Buffer) => {
    missing -= chunk.length;
    if (missing > 0) return;
    counted.roundTrips.push((performance.now() - sentAt) * 1000);
    send();
  });
  socket.on('connect', () => {
    reportWhen(() => counted.roundTrips.length >= WARM_UP.roundTrips);
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
      if (!hadError && answered === MESSAGE_BYTES) counted.requests++;
      next();
    });
    socket.on('error', fail);
  };
  reportWhen(() => counted.requests >= WARM_UP.requests);
  for (let count = 0; count < CONCURRENCY; count++) next();
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

function reportWhen(isWarm: () => boolean): void {
  const begun = performance.now();
  const look = setInterval(() => {
    if (!isWarm() && performance.now() - begun < WARM_UP_MAXIMUM) return;
    clearInterval(look);
    report({ kind: 'running' });
  }, 20);
}

/** A figure with failures in it would compare nothing. */
function fail(error: Error): void {
  report({ kind: 'failed', reason: error.message });
}

call[task.measure]();
