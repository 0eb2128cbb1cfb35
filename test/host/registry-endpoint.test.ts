import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bindEndpoint, connectEndpoint, defaultEndpoint } from '../../lib/host/registry-endpoint';

describe('the default endpoint', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is what the system has for it, and has the port in its name', () => {
    vi.stubEnv('XDG_RUNTIME_DIR', '/run/user/7');
    expect(defaultEndpoint(5, 'linux')).toBe('\0serval-5');
    expect(defaultEndpoint(5, 'win32')).toBe('\\\\.\\pipe\\serval-5');
    expect(defaultEndpoint(5, 'darwin')).toBe('/run/user/7/serval-5.sock');
    vi.stubEnv('XDG_RUNTIME_DIR', undefined);
    expect(defaultEndpoint(5, 'darwin')).toBe(join(tmpdir(), 'serval-5.sock'));
  });
});

describe('an endpoint', () => {
  const servers: Server[] = [];
  let directory = '';
  let path = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'serval-endpoint-'));
    path = join(directory, 'serval.sock');
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(directory, { recursive: true });
  });

  const bind = async (endpoint = path) => {
    const server = await bindEndpoint(endpoint);
    if (server !== undefined) servers.push(server);
    return server;
  };
  const answers = async (endpoint = path) => {
    const socket = await connectEndpoint(endpoint);
    socket?.destroy();
    return socket !== undefined;
  };
  /** A socket file whose owner has died: closing removes only the name that was bound. */
  const leaveBehind = async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ path: `${path}.bound` }, resolve));
    renameSync(`${path}.bound`, path);
    await new Promise((resolve) => server.close(resolve));
    expect(statSync(path).isSocket()).toBe(true);
  };

  it.each([
    ['abstract', () => `\0serval-endpoint-${process.pid}`],
    ['a file', () => path],
  ])('%s has one owner, and is free when that one closes', async (_kind, endpointOf) => {
    const endpoint = endpointOf();
    expect(await answers(endpoint)).toBe(false);
    const server = await bind(endpoint);
    expect(server).toBeDefined();
    expect(await bind(endpoint)).toBeUndefined();
    expect(await answers(endpoint)).toBe(true);
    await new Promise((resolve) => server!.close(resolve));
    expect(await answers(endpoint)).toBe(false);
    expect(await bind(endpoint)).toBeDefined();
  });

  it('that a dead owner left behind is bound anew', async () => {
    await leaveBehind();
    expect(await answers()).toBe(false);
    expect(await bind()).toBeDefined();
    expect(await answers()).toBe(true);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('left behind goes to one of those that find it at once', async () => {
    for (let round = 0; round < 20; round++) {
      await leaveBehind();
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => bind()));
      const owners = outcomes.filter((server) => server !== undefined);
      // None when each met the other's lock or probe: they try again. Never two.
      expect(owners.length).toBeLessThanOrEqual(1);
      expect(await answers()).toBe(owners.length === 1);
      await Promise.all(owners.map((server) => new Promise((resolve) => server.close(resolve))));
      rmSync(path, { force: true });
    }
  });

  it('is left alone while another clears it away', async () => {
    await leaveBehind();
    mkdirSync(`${path}.lock`);
    expect(await bind()).toBeUndefined();
    expect(statSync(path).isSocket()).toBe(true);
  });

  it('is cleared away when the one that was about to has died, too', async () => {
    await leaveBehind();
    mkdirSync(`${path}.lock`);
    const old = Date.now() / 1000 - 10;
    utimesSync(`${path}.lock`, old, old);
    expect(await bind()).toBeUndefined();
    expect(await bind()).toBeDefined();
  });

  it('that is no socket is not removed', async () => {
    writeFileSync(path, 'precious');
    await expect(bind()).rejects.toThrow('is no socket');
    expect(statSync(path).size).toBe(8);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('in a folder that is not there is an error', async () => {
    await expect(bindEndpoint(join(directory, 'none', 'serval.sock'))).rejects.toMatchObject({ syscall: 'listen' });
  });
});
