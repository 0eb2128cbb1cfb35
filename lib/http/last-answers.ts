// The end of a server for HTTP that is being closed. Node ends the connections that are idle at that moment, and has the
// others wait for their keep-alive timeout. Here every further answer says that it is the last one of its connection,
// idle connections end as they become so, and HTTP/2 sessions say goodbye (GOAWAY).

import type { EventEmitter } from 'node:events';
import { IDLE_CHECK_INTERVAL, IDLE_GRACE } from '../limits';

export interface Ending extends EventEmitter {
  closeIdleConnections?(): void;
}

/** What of the connections it has to know. */
export interface EndingConnections {
  /** Whether the server has no other connections than these. */
  readonly isAlone: boolean;
  /** Whether one of them is so new that nothing has come yet: Node takes it for idle, and its request is under way. */
  readonly isFresh: boolean;
  has(socket: unknown): boolean;
}

export class LastAnswers {
  private readonly sessions = new Set<Session>();
  private readonly noteSession = (session: Session): void => this.handleSession(session);
  private readonly mark = (request: RequestLike, response: ResponseLike): void => this.handleRequest(request, response);
  private check: NodeJS.Timeout | undefined;
  private patience = IDLE_GRACE / IDLE_CHECK_INTERVAL;
  private isGentle = false;

  constructor(
    private readonly server: Ending,
    private readonly connections: EndingConnections,
  ) {
    server.on('session', this.noteSession);
  }

  /** `isGentle`: who is idle may send one more request first, lest it cross with our end. */
  begin(isGentle: boolean): void {
    if (this.check !== undefined) return;
    this.isGentle = isGentle;
    this.server.prependListener('request', this.mark);
    if (this.connections.isAlone) for (const session of this.sessions) session.close();
    this.check = setInterval(() => this.endIdle(), IDLE_CHECK_INTERVAL).unref();
    this.endIdle();
  }

  /** The last connection has ended. */
  finish(): void {
    clearInterval(this.check);
    this.server.off('request', this.mark);
    this.server.off('session', this.noteSession);
  }

  private endIdle(): void {
    if (this.patience-- > 0 && (this.isGentle || this.connections.isFresh)) return;
    // Node cannot tell whose they are: of a server that goes on elsewhere they end with their next answer or timeout.
    if (this.connections.isAlone) this.server.closeIdleConnections?.();
  }

  private handleRequest({ httpVersionMajor, socket }: RequestLike, response: ResponseLike): void {
    // HTTP/2 has no such header: its session says it.
    if (httpVersionMajor !== 1 || response.headersSent) return;
    if (this.connections.isAlone || this.connections.has(socket)) response.setHeader('connection', 'close');
  }

  private handleSession(session: Session): void {
    this.sessions.add(session);
    session.once('close', () => this.sessions.delete(session));
    // Its handshake was under way when the others were told.
    if (this.check !== undefined && this.connections.isAlone) session.close();
  }
}

/** An `Http2Session`. */
interface Session extends EventEmitter {
  close(): void;
}

interface RequestLike {
  readonly httpVersionMajor?: number;
  readonly socket?: unknown;
}

interface ResponseLike {
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
}
