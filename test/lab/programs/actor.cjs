// A program that does with sockets what a test tells it, over its IPC channel: { id, verb, ...arguments } in,
// { id, result } or { id, error } out, and { event, ... } for what happens later. It runs like any program:
// when nothing is open and the test has said `leave`, it ends by itself.

const { once } = require('node:events');
const serval = require('../../../dist/index.js');
const hashedStreams = require('./hashed-streams.cjs');

/** Milliseconds on the machine's clock, the same in all processes. */
const now = () => Number(process.hrtime.bigint()) / 1e6;
const tell = (event, rest = {}) => process.connected && process.send({ event, at: now(), ...rest });

let host;
let router;
const servers = new Map();
const sockets = new Map();
const datagrams = new Map();
const streams = new Map();
const options = () => (host === undefined ? {} : { host });

// ---- servers ----

/** What a server does with a connection. */
const behaviors = {
  /** Says which process it is, and stays open until the client ends. */
  identify(socket) {
    socket.on('error', () => {});
    socket.write(`${process.pid}\n`);
    socket.resume();
  },
  echo(socket) {
    socket.on('error', () => {});
    socket.pipe(socket);
  },
  /** Counts what comes and tells how it ended. */
  count(socket) {
    const seen = { bytes: 0, last: '', ended: false, code: undefined };
    socket.on('data', (chunk) => {
      seen.bytes += chunk.length;
      seen.last = chunk.subarray(-16).toString('latin1');
    });
    socket.on('end', () => {
      seen.ended = true;
    });
    socket.on('error', (error) => {
      seen.code = error.code;
    });
    socket.on('close', () => tell('counted', seen));
  },
  /** Takes connections and neither reads nor writes. */
  ignore(socket) {
    socket.on('error', () => {});
    socket.pause();
  },
};

function listen({ service, behavior }) {
  const server = serval.createServer({ ...options(), allowHalfOpen: behavior === 'echo' });
  server.on('connection', (socket) => {
    tell('accepted', { service });
    behaviors[behavior](socket);
  });
  servers.set(service, server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(service, () => resolve(process.pid));
  });
}

function closeServer({ service }) {
  return new Promise((resolve) => servers.get(service).close(() => resolve()));
}

/** How it ended: connections that ended by themselves, and that were cut. */
function drainServer({ service, timeout }) {
  return servers.get(service).drain({ timeout });
}

/** Sets what is given: `weight`, `maxConnections`. */
function tuneServer({ service, ...wishes }) {
  Object.assign(servers.get(service), wishes);
}

function isWithdrawn({ service }) {
  return servers.get(service).withdrawn;
}

// ---- clients ----

/** Connects to an `identify` server; with `name` the connection stays open and is watched. */
function connect({ service, connectTimeout, name }) {
  const startedAt = now();
  return new Promise((resolve) => {
    const socket = serval.connect(service, { ...options(), connectTimeout });
    if (name !== undefined) sockets.set(name, socket);
    let text = '';
    let code;
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.includes('\n')) return;
      const { remoteAddress, remotePort } = socket;
      resolve({ startedAt, answeredAt: now(), pid: Number.parseInt(text, 10), remoteAddress, remotePort });
      if (name === undefined) socket.end();
    });
    socket.on('error', (error) => {
      code = error.code;
      resolve({ startedAt, failedAt: now(), code });
    });
    socket.on('close', () => {
      resolve({ startedAt, failedAt: now(), code: code ?? 'closed without an answer' });
      if (name !== undefined) tell('closed', { name, code });
    });
  });
}

/** Ends a connection that `connect` kept, and waits for its end. */
function endSocket({ name }) {
  return new Promise((resolve) =>
    sockets
      .get(name)
      .once('close', () => resolve())
      .end(),
  );
}

const probes = new Map();

/** Connects to `service` again and again, without waiting for answers, until `endProbe`. */
function startProbe({ service, every, connectTimeout }) {
  const probe = { attempts: [], timer: undefined };
  const attempt = () => probe.attempts.push(connect({ service, connectTimeout }));
  probe.timer = setInterval(attempt, every);
  attempt();
  probes.set(service, probe);
}

async function endProbe({ service }) {
  const probe = probes.get(service);
  clearInterval(probe.timer);
  return Promise.all(probe.attempts);
}

/** Sends numbered bytes to an `echo` server, a little every few milliseconds, and checks what comes back. */
function startStream({ service, name }) {
  const socket = serval.connect(service, options());
  const state = { sent: 0, received: 0, wrong: 0, longestPause: 0, last: undefined, code: undefined, timer: undefined };
  const pattern = (position) => (position * 31 + (position >>> 8)) & 0xff;
  state.timer = setInterval(() => {
    const chunk = Buffer.alloc(700);
    for (let index = 0; index < chunk.length; index++) chunk[index] = pattern(state.sent + index);
    state.sent += chunk.length;
    socket.write(chunk);
  }, 2);
  socket.on('data', (chunk) => {
    for (const byte of chunk) if (byte !== pattern(state.received++)) state.wrong++;
    state.longestPause = Math.max(state.longestPause, now() - (state.last ?? now()));
    state.last = now();
  });
  socket.on('error', (error) => {
    state.code = error.code;
  });
  streams.set(name, { socket, state });
  return new Promise((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('error', reject);
  });
}

/** The time at which something comes back next: at once from what has been sent, or when its way is open again. */
async function nextData({ name }) {
  await once(streams.get(name).socket, 'data');
  return now();
}

/** Ends the stream and waits for the rest: what was sent, what came back, and how it ended. */
function endStream({ name }) {
  const { socket, state } = streams.get(name);
  clearInterval(state.timer);
  const report = () => ({ ...state, timer: undefined, last: undefined });
  if (socket.destroyed) return report();
  socket.end();
  return new Promise((resolve) => socket.once('close', () => resolve(report())));
}

// ---- the end of a process ----

/** Writes `bytes` bytes, ends, and leaves nothing else that would keep the process. */
function sendAndLeave({ service, bytes }) {
  const socket = serval.connect(service, options());
  socket.on('error', (error) => console.error(error));
  socket.end(Buffer.alloc(bytes, 'x'));
  socket.resume();
  setImmediate(leave);
}

/** `socket.end('bye')`, and in the same breath the end of the process. */
function byeAndExit({ service, delay }) {
  const socket = serval.connect(service, options(), () => {
    // With `delay` a turn between: the bytes have left, the end may not have been acknowledged.
    const bye = () => {
      socket.end('bye');
      process.exit(0);
    };
    if (delay) setTimeout(bye, 50);
    else bye();
  });
}

function unref({ name, service }) {
  if (name !== undefined) sockets.get(name).unref();
  if (service !== undefined) servers.get(service).unref();
}

function leave() {
  process.disconnect();
}

// ---- the host ----

function createHost({ settings }) {
  host = serval.createHost(settings);
  return host.ready;
}

/** Makes this process a service router; its sockets are on the router's host. */
function createRouter({ settings }) {
  router = serval.createRouter(settings);
  host = router.host;
  return router.ready;
}

/** Where the instances are that are registered with this router. */
function registered() {
  return router.instances().map(({ address }) => address.toString());
}

function role() {
  return host?.role;
}

function closeHost() {
  const closed = host.close();
  host = undefined;
  return closed;
}

function statistics() {
  return host.statistics();
}

/** Flows in the table that are more than a memory of ended ones, half-open ones among them. */
function liveFlows() {
  return host.driver.stack.sal.flowTable.size;
}

// ---- datagrams ----

/** A socket that keeps what it gets; `answers` it with its process's id, and connects when told to. */
function bindDatagram({ name, service, answers }) {
  const socket = serval.createSocket(options());
  const messages = [];
  datagrams.set(name, { socket, messages });
  socket.on('error', (error) => tell('datagramError', { name, code: error.code }));
  socket.on('message', (bytes, rinfo) => {
    messages.push({ length: bytes.length, text: bytes.subarray(0, 40).toString(), from: rinfo.serviceID?.toString() });
    if (answers) socket.send(`${process.pid} got ${bytes.length}`, rinfo);
    tell('message', { name, count: messages.length, text: bytes.subarray(0, 40).toString() });
  });
  return new Promise((resolve) => {
    const bound = () => resolve(socket.address().serviceID.toString());
    if (service === undefined) socket.bind(bound);
    else socket.bind(service, bound);
  });
}

function connectDatagram({ name, service, connectTimeout }) {
  const { socket } = datagrams.get(name);
  return new Promise((resolve) => {
    socket.connect(service, { connectTimeout }, (error) => resolve(error?.code));
  });
}

/** Sends `length` bytes to `service`, or to whom the socket is connected; the code of the error, if there was one. */
function sendDatagram({ name, service, length = 10 }) {
  const { socket } = datagrams.get(name);
  const bytes = Buffer.alloc(length, 'd');
  return new Promise((resolve) => {
    const done = (error) => resolve(error?.code);
    if (service === undefined) socket.send(bytes, done);
    else socket.send(bytes, service, done);
  });
}

function datagramMessages({ name }) {
  return datagrams.get(name).messages;
}

function closeDatagram({ name }) {
  return new Promise((resolve) => datagrams.get(name).socket.close(() => resolve()));
}

// ---- the channel ----

const verbs = {
  ...hashedStreams({ serval, options, tell }),
  listen,
  closeServer,
  drainServer,
  tuneServer,
  isWithdrawn,
  connect,
  endSocket,
  startProbe,
  endProbe,
  startStream,
  nextData,
  endStream,
  sendAndLeave,
  byeAndExit,
  unref,
  leave,
  createHost,
  createRouter,
  registered,
  role,
  closeHost,
  statistics,
  liveFlows,
  bindDatagram,
  connectDatagram,
  sendDatagram,
  datagramMessages,
  closeDatagram,
};

process.on('message', async ({ id, verb, ...args }) => {
  try {
    const result = await verbs[verb](args);
    if (process.connected) process.send({ id, result });
  } catch (error) {
    if (process.connected) process.send({ id, error: error.stack });
  }
});
tell('ready');
