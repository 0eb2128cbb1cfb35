// The control interface of one host: HTTP and JSON for whoever may open its socket. Here are the connections, their
// number and their end; what they ask for is control-requests.ts' matter. Never keeps the process alive.

import { createServer, type Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import { CONTROL_CLIENTS_MAXIMUM, CONTROL_SILENCE_MAXIMUM } from './control-limits';
import { handleRequest } from './control-requests';
import type { ControlledHost } from './controlled-host';

export class ControlServer {
  private readonly clients = new Set<Socket>();
  private readonly http: HttpServer;

  /** `endpoint` is bound already; it is closed with the server. */
  constructor(
    private readonly endpoint: Server,
    host: ControlledHost,
  ) {
    this.http = createServer((request, response) => void handleRequest(host, request, response));
    this.http.timeout = CONTROL_SILENCE_MAXIMUM;
    endpoint.on('connection', (socket) => this.accept(socket));
    // Out of descriptors, and the like: that connection is lost.
    endpoint.on('error', () => {});
    endpoint.unref();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.endpoint.close(() => resolve());
      // The last event is on its way: who reads gets it.
      for (const socket of this.clients) socket.destroySoon();
    });
  }

  private accept(socket: Socket): void {
    socket.unref();
    socket.on('error', () => {});
    if (this.clients.size >= CONTROL_CLIENTS_MAXIMUM) {
      socket.destroy();
      return;
    }
    this.clients.add(socket);
    socket.on('close', () => this.clients.delete(socket));
    this.http.emit('connection', socket);
  }
}
