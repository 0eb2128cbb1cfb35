// serval, and the rival that its users have at hand.

import * as net from 'node:net';
import * as serval from '../../lib/index';
import type { Contender } from './contender';

export const contenders: Readonly<Record<'serval' | 'net', Contender>> = {
  serval: {
    serve: (_address, connection, listening) => {
      const host = serval.createHost();
      const server = serval.createServer({ host }, connection);
      server.listen(SERVICE, { backlog: BACKLOG }, () => {
        void host.ready.then(() => listening(SERVICE, [...new Set(host.linkKinds)].join(', ')));
      });
    },
    connect: (target) => serval.connect(target),
  },
  net: {
    serve: (address, connection, listening) => {
      const server = net.createServer(connection);
      server.listen({ host: address, port: 0, backlog: BACKLOG }, () => {
        listening(`${address}:${(server.address() as net.AddressInfo).port}`, 'tcp');
      });
    },
    connect: (target) => {
      const [host, port] = target.split(':');
      return net.connect({ host: host!, port: Number(port) });
    },
  },
};

const SERVICE = 'bench/stream';
const BACKLOG = 511;
