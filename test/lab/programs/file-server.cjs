// An ordinary HTTP server of files, reached by name: file-server.cjs SERVICE LARGEST

const http = require('node:http');
const serval = require('../../../dist/index.js');
const { contentOf } = require('./files.cjs');

const [service, largest] = process.argv.slice(2);
const web = http.createServer((request, response) => {
  const bytes = contentOf(Number(request.url.slice(1)), Number(largest));
  response.writeHead(200, { 'content-length': bytes.length });
  response.end(bytes);
});
const server = serval.createServer((socket) => web.emit('connection', socket));
server.listen(service, () => process.send({ listening: true }));
process.on('disconnect', () => process.exit());
