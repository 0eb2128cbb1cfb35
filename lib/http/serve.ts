// Serves an unmodified `http.Server` (or https, http2, TLS server) under a serviceID: each connection that is
// accepted for the service is handed to it.

import type { ServiceScope } from '../socket/argument-checks';
import type { ListenOptions, ServerOptions } from '../socket/listen-options';
import { StreamServer } from '../socket/stream-server';
import { type Ending, type EndingConnections, LastAnswers } from './last-answers';

/** What is handed connections: any server of Node's whose 'connection' event takes a stream. */
export interface ConnectionTaker extends Ending {
  readonly listening?: boolean;
  close?(): unknown;
}

/**
 * Starts to serve `server` under `serviceID` and returns the listening server, whose 'error' tells EADDRINUSE.
 * Sockets are half-open and without delay, as those of `http.Server` are. 'listening' is emitted on `server`,
 * too: with it Node's http starts to look for slow and idle connections.
 *
 * Closing the returned server stops new connections, closes idle ones and waits for the others, as
 * `http.Server.close` does; `drain` leaves idle ones a second for a last request, so that none is lost. Answers say
 * `Connection: close` from then on. After it `server` is closed, unless it is served elsewhere or listens itself. §4.1
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
  #ending: LastAnswers | undefined;

  constructor(
    private readonly taker: ConnectionTaker,
    options: ServerOptions,
  ) {
    super(options, (socket) => void taker.emit('connection', socket));
    this.on('listening', () => this.begin());
  }

  override close(callback?: (error?: Error) => void): this {
    super.close(callback);
    this.#ending?.begin(this.draining);
    return this;
  }

  private begin(): void {
    servings.set(this.taker, (servings.get(this.taker) ?? 0) + 1);
    this.#ending = new LastAnswers(this.taker, this.#connections());
    this.once('close', () => this.finish());
    this.taker.emit('listening');
  }

  private finish(): void {
    this.#ending?.finish();
    this.#ending = undefined;
    const left = (servings.get(this.taker) ?? 1) - 1;
    servings.set(this.taker, left);
    if (left === 0 && !this.taker.listening) this.taker.close?.();
  }

  #connections(): EndingConnections {
    const server = this;
    return {
      get isAlone() {
        return servings.get(server.taker) === 1 && !server.taker.listening;
      },
      get isFresh() {
        return server._hasFreshConnection;
      },
      has: (socket) => (socket as { server?: unknown } | undefined)?.server === server,
    };
  }
}
