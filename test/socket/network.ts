// The same story on two networks: `node:net` over loopback and serval over the host in memory.

import { once } from 'node:events';
import net from 'node:net';
import type { SocketHost } from '../../lib/driver/handles';
import { createServer } from '../../lib/socket/connections';
import { StreamSocket } from '../../lib/socket/stream-socket';
import { MemoryHost } from './memory-host';

export interface NetworkServer {
  readonly server: net.Server;
  /** A socket that has not called `connect` yet. */
  socket(options?: object): net.Socket;
  connect(socket: net.Socket, listener?: () => void): net.Socket;
}

export interface Network {
  readonly name: string;
  listen(options: object): Promise<NetworkServer>;
  /** A socket whose attempt will be refused. */
  refused(): net.Socket;
}

export const overNet: Network = {
  name: 'net',
  async listen(options) {
    const server = net.createServer(options);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const port = (server.address() as net.AddressInfo).port;
    return {
      server,
      socket: (socketOptions) => new net.Socket(socketOptions),
      connect: (socket, listener) => socket.connect({ port, host: '127.0.0.1' }, listener),
    };
  },
  // Port 1 of loopback: nobody listens there.
  refused: () => new net.Socket().connect(1, '127.0.0.1'),
};

export const overServal = overHost('serval', () => new MemoryHost());

/** Serval on hosts that `makeHost` makes, one for each server and its clients. */
export function overHost(name: string, makeHost: () => SocketHost): Network {
  return {
    name,
    async listen(options) {
      const host = makeHost();
      const server = createServer('test/order', { host, ...options });
      await once(server.listen(), 'listening');
      return {
        server: server as unknown as net.Server,
        socket: (socketOptions) => new StreamSocket({ host, ...socketOptions }),
        connect: (socket, listener) => (socket as StreamSocket).connect('test/order', listener),
      };
    },
    refused: () => new StreamSocket({ host: makeHost() }).connect('test/nobody'),
  };
}
