// The plain functions of the API for streams: `connect`, `createConnection`, `createServer`.

import type { ServiceName, ServiceScope } from './argument-checks';
import { type ConnectOptions, connectArguments } from './connect-options';
import { clientSocketChannel, traceResolution } from './diagnostics';
import type { ServerOptions } from './listen-options';
import type { ConnectionListener } from './server-events';
import { StreamServer } from './stream-server';
import { StreamSocket } from './stream-socket';

/**
 * Connects to an instance of a service: `connect('acme/web')`. The first packet is routed by name (§3.2);
 * the returned socket emits 'connect' when an instance has accepted, or 'error': ECONNREFUSED, ETIMEDOUT
 * after `connectTimeout`, EHOSTUNREACH, ENETUNREACH. `listener` is called on 'connect'.
 *
 * Throws TypeError ERR_SERVAL_INVALID_NAME for a text that is no name, ERR_MISSING_ARGS without one, and
 * ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for bad options. §4.1
 */
export function connect(serviceID: ServiceName, options?: ConnectOptions, listener?: () => void): StreamSocket;
export function connect(serviceID: ServiceName, listener?: () => void): StreamSocket;
export function connect(options: ConnectOptions, listener?: () => void): StreamSocket;
export function connect(...args: unknown[]): StreamSocket {
  const { service, options, listener } = connectArguments(args);
  const socket = new StreamSocket(options);
  if (clientSocketChannel.hasSubscribers) clientSocketChannel.publish({ socket });
  // Its signal was aborted before we began.
  if (socket.destroyed) return socket;
  if (options.timeout) socket.setTimeout(options.timeout);
  socket.connect(service as ServiceName, options, listener);
  traceResolution(socket, String(service ?? socket.serviceID));
  return socket;
}

/** The same function as `connect`, by the name that http agents use. */
export const createConnection = connect;

/**
 * A server for a service, which starts to serve with `listen`. `listener` is called on 'connection'.
 * `createServer('acme/web', onConnection).listen()`. §4.1
 */
export function createServer(
  serviceID: ServiceScope,
  options?: ServerOptions,
  listener?: ConnectionListener,
): StreamServer;
export function createServer(serviceID: ServiceScope, listener?: ConnectionListener): StreamServer;
export function createServer(options?: ServerOptions, listener?: ConnectionListener): StreamServer;
export function createServer(listener?: ConnectionListener): StreamServer;
export function createServer(...args: unknown[]): StreamServer {
  return Reflect.construct(StreamServer, args);
}
