// What clients and servers of each contender do to find each other; everything else is the same code for all.

import type { LookupAddress } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import * as net from 'node:net';
import * as serval from '../../lib/index';
import { DNS_PORT } from './dns-server';

export interface Contender {
  /** A server that takes connections once `listen` was called; that has resolved when clients may come. */
  serve(address: string, connection: (socket: net.Socket) => void): Serving;
  connect(target: string): net.Socket;
}

export interface Serving {
  listen(): Promise<void>;
  /** Takes nothing new; resolves when what is open has ended. */
  leave(): Promise<void>;
}

export const CONTENDER_NAMES = ['serval', 'haproxy', 'nginx', 'dns'] as const;
export type ContenderName = (typeof CONTENDER_NAMES)[number];

/** Every server of the rivals listens there, and so do the balancers. */
export const PORT = 8000;
export const SERVICE = 'figure7/web';
export const DOMAIN = 'web.figure7.test';

const overTcp: Contender = { serve: serveTcp, connect: (target) => net.connect({ host: target, port: PORT }) };

export const contenders: Readonly<Record<ContenderName, Contender>> = {
  serval: { serve: serveServal, connect: (target) => serval.connect(target) },
  haproxy: overTcp,
  nginx: overTcp,
  dns: { serve: serveTcp, connect: connectByList },
};

function serveServal(_address: string, connection: (socket: net.Socket) => void): Serving {
  const server = serval.createServer(connection);
  return {
    listen: () => new Promise((resolve) => server.listen(SERVICE, { backlog: BACKLOG }, resolve)),
    leave: async () => void (await server.drain()),
  };
}

function serveTcp(address: string, connection: (socket: net.Socket) => void): Serving {
  const server = net.createServer(connection);
  return {
    listen: () => new Promise((resolve) => server.listen({ host: address, port: PORT, backlog: BACKLOG }, resolve)),
    leave: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const BACKLOG = 511;

// ---- the list at the client ----

/** The addresses of a name, for as long as the server says that they hold. */
class AddressList {
  private readonly resolver = new Resolver({ timeout: 1000, tries: 3 });
  private addresses: readonly string[] = [];
  private staleAt = 0;
  private asking: Promise<void> | undefined;
  /** Clients begin at different places of the list. */
  private turn = Math.floor(Math.random() * 1000);

  constructor(server: string) {
    this.resolver.setServers([`${server}:${DNS_PORT}`]);
  }

  /** All of them, another one first each time. */
  async turned(): Promise<LookupAddress[]> {
    if (performance.now() >= this.staleAt) {
      this.asking ??= this.ask();
      await this.asking;
    }
    const first = this.turn++ % this.addresses.length;
    const turned = [...this.addresses.slice(first), ...this.addresses.slice(0, first)];
    return turned.map((address) => ({ address, family: 4 }));
  }

  private async ask(): Promise<void> {
    try {
      const records = await this.resolver.resolve4(DOMAIN, { ttl: true });
      this.addresses = records.map(({ address }) => address);
      this.staleAt = performance.now() + Math.min(...records.map(({ ttl }) => ttl)) * 1000;
    } finally {
      this.asking = undefined;
    }
  }
}

let list: AddressList | undefined;

/** The addresses take turns; where one refuses, the next is tried, as Node does with several (autoSelectFamily). */
function connectByList(target: string): net.Socket {
  list ??= new AddressList(target);
  const addresses = list.turned();
  const lookup = (_host: string, _options: unknown, found: Found): void => {
    addresses.then(
      (all) => found(null, all),
      (error: NodeJS.ErrnoException) => found(error, []),
    );
  };
  return net.connect({ host: DOMAIN, port: PORT, lookup, autoSelectFamily: true } as net.TcpNetConnectOpts);
}

type Found = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;
