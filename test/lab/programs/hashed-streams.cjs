// Streams of random bytes in both directions, for an actor: each end hashes (SHA-256) what it sends and what it
// receives, so that two ends can be compared that never saw each other's bytes; and each can be moved (§4.4).

const { createHash, randomBytes } = require('node:crypto');

/** Chunks begin anywhere in it, so that two of them are hardly ever the same. */
const NOISE = randomBytes(1 << 16);

/** The verbs; `options` gives those of a socket, `tell` reports an event. */
module.exports = ({ serval, options, tell }) => {
  const ends = new Map();
  const servers = new Map();

  /** Takes connections; their ends here are called as the service, #1, #2 ... */
  function listenHashed({ service, plan }) {
    const server = serval.createServer({ ...options(), allowHalfOpen: true });
    let count = 0;
    server.on('connection', (socket) => {
      const name = `${service}#${++count}`;
      ends.set(name, new HashedEnd(socket, plan));
      tell('met', { name });
    });
    servers.set(service, server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(service, () => resolve());
    });
  }

  function closeHashed({ service }) {
    return new Promise((resolve) => servers.get(service).close(() => resolve()));
  }

  function connectHashed({ service, name, plan, connectTimeout }) {
    const socket = serval.connect(service, { ...options(), connectTimeout, allowHalfOpen: true });
    const end = new HashedEnd(socket, plan);
    ends.set(name, end);
    return new Promise((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
  }

  /** Resolves with the code of what kept it from moving, if anything did. */
  async function migrateEnd({ name, to }) {
    const { socket } = ends.get(name);
    try {
      await socket.migrate(to);
      return undefined;
    } catch (error) {
      return error.code;
    }
  }

  function placeOf({ name }) {
    const { socket } = ends.get(name);
    return { local: socket.localAddress, remote: socket.remoteAddress };
  }

  /** When so many bytes more have come. */
  function awaitBytes({ name, count }) {
    return ends.get(name).more(count);
  }

  /** Says all that it had to say, waits until the other has too, and tells what went and came. */
  function finishEnd({ name }) {
    const end = ends.get(name);
    end.finish();
    return end.report().finally(() => ends.delete(name));
  }

  return { listenHashed, closeHashed, connectHashed, migrateEnd, placeOf, awaitBytes, finishEnd };
};

/** `plan`: `chunk` bytes each `every` milliseconds until it is told to finish, or `bytes` in all, as fast as it goes. */
class HashedEnd {
  sent = 0;
  received = 0;
  moves = 0;
  code;
  #plan;
  #sentHash = createHash('sha256');
  #receivedHash = createHash('sha256');
  #timer;
  #waiting = [];
  #closed;
  #isHeld = false;

  constructor(socket, plan) {
    this.socket = socket;
    this.#plan = plan;
    this.#closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('migrate', () => this.moves++);
    socket.on('error', (error) => {
      this.code = error.code;
    });
    socket.once('close', () => this.#wake());
    socket.on('drain', () => {
      this.#isHeld = false;
      if (plan.bytes !== undefined) this.#pour();
    });
    if (socket.connecting) socket.once('connect', () => this.#begin());
    else this.#begin();
  }

  more(count) {
    const wanted = this.received + count;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ wanted, resolve, reject });
      if (this.socket.destroyed) this.#wake();
    });
  }

  finish() {
    clearInterval(this.#timer);
    if (this.#plan.bytes === undefined) this.socket.end();
  }

  async report() {
    await this.#closed;
    clearInterval(this.#timer);
    const { sent, received, moves, code } = this;
    return {
      sent,
      received,
      moves,
      code,
      sentHash: this.#sentHash.digest('hex'),
      receivedHash: this.#receivedHash.digest('hex'),
    };
  }

  #begin() {
    const { bytes, every } = this.#plan;
    if (bytes !== undefined) return this.#pour();
    this.#timer = setInterval(() => this.#isHeld || this.#write(this.#plan.chunk), every);
  }

  #pour() {
    const { bytes, chunk } = this.#plan;
    while (this.sent < bytes && !this.#isHeld) this.#write(Math.min(chunk, bytes - this.sent));
    if (this.sent === bytes && !this.socket.writableEnded) this.socket.end();
  }

  #write(length) {
    const from = Math.floor(Math.random() * (NOISE.length - length));
    const chunk = NOISE.subarray(from, from + length);
    this.#sentHash.update(chunk);
    this.sent += length;
    this.#isHeld = !this.socket.write(chunk);
  }

  #take(chunk) {
    this.#receivedHash.update(chunk);
    this.received += chunk.length;
    this.#wake();
  }

  #wake() {
    const { destroyed } = this.socket;
    for (const each of this.#waiting) {
      if (this.received >= each.wanted) each.resolve();
      else if (destroyed)
        each.reject(new Error(`closed ${this.code ?? ''} at ${this.received} of ${each.wanted} bytes`));
    }
    this.#waiting = this.#waiting.filter(({ wanted }) => !destroyed && this.received < wanted);
  }
}
