// The public types, as a user of the package sees them.

import * as http from 'node:http';
import type { Duplex } from 'node:stream';
import { expectAssignable, expectError, expectNotAssignable, expectType } from 'tsd';
import * as serval from '../..';

// Names
expectType<serval.ServiceID>(serval.serviceID('acme/web'));
expectType<serval.ServicePrefix>(serval.servicePrefix('acme/*'));
expectType<serval.ServiceID>(serval.contentServiceID('acme/cache', 'key'));
expectAssignable<serval.ServiceName>('acme/web');
expectAssignable<serval.ServiceName>(serval.serviceID('acme/web'));
expectNotAssignable<serval.ServiceName>(8080);
expectNotAssignable<serval.ServiceName>(serval.servicePrefix('acme/*'));
expectAssignable<serval.ServiceScope>(serval.servicePrefix('acme/*'));

// Service routers
const router = serval.createRouter({ port: 6000, aggregates: ['acme/*', serval.servicePrefix('acme/*')] });
expectType<serval.Router>(router);
expectType<Promise<void>>(router.ready);
expectType<serval.Host>(router.host);
expectType<serval.RegisteredInstance[]>(router.instances());
expectType<serval.RegisteredHost[]>(router.hosts());
expectType<Promise<void>>(router.close());
expectAssignable<serval.RouterOptions>({ router: 'auto' });
expectError(serval.createRouter({ aggregate: 'acme/*' }));
serval.createHost({ router: 'auto' });

// Directories
const directory = new serval.FileResolver('/etc/serval/services.json', { interval: 100 });
expectAssignable<serval.Resolver>(directory);
const resolver: serval.Resolver = {
  async resolve({ serviceID }, signal) {
    expectType<serval.ServiceID>(serviceID);
    expectType<AbortSignal>(signal);
    return { instances: ['192.0.2.1', { address: '192.0.2.2', weight: 3, priority: 1 }], lifetime: 1000 };
  },
};
serval.createHost({ resolvers: [{ prefix: 'acme/*', resolver }], flooding: true, servd: 'host' });
expectError(serval.createHost({ servd: 'daemon' }));
expectNotAssignable<serval.Resolver>({ resolve: () => 'acme/web' });
expectNotAssignable<serval.Resolution>({ instances: ['192.0.2.1'] });
serval.createRouter({
  partitions: { 'cache/*': 16 },
  resolvers: [{ prefix: '*', resolver: directory, broadcast: true }],
});

// Streams
const socket = serval.connect('acme/web', { connectTimeout: 1000, signal: new AbortController().signal }, () => {});
expectType<serval.Socket>(socket);
expectAssignable<Duplex>(socket);
expectType<serval.ServiceID | undefined>(socket.remoteServiceID);
expectType<string | undefined>(socket.remoteAddress);
expectType<Promise<void>>(socket.migrate({ interface: 'eth1' }));
expectType<Promise<void>>(socket.migrate({ address: '192.0.2.7' }));
expectError(socket.migrate({ interface: 1 }));
expectType<serval.Socket>(serval.createConnection({ serviceID: 'acme/web' }));
expectType<serval.Socket>(new serval.Socket());
expectType<serval.Socket>(serval.Socket());
expectError(serval.connect());
expectError(serval.connect(8080));
expectError(serval.connect('acme/web', { connectTimeout: '1 s' }));

const server = serval.createServer('acme/web', (connection) => expectType<serval.Socket>(connection));
expectType<serval.Server>(server);
expectType<serval.Server>(server.listen());
expectType<boolean>(server.listening);
expectType<serval.ServerAddress | null>(server.address());
expectAssignable<AsyncIterable<serval.Socket>>(server);
expectType<serval.Server>(serval.createServer({ allowHalfOpen: true }));
expectType<Promise<serval.DrainResult>>(server.drain({ timeout: 1000, signal: new AbortController().signal }));
expectType<Promise<serval.DrainResult>>(server.drain());
expectError(server.drain(1000));
expectType<boolean>(server.draining);
expectType<boolean>(server.withdrawn);
expectType<number>(server.weight);
server.weight = 0.5;
expectType<serval.Server>(server.reportLoad(0.75));
expectType<number>(server.maxConnections);
server.maxConnections = 100;
server.on('draining', () => {});
server.listen('acme/web', { weight: 2, picker: 'rendezvous' });
expectError(server.listen('acme/web', { picker: 'best' }));
expectType<Promise<serval.Socket>>(serval.promises.connect('acme/web'));
expectType<Promise<serval.Server>>(serval.promises.listen('acme/web'));

// Several paths, and other processes
serval.connect('acme/web', { multipath: true });
expectError(serval.connect('acme/web', { multipath: 'always' }));
serval.connect('acme/web', { multipath: { backup: 'wwan0', scheduler: 'redundant' } });
expectError(serval.connect('acme/web', { multipath: { scheduler: 'both' } }));
server.listen('acme/web', { multipath: { backup: ['wwan0', 'wwan1'] } });
server.listen('acme/web', { multipath: false });
expectType<readonly serval.FlowInformation[]>(serval.connect('acme/web').flows);
expectType<boolean>(serval.connect('acme/web').flows[0]!.close());
expectType<Promise<void>>(serval.connect('acme/web').openFlow({ interface: 'wlan0', remoteAddress: '192.0.2.1' }));
expectError(serval.connect('acme/web').openFlow({ interface: 1 }));
expectType<Promise<Buffer>>(serval.connect('acme/web').handoff());
expectType<Promise<serval.Socket>>(serval.adopt(Buffer.alloc(0), { noDelay: true }));
expectType<Promise<number>>(server.handoff((state) => void expectType<Buffer>(state)));

// Datagrams
const datagrams = serval.createSocket();
expectType<serval.DatagramSocket>(datagrams);
datagrams.on('message', (message, source) => {
  expectType<Buffer>(message);
  expectType<serval.RemoteInfo>(source);
  datagrams.send(message, source.serviceID, (error) => expectType<Error | null>(error));
});
expectError(datagrams.send(8080));
datagrams.bind({ serviceID: 'acme/log', weight: 2 });
expectType<Promise<serval.DrainResult>>(datagrams.drain({ timeout: 1000 }));
expectType<number>(datagrams.weight);

// HTTP
expectType<serval.Server>(serval.serve(http.createServer(), 'acme/web'));
expectAssignable<http.Agent>(new serval.Agent({ serviceID: 'acme/web', keepAlive: true }));

// Hosts and errors
const host = serval.createHost({ links: ['udp-dgram'], broadcast: false });
expectType<serval.Host>(host);
expectType<Promise<void>>(host.ready);
expectType<readonly string[]>(host.linkKinds);
expectType<string | undefined>(host.controlPath);
expectType<number>(host.statistics().table.packetsResolved);
expectType<Promise<serval.PingAnswer>>(host.ping('acme/web', { timeout: 100, transport: 'datagram' }));
expectType<Promise<serval.TraceAnswer>>(host.trace('acme/web', { timeout: 100 }));
host.trace('acme/web').then(({ hops, address }) => {
  expectType<string>(address.ip);
  expectType<readonly serval.TraceHop[]>(hops);
  for (const { roundTripTime } of hops) expectAssignable<number | null>(roundTripTime);
});
serval.createHost({ control: false });
serval.createHost({ control: '/run/acme/serval.sock' });
expectError(serval.createHost({ control: 7 }));
expectError(serval.createHost({ links: ['carrier pigeon'] }));
serval.connect('acme/web', { host });
expectType<'ECONNREFUSED'>(serval.ErrorCode.connectionRefused);
expectAssignable<Error>(new serval.ServalError(serval.ErrorCode.timedOut, 'too late'));
