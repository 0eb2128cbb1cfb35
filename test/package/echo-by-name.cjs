// Run by pack.test.ts in a folder where the package is installed: `serve` or `connect`.

const serval = require('serval');

const NAME = 'packed/echo';

if (process.argv[2] === 'serve') {
  const server = serval.createServer(NAME, (socket) => socket.end(`hello from ${NAME}`));
  server.listen(() => console.log('listening'));
} else {
  let reply = '';
  const socket = serval.connect(NAME);
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    reply += text;
  });
  socket.on('end', () => console.log(JSON.stringify({ reply, link: linkKind() })));
}

function linkKind() {
  const native = Object.keys(require.cache).some((file) => file.endsWith('.node'));
  return native ? 'udp' : 'udp-dgram';
}
