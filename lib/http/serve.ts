// Serves an unmodified `http.Server` (or https, http2, TLS server) under a serviceID: each connection that is
// accepted for the service is handed to it.

import type { EventEmitter } from 'node:events';
import type { ServiceScope } from '../socket/argument-checks';
import type { ListenOptions, ServerOptions } from '../socket/listen-options';
import { StreamServer } from '../socket/stream-server';

/** What is handed connections: any server of Node's whose 'connection' event takes a stream. */
export interface ConnectionTaker extends EventEmitter {
  readonly listening?: boolean;
  close?(): unknown;
  closeIdleConnections?(): void;
}

/**
 * Starts to serve `server` under `serviceID` and returns the listening server, whose 'error' tells EADDRINUSE.
 * Sockets are half-open and without delay, as those of `http.Server` are. 'listening' is emitted on `server`,
 * too: with it Node's http starts to look for slow and idle connections.
 *
 * Closing the returned server stops new connections, closes idle ones and waits for the others, as
 * `http.Server.close` does; after it `server` is closed, unless it is served elsewhere or listens itself. §4.1
 */
export function serve(
  server: ConnectionTaker,
  serviceID: ServiceScope,
  options: ServerOptions & ListenOptions = {},
): StreamServer {
  const handing = new HandingServer(server, { noDelay: true, ...options, allowHalfOpen: true });
  return handing.listen(serviceID, options);
}

/** How many times a server is served now. */
const servings = new WeakMap<ConnectionTaker, number>();

class HandingServer extends StreamServer {
  constructor(
    private readonly taker: ConnectionTaker,
    options: ServerOptions,
  ) {
    super(options, (socket) => void taker.emit('connection', socket));
    this.on('listening', () => this.begin());
  }

  override close(callback?: (error?: Error) => void): this {
    super.close(callback);
    this.taker.closeIdleConnections?.();
    return this;
  }

  private begin(): void {
    servings.set(this.taker, (servings.get(this.taker) ?? 0) + 1);
    this.once('close', () => this.finish());
    this.taker.emit('listening');
  }

  private finish(): void {
    const left = (servings.get(this.taker) ?? 1) - 1;
    servings.set(this.taker, left);
    if (left === 0 && !this.taker.listening) this.taker.close?.();
  }
}
