// The place where the processes of one host meet: whoever binds it is the holder. An abstract Unix socket on
// Linux (it ends with its owner and is apart for each network namespace, as UDP ports are), a named pipe on
// Windows, else a socket file, whose leftovers are cleared away here.

import { lstat, mkdir, rmdir, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function defaultEndpoint(port: number, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'linux' || platform === 'android') return `\0serval-${port}`;
  if (platform === 'win32') return `\\\\.\\pipe\\serval-${port}`;
  return join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `serval-${port}.sock`);
}

/** Binds the endpoint: the server, or `undefined` when another process has it. */
export async function bindEndpoint(endpoint: string): Promise<Server | undefined> {
  const server = await listen(endpoint);
  if (server !== undefined || !isFile(endpoint)) return server;
  return bindInsteadOfTheDead(endpoint);
}

/** Connects to whoever holds the endpoint, or `undefined` when nobody does at the moment. */
export function connectEndpoint(endpoint: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: endpoint });
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code !== undefined && NOBODY.has(error.code)) resolve(undefined);
      else reject(error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

/** Refused, no such file, a full backlog, or gone between the two: all of them mean try again. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOENT', 'EAGAIN', 'ECONNRESET', 'EPIPE']);

function listen(endpoint: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    };
    server.once('error', onError);
    // Exclusive: in a cluster the primary must not bind for its workers, each worker is a process by itself.
    server.listen({ path: endpoint, exclusive: true }, () => {
      server.off('error', onError);
      resolve(server);
    });
  });
}

function isFile(endpoint: string): boolean {
  return !endpoint.startsWith('\0') && !endpoint.startsWith('\\\\.\\pipe\\');
}

/**
 * A socket file outlives its owner. Two processes that both find it dead must not both remove it - the
 * second would remove the first one's new socket - so the removal is guarded by a lock directory.
 */
async function bindInsteadOfTheDead(endpoint: string): Promise<Server | undefined> {
  const lock = `${endpoint}.lock`;
  if (!(await takeLock(lock))) return undefined;
  try {
    const holder = await connectEndpoint(endpoint);
    if (holder !== undefined) {
      holder.destroy();
      return undefined;
    }
    await removeSocketFile(endpoint);
    return await listen(endpoint);
  } finally {
    await rmdir(lock).catch(ignoreMissing);
  }
}

/** Whatever else stands there, by a slip in the configuration, is not ours to remove. */
async function removeSocketFile(path: string): Promise<void> {
  const entry = await lstat(path).catch(() => undefined);
  if (entry !== undefined && !entry.isSocket()) throw new Error(`${path} is there and is no socket`);
  await unlink(path).catch(ignoreMissing);
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const entry = await stat(lock).catch(() => undefined);
    // Its owner died inside: the work under the lock takes milliseconds.
    if (entry !== undefined && Date.now() - entry.mtimeMs > LOCK_AGE_MAXIMUM) await rmdir(lock).catch(ignoreMissing);
    return false;
  }
}

const LOCK_AGE_MAXIMUM = 2000;

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
