// Where the control interfaces of a user are found, and what is not trusted to be one.

import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearEndpoints, controlPaths, findControlEndpoints } from '../../lib/control/control-endpoint';

const PORT = 40_000;
/** Larger than any process id. */
const NOBODY = 2 ** 30;
const { XDG_RUNTIME_DIR, TMPDIR } = process.env;
let folder: string;
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serval-endpoint-'));
  process.env['XDG_RUNTIME_DIR'] = folder;
});

afterEach(async () => {
  for (const [name, value] of Object.entries({ XDG_RUNTIME_DIR, TMPDIR })) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  rmSync(folder, { recursive: true });
});

async function listen(path: string): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen({ path }, resolve));
}

describe('the folder', () => {
  it("is the user's alone, and is made", async () => {
    const [path] = await controlPaths(PORT);
    expect(dirname(path!)).toBe(join(folder, 'serval'));
    expect(statSync(join(folder, 'serval')).mode & 0o777).toBe(0o700);
    expect(basename(path!)).toMatch(new RegExp(`^${PORT}(@\\d+)?-${process.pid}\\.sock$`));
  });

  it('of temporary files where there is no runtime folder, or it is no folder of ours', async () => {
    process.env['TMPDIR'] = folder;
    for (const runtime of ['', 'relative', join(folder, 'none')]) {
      process.env['XDG_RUNTIME_DIR'] = runtime;
      const [path] = await controlPaths(PORT);
      expect(dirname(path!)).toBe(join(folder, `serval-${process.getuid!()}`));
    }
  });

  it.each([
    ['open to others', (path: string) => chmodSync(mkdirSync(path, { recursive: true })!, 0o755)],
    ['a file', (path: string) => writeFileSync(path, '')],
    ['a link to elsewhere', (path: string) => symlinkSync(tmpdir(), path)],
  ])('is not used when it is %s', async (_, make) => {
    make(join(folder, 'serval'));
    await expect(controlPaths(PORT)).rejects.toThrow(/is open to other users|is no folder/);
  });

  it.runIf(process.getuid?.() === 0)("is not used when it is another user's", async () => {
    mkdirSync(join(folder, 'serval'), { mode: 0o700 });
    chownSync(join(folder, 'serval'), 1, 1);
    await expect(controlPaths(PORT)).rejects.toThrow(/belongs to another user/);
  });
});

describe('sockets', () => {
  it('are found by port and network, of processes that live', async () => {
    const [path, second] = await controlPaths(PORT);
    const [other] = await controlPaths(PORT + 1);
    for (const each of [path!, second!, other!]) await listen(each);
    writeFileSync(join(folder, 'serval', 'something else'), '');
    writeFileSync(path!.replace(`-${process.pid}`, `-${NOBODY}`), '');
    writeFileSync(path!.replace(String(PORT), `${PORT}@1`), '');
    const found = await findControlEndpoints(PORT);
    expect(found).toEqual([second, path].map((each) => ({ path: each, pid: process.pid })));
  });

  it('are none where there is no folder', async () => {
    expect(await findControlEndpoints(PORT)).toEqual([]);
    await clearEndpoints();
  });

  it('of the dead are cleared away; who answers is not dead, whatever his number', async () => {
    const [path] = await controlPaths(PORT);
    const dead = path!.replace(`-${process.pid}`, `-${NOBODY}`);
    const foreign = path!.replace(`-${process.pid}`, `-${NOBODY + 1}`);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ path: `${dead}.tmp` }, resolve));
    linkSync(`${dead}.tmp`, dead);
    await new Promise((resolve) => server.close(resolve));
    await listen(foreign);
    await clearEndpoints();
    expect(readdirSync(join(folder, 'serval'))).toEqual([basename(foreign)]);
    expect(await findControlEndpoints(PORT)).toEqual([{ path: foreign, pid: NOBODY + 1 }]);
  });
});
