// Serves an unmodified `http.Server` (or https, http2, TLS server) under a serviceID: each connection that is
// accepted for the service is handed to it.

import type { EventEmitter } from 'node:events';
import type { ServiceScope } from '../socket/argument-checks';
import type { ListenOptions, ServerOptions } from '../socket/listen-options';
import { StreamServer } from '../socket/stream-server';

/** What is handed connections: any server of Node's whose 'connection' event takes a stream. */
export interface ConnectionTaker extends EventEmitter {
  closeIdleConnections?(): void;
}

/**
 * Starts to serve `server` under `serviceID` and returns the listening server. Closing that one stops new
 * connections and closes the idle ones of `server`, as `http.Server.close` does. Sockets are half-open, as
 * those of `http.Server` are, so that a request is answered whose client has ended. §4.1
 */
export function serve(
  server: ConnectionTaker,
  serviceID: ServiceScope,
  options: ServerOptions & ListenOptions = {},
): StreamServer {
  const listening = new HandingServer(server, { noDelay: true, ...options, allowHalfOpen: true });
  return listening.listen(serviceID, options);
}

class HandingServer extends StreamServer {
  constructor(
    private readonly taker: ConnectionTaker,
    options: ServerOptions,
  ) {
    super(options, (socket) => void taker.emit('connection', socket));
  }

  override close(callback?: (error?: Error) => void): this {
    super.close(callback);
    this.taker.closeIdleConnections?.();
    return this;
  }
}
