// One end of figure10, on the host that moves or on the one that stays. Never started by hand.

import { once } from 'node:events';
import { connect, listen } from '../measuring/movable-streams';
import { obey } from '../measuring/orders';
import { roundTripTo } from '../measuring/relayed-lines';
import { PacedStream } from './paced-stream';
import type { EndOrders, Task } from './task';

const { contender, rate } = JSON.parse(process.argv[2]!) as Task;
let stream: PacedStream | undefined;

obey<EndOrders>({
  roundTrip: async ({ address }) => ({ milliseconds: await roundTripTo(address) }),
  listen: async () => {
    await listen(contender, (socket) => (stream = new PacedStream(socket, rate)));
    return undefined;
  },
  connect: async ({ address }) => {
    const socket = connect(contender, address);
    await once(socket, 'connect');
    stream = new PacedStream(socket, rate);
    return undefined;
  },
  flow: async () => ({ isFlowing: stream?.isFlowing === true }),
  silence: async ({ from }) => stream!.silenceSince(from),
  progress: async ({ from }) => stream!.progressSince(from),
  stop: async () => {
    stream!.stop();
    return undefined;
  },
  balance: async () => stream!.balance,
  abandon: async () => {
    stream?.abandon();
    return undefined;
  },
});
