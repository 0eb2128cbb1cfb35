// libp2p, by TCP with Noise and Yamux, and by QUIC: the two sets of modules that its documentation shows for Node.
// A connection here is a new one of libp2p with one stream; its limits on strangers are lifted.

import { loadPackage } from '../measuring/packages';
import type { Chunk, ConnectionEvents, Peer, PeerConnection } from './peer';

export const libp2pTcp: Peer = peerOver({
  carrier: 'tcp',
  listenAt: (address) => `/ip4/${address}/tcp/0`,
  load: async () => ({
    transports: [(await loadPackage<Modules>('@libp2p/tcp')).tcp()],
    connectionEncrypters: [(await loadPackage<Modules>('@chainsafe/libp2p-noise')).noise()],
    streamMuxers: [(await loadPackage<Modules>('@chainsafe/libp2p-yamux')).yamux()],
  }),
});

/** QUIC encrypts and multiplexes by itself. */
export const libp2pQuic: Peer = peerOver({
  carrier: 'udp',
  listenAt: (address) => `/ip4/${address}/udp/0/quic-v1`,
  load: async () => ({ transports: [(await loadPackage<Modules>('@chainsafe/libp2p-quic')).quic()] }),
});

interface Transport {
  readonly carrier: string;
  listenAt(address: string): string;
  load(): Promise<object>;
}

function peerOver({ carrier, listenAt, load }: Transport): Peer {
  /** One for each lane: a node joins two calls of one peer into one connection. */
  const clients = new Map<number, Promise<Node>>();
  const start = async (listen: readonly string[]): Promise<Node> => {
    addWithResolvers();
    const { createLibp2p } = await loadPackage<Libp2p>('libp2p');
    return createLibp2p({ addresses: { listen }, ...(await load()), ...UNLIMITED });
  };
  return {
    isEncrypted: true,
    serve: async (address, accept, listening) => {
      const node = await start([listenAt(address)]);
      await node.handle(PROTOCOL, (stream, connection) => {
        listenTo(stream, accept(connectionOf(stream, connection)));
        stream.addEventListener('remoteCloseWrite', () => void stream.close().catch(() => {}));
      });
      listening(String(node.getMultiaddrs()[0]), carrier);
    },
    connect: async (target, lane, events) => {
      const { multiaddr } = await loadPackage<Multiaddr>('@multiformats/multiaddr');
      if (!clients.has(lane)) clients.set(lane, start([]));
      const node = await clients.get(lane)!;
      const connection = await node.dial(multiaddr(target), { force: true });
      const stream = await connection.newStream(PROTOCOL);
      listenTo(stream, events);
      return connectionOf(stream, connection);
    },
  };
}

function connectionOf(stream: Stream, connection: Connection): PeerConnection {
  return {
    write: (chunk) => stream.send(chunk),
    end: () => void stream.close().catch(() => {}),
    close: () => connection.close(),
  };
}

function listenTo(stream: Stream, events: ConnectionEvents): void {
  stream.addEventListener('message', ({ data }) => events.received(data!));
  stream.addEventListener('drain', () => events.drained());
}

/** libp2p wants it, and Node 20 has none. */
function addWithResolvers(): void {
  const shimmed = Promise as { withResolvers?: unknown };
  shimmed.withResolvers ??= <T>() => {
    let resolve!: (value: T) => void;
    let reject!: (reason: unknown) => void;
    const promise = new Promise<T>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    return { promise, resolve, reject };
  };
}

const PROTOCOL = '/bench/1.0.0';
/** By default a server takes five new connections a second from one address. Nothing is pinged meanwhile. */
const UNLIMITED = {
  connectionManager: { maxConnections: 1e5, inboundConnectionThreshold: 1e9, maxIncomingPendingConnections: 1e5 },
  connectionMonitor: { enabled: false },
};

interface Libp2p {
  createLibp2p(options: object): Promise<Node>;
}

interface Multiaddr {
  multiaddr(text: string): object;
}

type Modules = Readonly<Record<'tcp' | 'quic' | 'noise' | 'yamux', () => unknown>>;

interface Node {
  getMultiaddrs(): readonly object[];
  handle(protocol: string, handler: (stream: Stream, connection: Connection) => void): Promise<void>;
  dial(address: object, options: { readonly force: boolean }): Promise<Connection>;
}

interface Connection {
  newStream(protocol: string): Promise<Stream>;
  close(): Promise<void>;
}

interface Stream {
  send(chunk: Uint8Array): boolean;
  close(): Promise<void>;
  addEventListener(event: string, listener: (event: { readonly data?: Chunk }) => void): void;
}
