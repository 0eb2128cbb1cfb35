// A replica of the demo's HTTP service, in a process of its own: an ordinary `http.Server` that is reached by
// name. Nothing but `listen` makes it known.

import { createServer } from 'node:http';
import { createServer as createServalServer } from '../../index';
import { DEMO_SERVICE } from './demo-service';

export function runReplica(name: string): void {
  const http = createServer((_request, response) => {
    response.setHeader('connection', 'close');
    response.end(name);
  });
  const server = createServalServer((socket) => http.emit('connection', socket));
  server.listen(DEMO_SERVICE, () => process.send?.({ kind: 'listening' }));
}
