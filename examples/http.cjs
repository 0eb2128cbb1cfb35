// An ordinary http.Server is reached by name: only how connections come in and go out is said.

const http = require('node:http');
const serval = require('serval');

const app = http.createServer((request, response) => {
  response.end(`${request.method} ${request.url} answered by ${process.pid}\n`);
});

// Whatever takes an http.Server - express, fastify, ws - goes on as before.
const server = serval.createServer((socket) => app.emit('connection', socket));

server.listen('example/web', () => {
  const request = http.request({
    path: '/hello',
    createConnection: () => serval.connect('example/web'),
    headers: { connection: 'close' },
  });
  request.on('response', (response) => {
    response.pipe(process.stdout);
    response.on('end', () => server.close());
  });
  request.end();
});
