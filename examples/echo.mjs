// A stream by name, with promises and async iteration.

import { promises } from 'serval';

const server = await promises.listen('example/echo');

const serving = (async () => {
  for await (const socket of server) {
    socket.pipe(socket);
    socket.on('close', () => server.close());
  }
})();

const socket = await promises.connect('example/echo');
socket.end('what is sent comes back\n');
for await (const chunk of socket) process.stdout.write(chunk);
await serving;
