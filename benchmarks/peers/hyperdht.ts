// hyperdht: encrypted connections to a public key, over udx-native. Its network is three nodes in the server's process,
// made by the package's own module for tests; a connection is found through them, and then goes directly. Both ends say
// that no firewall is before them: nothing has to be punched through, which on loopback fails as often as not.

import { loadPackage } from '../measuring/packages';
import { type DuplexLike, duplexConnection, ignore, listenTo } from './duplex';
import type { Peer } from './peer';

let Dht: DhtClass;
let client: Promise<DhtNode> | undefined;

export const hyperdhtPeer: Peer = {
  isEncrypted: true,
  prepare: async () => {
    Dht = (await loadPackage<{ readonly default: DhtClass }>('hyperdht')).default;
  },
  serve: async (_address, accept, listening) => {
    const { default: createTestnet } = await loadPackage<{ readonly default: CreateTestnet }>('hyperdht/testnet.js');
    const { bootstrap } = await createTestnet(NODES);
    const server = (await openNode(bootstrap)).createServer((stream) => {
      listenTo(stream, accept(duplexConnection(stream)), ignore);
      stream.on('end', () => stream.end());
    });
    const keys = Dht.keyPair();
    await server.listen(keys);
    const target: Target = { key: keys.publicKey.toString('hex'), bootstrap };
    listening(JSON.stringify(target), 'udp');
  },
  connect: async (target, _lane, events) => {
    const { key, bootstrap } = JSON.parse(target) as Target;
    client ??= openNode(bootstrap);
    const stream = (await client).connect(Buffer.from(key, 'hex'));
    return new Promise((resolve, reject) => {
      listenTo(stream, events, reject);
      stream.on('open', () => resolve(duplexConnection(stream)));
    });
  },
};

async function openNode(bootstrap: readonly Address[]): Promise<DhtNode> {
  const node = new Dht({ bootstrap, host: HOST, ephemeral: false, firewalled: false });
  await node.fullyBootstrapped();
  return node;
}

interface Target {
  readonly key: string;
  readonly bootstrap: readonly Address[];
}

const NODES = 3;
const HOST = '127.0.0.1';

interface Address {
  readonly host: string;
  readonly port: number;
}

interface DhtClass {
  new (options: object): DhtNode;
  keyPair(): KeyPair;
}

interface KeyPair {
  readonly publicKey: Buffer;
}

interface DhtNode {
  fullyBootstrapped(): Promise<void>;
  createServer(connection: (stream: DuplexLike) => void): { listen(keys: KeyPair): Promise<void> };
  connect(key: Buffer): DuplexLike;
}

type CreateTestnet = (size: number) => Promise<{ readonly bootstrap: readonly Address[] }>;
