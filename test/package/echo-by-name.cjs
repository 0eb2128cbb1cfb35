// Run by pack.test.ts in a folder where the package is installed: `serve` or `connect`.

const serval = require('serval');

const NAME = 'packed/echo';
const host = serval.createHost();

if (process.argv[2] === 'serve') {
  const server = serval.createServer(NAME, { host }, (socket) => socket.end(`hello from ${NAME}`));
  server.listen(() => console.log('listening'));
} else {
  let reply = '';
  const socket = serval.connect(NAME, { host });
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    reply += text;
  });
  socket.on('close', () => {
    console.log(JSON.stringify({ reply, links: host.linkKinds }));
    host.close();
  });
}
