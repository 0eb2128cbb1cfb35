// The public API: sockets that talk to services instead of addresses (§4.1), shaped like `node:net` and
// `node:dgram`. What stands here is what semantic versioning covers.

import { configurationFrom } from './host/configuration';
import { Host as HostClass } from './host/host';
import { callable } from './socket/callable';
import type { createServer } from './socket/connections';
import { DatagramSocket as DatagramSocketClass } from './socket/datagram-socket';
import { forgetDefaultHost, setDefaultHostFactory } from './socket/default-host';
import { StreamServer } from './socket/stream-server';
import { StreamSocket } from './socket/stream-socket';

setDefaultHostFactory(() => new HostClass(configurationFrom(), forgetDefaultHost));

/** Accepts connections to a service, as `net.Server`. Callable with and without `new`. §4.1 */
export const Server = callable<typeof StreamServer, typeof createServer>(StreamServer, 'Server');
export type Server = StreamServer;

/** A connection to an instance of a service, as `net.Socket`. Callable with and without `new`. §4.1 */
export const Socket = callable(StreamSocket, 'Socket');
export type Socket = StreamSocket;

/** A socket for datagrams, as `dgram.Socket`. Callable with and without `new`. §4.1 */
export const DatagramSocket = callable(DatagramSocketClass, 'DatagramSocket');
export type DatagramSocket = DatagramSocketClass;

export type { RegisteredHost, RegisteredInstance } from './controller/session/registrar';
export type { FlowInformation, PingOptions, SocketHost } from './driver/handles';
export type { ServalErrorContext } from './errors';
export { ErrorCode, ServalError } from './errors';
export type { HostConfiguration, HostOptions } from './host/configuration';
export { createHost, type Host } from './host/host';
export type { AgentOptions } from './http/agent';
export { Agent } from './http/agent';
export { serve } from './http/serve';
export type { FileResolverOptions } from './resolver/file-resolver';
export { FileResolver } from './resolver/file-resolver';
export type { Resolution, ResolvedInstance, Resolver, ResolverQuestion } from './resolver/resolver';
export type { ResolverEntry } from './resolver/resolver-route';
export { createRouter, type Router, type RouterOptions } from './router/service-router';
export type { PingAnswer, TraceAnswer, TraceHop } from './sal/signaling/ping';
export { adopt } from './socket/adopt';
export type { ServiceName, ServiceScope } from './socket/argument-checks';
export type { ConnectOptions, SocketOptions } from './socket/connect-options';
export { connect, createConnection, createServer } from './socket/connections';
export type { DatagramEvents, DatagramSocketListener, RemoteInfo } from './socket/datagram-events';
export type {
  DatagramConnectOptions,
  DatagramOptions,
  Message,
  SendCallback,
} from './socket/datagram-options';
export type { DatagramAddress } from './socket/datagram-socket';
export { createSocket } from './socket/datagram-socket';
export type { DrainOptions, DrainResult } from './socket/drain';
export type { ListenOptions, ServerOptions } from './socket/listen-options';
export type { MultipathOptions } from './socket/multipath-options';
export * as promises from './socket/promises';
export type { ConnectionListener, DroppedConnection, ServerAddress, ServerEvents } from './socket/server-events';
export { contentServiceID, serviceID, servicePrefix } from './socket/service-name';
export type { SocketAddress } from './socket/socket-address';
export type { OpenFlowOptions } from './socket/socket-flows';
export type { MigrateOptions } from './socket/socket-migration';
export type { OnReadOptions } from './socket/user-buffer';
export type { PickerName } from './table/pickers/picker-names';
export { ServiceID, ServicePrefix } from './wire/service-id';
