// The calling end. Started by first-packet with its task; never by hand.

import { once } from 'node:events';
import * as net from 'node:net';
import * as serval from '../../lib/index';
import { obey } from '../measuring/orders';
import { type ClientOrders, type ContenderName, PORT, type Task } from './task';

const task = JSON.parse(process.argv[2]!) as Task;
let connects = 0;

/** Behind DELAY each service is asked for in a directory that answers at once: what it costs to wait is what is seen. */
const directory: serval.Resolver = {
  resolve: async () => ({ instances: [task.address], lifetime: 60_000 }),
};
const resolvers = [{ prefix: 'first-packet/*', resolver: directory }];
const host = serval.createHost(task.way === 'delay' ? { resolvers } : {});

const connect: Readonly<Record<ContenderName, () => net.Socket>> = {
  serval: () => serval.connect(`first-packet/${connects++}`, { host }),
  net: () => net.connect({ host: task.address, port: PORT }),
};

obey<ClientOrders>({
  connect: async ({ contender, count }) => {
    await host.ready;
    const took: number[] = [];
    for (let index = 0; index < count; index++) {
      const begun = performance.now();
      const socket = connect[contender]();
      await once(socket, 'connect');
      took.push((performance.now() - begun) * 1000);
      socket.end();
      await once(socket, 'close');
    }
    return took;
  },
});
