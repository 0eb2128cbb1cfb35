// A server of the one file. Started by figure7 with its task, idle until it is told to listen; never by hand.

import type { Socket } from 'node:net';
import { clock } from '../measuring/clock';
import { obey } from '../measuring/orders';
import { type ContenderName, contenders } from './contenders';
import { fileOf, HEADER_BYTES, REQUEST_BYTES, type ServerOrders, type Task, WANTS_FILE } from './task';

const task = JSON.parse(process.argv[2]!) as Task;
const file = fileOf(task.fileBytes);
let firstConnectionAt: number | undefined;
let noteFirst: ((at: number) => void) | undefined;

const serving = contenders[task.contender as ContenderName].serve(task.address, (socket) => {
  if (firstConnectionAt === undefined) {
    firstConnectionAt = clock();
    noteFirst?.(firstConnectionAt);
  }
  answer(socket);
});

/** One request, one answer, and the end. */
function answer(socket: Socket): void {
  let missing = REQUEST_BYTES;
  let wanted: number | undefined;
  // The client counts what failed.
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    wanted ??= chunk[0];
    missing -= chunk.length;
    if (missing > 0) return;
    const body = wanted === WANTS_FILE ? file : NOTHING;
    socket.write(headerOf(body.length));
    socket.end(body);
  });
}

function headerOf(bytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(task.index, 0);
  header.writeUInt32BE(bytes, 4);
  return header;
}

const NOTHING = Buffer.alloc(0);

obey<ServerOrders>({
  listen: async () => {
    await serving.listen();
    return { listeningAt: clock() };
  },
  leave: async () => {
    await serving.leave();
    return { leftAt: clock() };
  },
  firstConnection: async () => {
    if (firstConnectionAt !== undefined) return { at: firstConnectionAt };
    return { at: await new Promise<number>((resolve) => (noteFirst = resolve)) };
  },
});
