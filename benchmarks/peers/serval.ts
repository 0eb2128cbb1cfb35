// serval, as in the benchmark of streams.

import * as serval from '../../lib/index';
import { duplexConnection, ignore, listenTo } from './duplex';
import type { Peer } from './peer';

export const servalPeer: Peer = {
  isEncrypted: false,
  serve: async (_address, accept, listening) => {
    const host = serval.createHost();
    const server = serval.createServer({ host }, (socket) => {
      listenTo(socket, accept(duplexConnection(socket)), ignore);
    });
    server.listen(SERVICE, { backlog: BACKLOG });
    await host.ready;
    listening(SERVICE, [...new Set(host.linkKinds)].join(', '));
  },
  connect: (target, _lane, events) =>
    new Promise((resolve, reject) => {
      const socket = serval.connect(target);
      listenTo(socket, events, reject);
      socket.on('connect', () => resolve(duplexConnection(socket)));
    }),
};

const SERVICE = 'bench/peers';
const BACKLOG = 511;
