// The server of figure9: takes what the clients send, or sends; and moves a flow when it is told to. Never started by hand.

import type { Socket } from 'node:net';
import type * as serval from '../../lib/index';
import { listen } from '../measuring/movable-streams';
import { obey } from '../measuring/orders';
import { Receiver, writeWithoutEnd } from './flow';
import type { ServerOrders, Task } from './task';

const { contender, direction } = JSON.parse(process.argv[2]!) as Task;
const sockets = new Map<number, Socket>();
const receivers = new Map<number, Receiver>();

/** The first byte says which flow it is. */
function accept(socket: Socket): void {
  socket.on('error', (error) => console.error(`server, ${contender}: ${error.message}`));
  socket.once('data', (first: Buffer) => {
    const flow = first[0]!;
    sockets.set(flow, socket);
    if (direction === 'down') return writeWithoutEnd(socket);
    const receiver = new Receiver();
    receivers.set(flow, receiver);
    receiver.take(first.subarray(1));
    socket.on('data', (chunk: Buffer) => receiver.take(chunk));
  });
}

obey<ServerOrders>({
  listen: async () => {
    await listen(contender, accept);
    return undefined;
  },
  move: async ({ flow, address }) => {
    await (sockets.get(flow) as unknown as serval.Socket).migrate({ address });
    return undefined;
  },
  report: async ({ origin }) =>
    Object.fromEntries([...receivers].map(([flow, receiver]) => [flow, receiver.report(origin)])),
});
