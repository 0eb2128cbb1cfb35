// A program that uses serval, for the tests of the commands: `serve NAME` echoes, `bind NAME` takes datagrams, `talk NAME`
// is connected and says something, `host` only has a host. Each prints a line when it is so far. PICKER is what a server
// wishes to be chosen by.

const { connect, createHost, createServer, createSocket } = require('../../dist');

const [role, name] = process.argv.slice(2);

if (role === 'serve') {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(name, { picker: process.env.PICKER }, () => console.log('listening'));
} else if (role === 'bind') {
  createSocket().bind(name, () => console.log('bound'));
} else if (role === 'talk') {
  const socket = connect(name, () => socket.write('hello'));
  socket.on('error', (error) => console.log(error.code));
  socket.once('data', () => console.log('talking'));
} else {
  createHost().ready.then(() => console.log('ready'));
  setInterval(() => {}, 1000);
}
