// The two that are compared, behind what their APIs have in common: `serval` has the shape of `net`.

import type { Socket } from 'node:net';
import * as net from 'node:net';
import * as serval from '../../lib/index';

export const CONTENDER_NAMES = ['serval', 'net'] as const;
export type ContenderName = (typeof CONTENDER_NAMES)[number];

export interface Contender {
  /** Calls `listening` with what the client is to connect to, and what carries the bytes. */
  serve(address: string, connection: (socket: Socket) => void, listening: Listening): void;
  connect(target: string): Socket;
}

type Listening = (target: string, link: string) => void;

export const contenders: Readonly<Record<ContenderName, Contender>> = {
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
