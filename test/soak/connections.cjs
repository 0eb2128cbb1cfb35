// One end of the soak tests, in a process of its own: connections.cjs serval|net server|idle|churn ...
// `idle N` opens N connections and keeps them; `churn RATE SECONDS` opens and closes RATE a second.

const net = require('node:net');
const serval = require('../../dist/index.js');

const [kind, role, ...rest] = process.argv.slice(2);
const SERVICE = 'soak/echo';

function memory() {
  global.gc?.();
  global.gc?.();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, external, arrayBuffers };
}

function serve() {
  const open = new Set();
  let accepted = 0;
  const listener = (socket) => {
    accepted++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    socket.pipe(socket);
  };
  const server = kind === 'net' ? net.createServer(listener) : serval.createServer(listener);
  const report = () => process.send({ port: kind === 'net' ? server.address().port : 0 });
  if (kind === 'net') server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, report);
  else server.listen(SERVICE, report);
  process.on('message', () => {
    process.send({ open: open.size, accepted, memory: memory() });
  });
}

const connect = (port) => (kind === 'net' ? net.connect(port, '127.0.0.1') : serval.connect(SERVICE));

async function idle(port, count) {
  const sockets = [];
  for (let at = 0; at < count; at += 200) {
    const batch = Array.from({ length: Math.min(200, count - at) }, () => connect(port));
    await Promise.all(
      batch.map(
        (socket) =>
          new Promise((resolve, reject) => {
            socket.on('connect', resolve).on('error', reject);
          }),
      ),
    );
    sockets.push(...batch);
  }
  process.send({ connected: sockets.length, memory: memory() });
  process.on('message', async () => {
    const answers = sockets.map(
      (socket, index) =>
        new Promise((resolve, reject) => {
          socket.once('data', (data) => resolve(String(data) === String(index))).once('error', reject);
          socket.write(String(index));
        }),
    );
    const right = (await Promise.all(answers)).filter(Boolean).length;
    for (const socket of sockets) socket.destroy();
    process.send({ right });
  });
}

/** Opens connections evenly; each sends 64 bytes, has them echoed and closes. */
async function churn(port, rate, seconds) {
  let started = 0;
  let done = 0;
  let failed = 0;
  const errors = {};
  const payload = Buffer.alloc(64, 1);
  const one = () => {
    const socket = connect(port);
    let received = 0;
    socket.on('data', (data) => {
      received += data.length;
      if (received === 64) socket.end();
    });
    socket.on('error', ({ code }) => {
      failed++;
      errors[code] = (errors[code] ?? 0) + 1;
    });
    socket.on('close', () => done++);
    socket.write(payload);
  };
  const begin = performance.now();
  const samples = [];
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const elapsed = (performance.now() - begin) / 1000;
      const due = Math.min(Math.floor(elapsed * rate), rate * seconds);
      while (started < due) {
        started++;
        one();
      }
      // Collecting takes time that the connections need: a few samples, not one a second.
      if (samples.length < Math.floor((elapsed / seconds) * 6)) samples.push(memory().heapUsed);
      if (started === rate * seconds && done === started) {
        clearInterval(timer);
        resolve();
      }
      if (elapsed > seconds * 3 + 30) {
        clearInterval(timer);
        resolve();
      }
    }, 10);
  });
  process.send({
    started,
    done,
    failed,
    errors,
    seconds: (performance.now() - begin) / 1000,
    samples,
    memory: memory(),
  });
}

if (role === 'server') serve();
else if (role === 'idle') idle(Number(rest[0]), Number(rest[1]));
else churn(Number(rest[0]), Number(rest[1]), Number(rest[2]));
process.on('disconnect', () => process.exit());
