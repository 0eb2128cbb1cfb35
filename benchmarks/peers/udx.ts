// udx-native: streams over one UDP socket, in C. It has no handshake - both sides must know both numbers of a stream -
// so one round trip of its own datagrams tells them, the least that a user would have to add.

import { loadPackage } from '../measuring/packages';
import { type DuplexLike, duplexConnection, ignore, listenTo } from './duplex';
import type { Peer } from './peer';

let udx: Udx;
/** All streams of a process share it, as the package recommends. */
let socket: UdxSocket;
let lastId = 0;

export const udxPeer: Peer = {
  isEncrypted: false,
  prepare: async () => {
    const { default: UDX } = await loadPackage<{ readonly default: new () => Udx }>('udx-native');
    udx = new UDX();
    socket = udx.createSocket();
  },
  serve: async (address, accept, listening) => {
    socket.bind(0, address);
    socket.on('message', (request, from) => {
      const stream = openStream(request.readUInt32BE(), from.port, from.host);
      listenTo(stream, accept(duplexConnection(stream)), ignore);
      socket.trySend(uint32s(request.readUInt32BE(), stream.id), from.port, from.host);
    });
    listening(`${address}:${socket.address().port}`, 'udp');
  },
  connect: (target, _lane, events) =>
    new Promise((resolve, reject) => {
      const [host, port] = target.split(':') as [string, string];
      if (!socket.bound) listenForAnswers(host);
      const id = ++lastId;
      waiting.set(id, (remoteId) => {
        const stream = udx.createStream(id);
        stream.connect(socket, remoteId, Number(port), host);
        listenTo(stream, events, reject);
        resolve(duplexConnection(stream));
      });
      socket.trySend(uint32s(id), Number(port), host);
    }),
};

/** Clients that asked for a stream: what is done with the server's number of it. */
const waiting = new Map<number, (remoteId: number) => void>();

function listenForAnswers(host: string): void {
  socket.bind(0, host);
  socket.on('message', (answer) => {
    const id = answer.readUInt32BE();
    waiting.get(id)?.(answer.readUInt32BE(4));
    waiting.delete(id);
  });
}

function openStream(remoteId: number, port: number, host: string): UdxStream {
  const stream = udx.createStream(++lastId);
  stream.connect(socket, remoteId, port, host);
  // Not half open, like the others.
  stream.on('end', () => stream.end());
  return stream;
}

function uint32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

interface Udx {
  createSocket(): UdxSocket;
  createStream(id: number): UdxStream;
}

interface UdxSocket {
  readonly bound: boolean;
  bind(port: number, host: string): void;
  address(): { readonly port: number };
  trySend(message: Buffer, port: number, host: string): void;
  on(event: 'message', listener: (message: Buffer, from: { host: string; port: number }) => void): void;
}

type UdxStream = DuplexLike & {
  readonly id: number;
  connect(socket: UdxSocket, remoteId: number, port: number, host: string): void;
};
