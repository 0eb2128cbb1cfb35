// The serving end: takes connections and lets the client end them. Started by first-packet with its task; never by hand.

import { once } from 'node:events';
import * as net from 'node:net';
import * as serval from '../../lib/index';
import { obey } from '../measuring/orders';
import { PORT, SCOPE, type ServerOrders, type Task } from './task';

const task = JSON.parse(process.argv[2]!) as Task;

function take(socket: net.Socket): void {
  socket.on('error', () => {});
  socket.resume();
}

obey<ServerOrders>({
  listen: async () => {
    const tcp = net.createServer(take).listen({ host: task.address, port: PORT, backlog: 511 });
    await once(tcp, 'listening');
    await once(serval.createServer(take).listen(SCOPE), 'listening');
    return undefined;
  },
});
