// Channels of `node:diagnostics_channel` in the style of Node's own `net.client.socket`, and what NODE_DEBUG=serval
// prints: a tracer subscribes, and nobody pays who does not. docs/diagnostics.md is the list for users.

import { channel, tracingChannel } from 'node:diagnostics_channel';
import { errorMonitor } from 'node:events';
import { debuglog } from 'node:util';
import type { ServicePrefix } from '../wire/service-id';
import type { ListenOptions } from './listen-options';
import type { StreamServer } from './stream-server';
import type { StreamSocket } from './stream-socket';

/** `{ socket }` of every StreamSocket that `connect` makes. */
export const clientSocketChannel = channel('serval.client.socket');
/** `{ socket }` of every StreamSocket that a server accepts. */
export const serverSocketChannel = channel('serval.server.socket');
/** `{ socket }` of every DatagramSocket. */
export const datagramSocketChannel = channel('serval.datagram.socket');

/** `{ server, options }`, with `error` when it fails: from `listen` until 'listening'. */
const listenChannel = tracingChannel('serval.server.listen');
/** `{ socket, serviceID }`, then `address`, `port` and `family` of the instance, or `error`: from `connect` until 'connect'. */
const resolveChannel = tracingChannel('serval.resolve');

const debug = debuglog('serval');

/** Call what it returns when the server listens, or cannot. */
export function traceListen(
  server: StreamServer,
  prefix: ServicePrefix,
  options: ListenOptions,
): (error?: Error) => void {
  const context: { server: StreamServer; options: ListenOptions; error?: Error } = { server, options };
  if (listenChannel.asyncStart.hasSubscribers) listenChannel.asyncStart.publish(context);
  if (debug.enabled) debug('listen %s', prefix);
  return (error) => {
    if (error !== undefined) context.error = error;
    const outcome = error === undefined ? listenChannel.asyncEnd : listenChannel.error;
    if (outcome.hasSubscribers) outcome.publish(context);
    if (debug.enabled) debug('listen %s: %s', prefix, error === undefined ? 'listening' : error.message);
  };
}

/** Of a socket that begins to connect. */
export function traceResolution(socket: StreamSocket, name: string): void {
  const isTraced = resolveChannel.asyncStart.hasSubscribers || resolveChannel.asyncEnd.hasSubscribers;
  if (isTraced || resolveChannel.error.hasSubscribers || debug.enabled) followResolution(socket, name);
}

function followResolution(socket: StreamSocket, name: string): void {
  const context: Record<string, unknown> = { socket, serviceID: socket.serviceID };
  const begin = performance.now();
  resolveChannel.asyncStart.publish(context);
  debug('connect %s', name);
  const stop = (): void => void socket.off('connect', succeed).off(errorMonitor, fail).off('close', stop);
  const succeed = (): void => {
    stop();
    const { remoteAddress: address, remotePort: port, remoteFamily: family } = socket;
    resolveChannel.asyncEnd.publish(Object.assign(context, { address, port, family }));
    debug('connect %s: %s port %d after %s ms', name, address, port, (performance.now() - begin).toFixed(1));
  };
  const fail = (error: Error): void => {
    stop();
    resolveChannel.error.publish(Object.assign(context, { error }));
    debug('connect %s: %s', name, error.message);
  };
  socket.prependOnceListener('connect', succeed).prependOnceListener(errorMonitor, fail).once('close', stop);
}
