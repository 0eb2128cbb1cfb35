// `connect` and `listen` as promises, for `await` where the event API wants listeners.

import { once } from 'node:events';
import type { ServiceName, ServiceScope } from './argument-checks';
import type { ConnectOptions } from './connect-options';
import * as connections from './connections';
import type { ListenOptions, ServerOptions } from './listen-options';
import type { StreamServer } from './stream-server';
import type { StreamSocket } from './stream-socket';

/** A connected socket. Rejects with what the socket's 'error' would have been; bad arguments reject, too. */
export async function connect(serviceID: ServiceName, options: ConnectOptions = {}): Promise<StreamSocket> {
  const socket = connections.connect(serviceID, options);
  await once(socket, 'connect');
  return socket;
}

/**
 * A listening server; `for await (const socket of server)` accepts. Rejects with EADDRINUSE as 'error' would.
 */
export async function listen(
  serviceID?: ServiceScope,
  options: ServerOptions & ListenOptions = {},
): Promise<StreamServer> {
  const server = connections.createServer(options);
  const scope = serviceID ?? options.serviceID;
  await once(scope === undefined ? server.listen(options) : server.listen(scope, options), 'listening');
  return server;
}
