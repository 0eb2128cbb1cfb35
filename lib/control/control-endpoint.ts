// Where the control interfaces of this user's processes are: socket files in a folder that nobody else may enter,
// with the host's port, the network namespace and the process in their names. Who looks for them clears away what
// dead processes have left.

import { lstat, mkdir, readdir, readlink, stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { CONTROL_CLEARED_MAXIMUM, CONTROL_HOSTS_MAXIMUM } from './control-limits';

/** The control interface of one process. */
export interface ControlEndpoint {
  readonly path: string;
  readonly pid: number;
}

/** The paths for a host of this process, the first free one to be taken. Rejects when the folder is not ours alone. */
export async function controlPaths(port: number): Promise<readonly string[]> {
  const folder = await openFolder();
  const host = await hostKey(port);
  return Array.from({ length: CONTROL_HOSTS_MAXIMUM }, (_, index) =>
    join(folder, `${host}-${process.pid}${index === 0 ? '' : `.${index}`}.sock`),
  );
}

/** What the processes of this user on this host offer, the oldest process id first. None where there is no folder. */
export async function findControlEndpoints(port: number): Promise<readonly ControlEndpoint[]> {
  const folder = await runtimeFolder();
  const host = await hostKey(port);
  const found: ControlEndpoint[] = [];
  for (const { name, key, pid } of await namesIn(folder)) {
    const endpoint = { path: join(folder, name), pid };
    if (key === host && (isAlive(pid) || (await isAnswering(endpoint.path)))) found.push(endpoint);
  }
  return found.sort((a, b) => a.pid - b.pid || (a.path < b.path ? -1 : 1));
}

/** Removes what dead processes have left, so much at a time. */
export async function clearEndpoints(): Promise<void> {
  const folder = await runtimeFolder();
  const dead = (await namesIn(folder)).filter(({ pid }) => !isAlive(pid)).slice(0, CONTROL_CLEARED_MAXIMUM);
  await Promise.all(dead.map(({ name }) => forgetEndpoint(join(folder, name))));
}

/** Removes it, unless somebody answers there: a process of another pid namespace looks dead from here. */
export async function forgetEndpoint(path: string): Promise<void> {
  if (!(await isAnswering(path))) await unlink(path).catch(() => {});
}

/** `PORT[@NAMESPACE]-PID[.N].sock` */
const NAME = /^(\d+(?:@\d+)?)-(\d+)(?:\.\d+)?\.sock$/;

/**
 * Made for its owner alone, who is checked: in a folder for everybody, as /tmp is, somebody else could have made it
 * before us, and would be who answers or listens there.
 */
async function openFolder(): Promise<string> {
  const folder = await runtimeFolder();
  await mkdir(folder, { mode: 0o700 }).catch(ignoreExisting);
  const entry = await lstat(folder);
  if (!entry.isDirectory()) throw new Error(`${folder} is no folder`);
  if (entry.uid !== process.getuid?.()) throw new Error(`${folder} belongs to another user`);
  if ((entry.mode & 0o077) !== 0) throw new Error(`${folder} is open to other users`);
  return folder;
}

/** XDG_RUNTIME_DIR is another user's where `su` has kept the environment. */
async function runtimeFolder(): Promise<string> {
  const uid = process.getuid?.();
  const runtime = process.env['XDG_RUNTIME_DIR'];
  if (runtime !== undefined && isAbsolute(runtime)) {
    const entry = await stat(runtime).catch(() => undefined);
    if (entry?.isDirectory() && entry.uid === uid) return join(runtime, 'serval');
  }
  return join(tmpdir(), `serval-${uid}`);
}

/** One file system may serve several network namespaces, and each is a host of its own. */
async function hostKey(port: number): Promise<string> {
  const link = await readlink('/proc/self/ns/net').catch(() => '');
  const namespace = /^net:\[(\d+)\]$/.exec(link)?.[1];
  return namespace === undefined ? String(port) : `${port}@${namespace}`;
}

async function namesIn(folder: string): Promise<{ name: string; key: string; pid: number }[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => {
    const match = NAME.exec(name);
    return match === null ? [] : { name, key: match[1]!, pid: Number(match[2]) };
  });
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
