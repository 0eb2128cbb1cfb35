// A client of figure9: one flow, which carries without end. Never started by hand.

import { once } from 'node:events';
import { connect } from '../measuring/movable-streams';
import { obey } from '../measuring/orders';
import { roundTripTo } from '../measuring/relayed-lines';
import { Receiver, writeWithoutEnd } from './flow';
import type { ClientOrders, Received, Task } from './task';

const { contender, direction } = JSON.parse(process.argv[2]!) as Task;
let report: (origin: number) => Received = () => ({});

obey<ClientOrders>({
  roundTrip: async ({ address }) => ({ milliseconds: await roundTripTo(address) }),
  connect: async ({ flow, address }) => {
    const socket = connect(contender, address);
    await once(socket, 'connect');
    socket.on('error', (error) => console.error(`client ${flow}, ${contender}: ${error.message}`));
    socket.write(Buffer.of(flow));
    if (direction === 'up') {
      writeWithoutEnd(socket);
      return undefined;
    }
    const receiver = new Receiver();
    socket.on('data', (chunk: Buffer) => receiver.take(chunk));
    report = (origin) => ({ [flow]: receiver.report(origin) });
    return undefined;
  },
  report: async ({ origin }) => report(origin),
});
