// A server that is restarted under load: says when it listens and when it was first asked, drains when told to, and
// ends by itself when nothing is open. restarted-server.cjs SERVICE

const serval = require('../../../dist/index.js');

const tell = (message) => process.connected && process.send(message);
let isFirst = true;

const server = serval.createServer((socket) => {
  if (isFirst) tell({ asked: true });
  isFirst = false;
  socket.on('error', () => {});
  // What was asked, and who answers.
  socket.once('data', (request) => socket.end(`${request} ${process.pid}`));
});
server.listen(process.argv[2], () => tell({ listening: true }));
process.on('message', async () => {
  tell({ drained: await server.drain() });
  process.disconnect();
});
