// The two that are compared, each used as its documentation says: unconnected, every datagram names where it goes.

import * as dgram from 'node:dgram';
import type { AddressInfo } from 'node:net';
import * as serval from '../../lib/index';

export const CONTENDER_NAMES = ['serval', 'dgram'] as const;
export type ContenderName = (typeof CONTENDER_NAMES)[number];

export interface Contender {
  /** Calls `listening` with what the client is to send to, and what carries the bytes. */
  serve(address: string, received: (message: Buffer, answer: Send) => void, listening: Listening): void;
  /** `received` gets what the server answers. */
  open(target: string, received: (message: Buffer) => void): Promise<Send>;
}

/** `sent` is called when the datagram has been handed on. */
export type Send = (message: Buffer, sent?: () => void) => void;
type Listening = (target: string, carrier: string) => void;

export const contenders: Readonly<Record<ContenderName, Contender>> = {
  serval: {
    serve: (_address, received, listening) => {
      const host = serval.createHost();
      const socket = serval.createSocket({ host });
      socket.on('message', (message, from) => received(message, (answer) => socket.send(answer, from)));
      socket.bind(SERVICE, () => {
        void host.ready.then(() => listening(SERVICE, [...new Set(host.linkKinds)].join(', ')));
      });
    },
    open: async (target, received) => {
      const host = serval.createHost();
      await host.ready;
      const socket = serval.createSocket({ host });
      socket.on('message', received);
      return (message, sent) => socket.send(message, target, sent);
    },
  },
  dgram: {
    serve: (address, received, listening) => {
      const socket = openSocket();
      socket.on('message', (message, { port, address: from }) => {
        received(message, (answer) => socket.send(answer, port, from));
      });
      socket.bind(0, address, () => listening(`${address}:${(socket.address() as AddressInfo).port}`, 'udp'));
    },
    open: async (target, received) => {
      const socket = openSocket();
      const [address, port] = target.split(':');
      socket.on('message', received);
      return (message, sent) => socket.send(message, Number(port), address!, sent);
    },
  },
};

/**
 * With the receive buffer that serval's link asks for, and without a look-up of what is an address already: both are
 * in its favour.
 */
function openSocket(): dgram.Socket {
  return dgram.createSocket({
    type: 'udp4',
    recvBufferSize: RECEIVE_BUFFER,
    lookup: (address, _options, callback) => callback(null, address, 4),
  });
}

const SERVICE = 'bench/datagram';
const RECEIVE_BUFFER = 4_194_304;
