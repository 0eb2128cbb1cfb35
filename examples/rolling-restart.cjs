// A rolling restart: each replica of a web service is told to stop (SIGTERM) and replaced, while clients go on asking.
// No request is lost, and nobody but the replicas themselves was told anything.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const serval = require('serval');

const SERVICE = 'example/rolling';

function replica() {
  const app = http.createServer((_request, response) => {
    setTimeout(() => response.end(String(process.pid)), 20);
  });
  const server = serval.serve(app, SERVICE);
  server.once('listening', () => process.send('ready'));
  process.once('SIGTERM', async () => {
    // From here on clients are sent to the others; what is open is answered first, ten seconds at most.
    await server.drain({ timeout: 10_000 });
    process.exit();
  });
}

async function main() {
  const replicas = [await start(), await start()];
  const load = ask();
  for (const [index, old] of replicas.entries()) {
    replicas[index] = await start();
    old.kill('SIGTERM');
    await once(old, 'exit');
  }
  const { answered, failed, pids } = await load.end();
  console.log(`${answered} requests, ${failed} failed, answered by ${pids.size} processes`);
  for (const one of replicas) one.kill('SIGTERM');
}

async function start() {
  const child = fork(__filename, ['replica']);
  await once(child, 'message');
  return child;
}

/** Eight clients, each with a connection that is kept alive. */
function ask() {
  const agent = new serval.Agent({ keepAlive: true });
  const result = { answered: 0, failed: 0, pids: new Set() };
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      try {
        result.pids.add(await get(agent));
        result.answered++;
      } catch {
        result.failed++;
      }
    }
  };
  const clients = Array.from({ length: 8 }, client);
  return {
    async end() {
      isOver = true;
      await Promise.all(clients);
      agent.destroy();
      return result;
    },
  };
}

async function get(agent) {
  const request = http.get({ agent, serviceID: SERVICE, path: '/' });
  const [response] = await once(request, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

if (process.argv[2] === 'replica') replica();
else main();
