// Fetches all files with an unmodified keep-alive agent and 32 connections, and compares their digests:
// file-client.cjs SERVICE LARGEST

const http = require('node:http');
const { createHash } = require('node:crypto');
const serval = require('../../../dist/index.js');
const { COUNT, contentOf, digestOf, sizeOf } = require('./files.cjs');

const [service, largestText] = process.argv.slice(2);
const largest = Number(largestText);
let connections = 0;

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
agent.createConnection = () => {
  connections++;
  return serval.connect(service);
};

function fetchDigest(index) {
  return new Promise((resolve, reject) => {
    const request = http.get({ agent, path: `/${index}`, host: 'files' }, (response) => {
      const hash = createHash('sha256');
      let length = 0;
      response.on('data', (chunk) => {
        hash.update(chunk);
        length += chunk.length;
      });
      response.on('end', () => resolve({ digest: hash.digest('hex'), length }));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

async function main() {
  const start = performance.now();
  const wrong = [];
  let bytes = 0;
  await Promise.all(
    // The largest first, as a browser would not, but a test of fairness would.
    Array.from({ length: COUNT }, (_, index) => COUNT - 1 - index).map(async (index) => {
      const { digest, length } = await fetchDigest(index);
      bytes += length;
      if (length !== sizeOf(index, largest) || digest !== digestOf(contentOf(index, largest))) wrong.push(index);
    }),
  );
  process.send({ files: COUNT, wrong, bytes, connections, seconds: (performance.now() - start) / 1000 });
  agent.destroy();
}

main().then(
  () => process.disconnect(),
  (error) => {
    process.send({ error: String(error.stack ?? error) });
    process.exit(1);
  },
);
