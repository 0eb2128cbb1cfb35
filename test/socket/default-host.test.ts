import { readFileSync } from 'node:fs';
import { beforeEach, expect, test, vi } from 'vitest';
import { MemoryHost } from './memory-host';

beforeEach(() => {
  Reflect.deleteProperty(globalThis, Symbol.for('serval.defaultHost'));
  vi.resetModules();
});

async function copyOfThePackage() {
  vi.resetModules();
  const slot = await vi.importActual<typeof import('../../lib/socket/default-host')>('../../lib/socket/default-host');
  const { createServer, connect } =
    await vi.importActual<typeof import('../../lib/socket/connections')>('../../lib/socket/connections');
  const { createSocket } = await vi.importActual<typeof import('../../lib/socket/datagram-socket')>(
    '../../lib/socket/datagram-socket',
  );
  return { ...slot, createServer, connect, createSocket };
}

test('is made on first use, once, and serves every kind of socket', async () => {
  const serval = await copyOfThePackage();
  let made = 0;
  serval.setDefaultHostFactory(() => {
    made++;
    return new MemoryHost();
  });
  expect([made, serval.existingDefaultHost()]).toEqual([0, undefined]);
  const server = serval.createServer('acme/web').listen();
  const socket = serval.connect('acme/web');
  await new Promise((resolve) => socket.on('connect', resolve));
  serval.createSocket().bind('acme/log');
  expect(made).toBe(1);
  expect(serval.existingDefaultHost()).toBe(serval.defaultHost());
  socket.destroy();
  server.close();
});

test('is shared by copies of the package; the first factory makes it', async () => {
  const [first, second] = [await copyOfThePackage(), await copyOfThePackage()];
  expect(first.connect).not.toBe(second.connect);
  const host = new MemoryHost();
  first.setDefaultHostFactory(() => host);
  second.setDefaultHostFactory(() => new MemoryHost());
  expect(second.defaultHost()).toBe(host);
  expect(first.defaultHost()).toBe(host);
});

test('a service of one copy is reached by the other', async () => {
  const [first, second] = [await copyOfThePackage(), await copyOfThePackage()];
  first.setDefaultHostFactory(() => new MemoryHost());
  const server = first.createServer('acme/web', (socket) => socket.end('hi')).listen();
  const socket = second.connect('acme/web').setEncoding('utf8');
  expect(await new Promise((resolve) => socket.on('data', resolve))).toBe('hi');
  server.close();
});

test('is forgotten when it is closed, and made anew', async () => {
  const serval = await copyOfThePackage();
  serval.setDefaultHostFactory(() => new MemoryHost());
  const host = serval.defaultHost();
  serval.forgetDefaultHost(new MemoryHost());
  expect(serval.defaultHost()).toBe(host);
  serval.forgetDefaultHost(host);
  expect(serval.defaultHost()).not.toBe(host);
});

test('without a factory is an error that says so', async () => {
  const serval = await copyOfThePackage();
  expect(() => serval.defaultHost()).toThrow(/no factory/);
});

test('the version that keys it is that of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect((await copyOfThePackage()).MAJOR_VERSION).toBe(Number.parseInt(version, 10));
});
