// One end of a transfer: server or client, over serval with several flows or over TCP sockets, which mptcpize makes MPTCP.
// The client takes the time, from before it connects until the last byte has come, or the server says that it has.

import { createHash } from 'node:crypto';
import net, { type Server, type Socket } from 'node:net';
import * as serval from '../../lib/index';
import { contentOf, TRANSFER_BYTES } from './mixes';

export interface EndTask {
  readonly end: 'server' | 'client';
  readonly contender: 'serval' | 'mptcp';
  readonly direction: 'up' | 'down';
  readonly address: string;
}

/** What it says: that it can be reached, or what it has measured. */
export interface EndReport {
  readonly isListening?: true;
  readonly seconds?: number;
  /** Of all that this end has received; only of the end that receives. */
  readonly digest?: string;
}

const PORT = 7878;
const SERVICE = 'bench/multipath';
const task = JSON.parse(process.argv[2] ?? 'null') as EndTask;
const content = contentOf(TRANSFER_BYTES);

process.on('disconnect', () => process.exit());

if (task.end === 'server') serve();
else connect();

function serve(): void {
  const receive = (socket: Socket): void => {
    const chunks: Buffer[] = [];
    socket.on('error', (error) => fail(error));
    socket.on('data', (chunk: Buffer) => {
      if (task.direction === 'up') chunks.push(chunk);
      else socket.end(content);
    });
    socket.on('end', () => {
      if (task.direction === 'down') return;
      socket.end('d');
      say({ digest: digestOf(chunks) });
    });
  };
  const listening = (): void => say({ isListening: true });
  if (task.contender === 'serval') {
    const listener = serval.createServer({ allowHalfOpen: true }, (socket) => receive(socket as unknown as Socket));
    listener.listen(SERVICE, listening);
  } else {
    const listener: Server = net.createServer({ allowHalfOpen: true }, receive);
    listener.listen(PORT, listening);
  }
}

function connect(): void {
  const begun = performance.now();
  const socket = open();
  const chunks: Buffer[] = [];
  socket.on('error', (error) => fail(error));
  socket.on('connect', () => {
    if (task.direction === 'up') socket.end(content);
    else socket.write('g');
  });
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => {
    const seconds = (performance.now() - begun) / 1000;
    socket.end();
    say(task.direction === 'down' ? { seconds, digest: digestOf(chunks) } : { seconds });
  });
}

function open(): Socket {
  if (task.contender === 'mptcp') return net.connect({ port: PORT, host: task.address, allowHalfOpen: true });
  return serval.connect(SERVICE, { multipath: true, allowHalfOpen: true }) as unknown as Socket;
}

function digestOf(chunks: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

function say(report: EndReport): void {
  process.send?.(report);
}

function fail(error: Error): void {
  console.error(`${task.end}, ${task.contender}: ${error.message}`);
  process.exit(1);
}
