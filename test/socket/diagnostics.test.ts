// What a tracer inside the process hears (docs/diagnostics.md), and what NODE_DEBUG=serval prints.

import { spawnSync } from 'node:child_process';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { errorMonitor, once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect, createHost, createServer, type Host } from '../../lib/index';

let host: Host;
const told: { name: string; message: Record<string, unknown> }[] = [];
const unsubscribe: (() => void)[] = [];

beforeEach(async () => {
  host = createHost({ links: ['udp-dgram'], broadcast: false, registry: false, control: false });
  await host.ready;
});

afterEach(async () => {
  for (const stop of unsubscribe.splice(0)) stop();
  told.length = 0;
  await host.close();
});

function trace(name: string): void {
  const note = (kind: string) => (message: unknown) => void told.push({ name: kind, message: message as never });
  const never = (kind: string) => () => {
    throw new Error(`${name} has no ${kind}`);
  };
  const listeners = { asyncStart: note('start'), asyncEnd: note('end'), error: note('error') };
  const all = { ...listeners, start: never('start'), end: never('end') };
  tracingChannel(name).subscribe(all);
  unsubscribe.push(() => void tracingChannel(name).unsubscribe(all));
}

function subscribe(name: string): void {
  const note = (message: unknown): void => void told.push({ name, message: message as never });
  channel(name).subscribe(note);
  unsubscribe.push(() => void channel(name).unsubscribe(note));
}

async function serve(name: string) {
  const server = createServer(name, { host }, (socket) => socket.on('error', () => {})).listen();
  await once(server, 'listening');
  return server;
}

const names = () => told.map(({ name }) => name);

describe('tracing:serval.server.listen', () => {
  it('from listen until listening, with one message', async () => {
    trace('serval.server.listen');
    const server = await serve('acme/web');
    expect(names()).toEqual(['start', 'end']);
    expect(told[0]!.message).toBe(told[1]!.message);
    expect(told[0]!.message).toMatchObject({ options: {} });
    expect(told[0]!.message['server']).toBe(server);
  });

  it('tells why it failed', async () => {
    await serve('acme/web');
    trace('serval.server.listen');
    const second = createServer('acme/web', { host }).listen();
    const [error] = await once(second, 'error');
    expect(names()).toEqual(['start', 'error']);
    expect(told[1]!.message['error']).toBe(error);
    expect(error).toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('tracing:serval.resolve', () => {
  it('from connect until an instance has accepted', async () => {
    await serve('acme/web');
    trace('serval.resolve');
    const socket = connect('acme/web', { host });
    expect(names()).toEqual(['start']);
    const order: string[] = [];
    socket.on('connect', () => order.push(...names()));
    await once(socket, 'connect');
    // Before the application's own listeners.
    expect(order).toEqual(['start', 'end']);
    expect(told[0]!.message).toBe(told[1]!.message);
    expect(told[1]!.message).toMatchObject({ address: '127.0.0.1', port: 0, family: 'IPv4' });
    expect(told[1]!.message['serviceID']).toBe(socket.serviceID);
    socket.destroy();
  });

  it('tells why nobody has, and leaves the error to the application', async () => {
    trace('serval.resolve');
    const socket = connect('acme/none', { host });
    const [error] = await once(socket, 'error');
    expect(names()).toEqual(['start', 'error']);
    expect(told[1]!.message['error']).toBe(error);
    expect(socket.listenerCount('error')).toBe(0);
  });

  it('a connect that is given up has no outcome, and leaves nothing behind', async () => {
    trace('serval.resolve');
    const socket = connect('acme/none', { host });
    socket.destroy();
    await once(socket, 'close');
    expect(names()).toEqual(['start']);
    expect([errorMonitor, 'connect', 'close'].map((name) => socket.listenerCount(name))).toEqual([0, 0, 0]);
  });

  it('without a tracer nothing is attached to a socket', () => {
    const socket = connect('acme/none', { host }).on('error', () => {});
    expect(socket.listenerCount('connect') + socket.listenerCount('close')).toBe(0);
    socket.destroy();
  });
});

describe('serval.service, serval.rule', () => {
  const of = (owner: Host) => told.filter(({ message }) => message['host'] === owner);

  it('tell what controllers hear', async () => {
    subscribe('serval.service');
    const server = await serve('acme/web');
    server.close();
    const events = () => of(host).map(({ message }) => message['event'] as Record<string, unknown>);
    await expect.poll(() => events().at(-1)?.['kind']).toBe('unregistered');
    expect(events()).toEqual([
      expect.objectContaining({ kind: 'registered', protocol: 6, weight: 1024 }),
      expect.objectContaining({ kind: 'unregistered', protocol: 6 }),
    ]);
  });

  it('tell what they ask for', async () => {
    subscribe('serval.rule');
    const second = createHost({ links: ['udp-dgram'], router: '192.0.2.1', broadcast: false, registry: false });
    await second.ready;
    await second.close();
    const commands = of(second).map(({ message }) => message['command']);
    const rule = expect.objectContaining({ action: 'forward', address: expect.objectContaining({ family: 4 }) });
    expect(commands).toContainEqual({ kind: 'addRule', rule });
  });
});

describe('NODE_DEBUG=serval', () => {
  const program = `
    const { connect, createHost, createServer } = require(${JSON.stringify(join(__dirname, '../../dist'))});
    const host = createHost({ links: ['udp-dgram'], broadcast: false, registry: false, control: false });
    const server = createServer('acme/web', { host }, (socket) => socket.end()).listen(() => {
      connect('acme/web', { host }).resume().on('close', () => connect('acme/none', { host }).on('error', () => host.close()));
    });`;
  const run = (debug: string) =>
    spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env: { ...process.env, NODE_DEBUG: debug } });

  it('prints what happens', () => {
    const { status, stderr } = run('serval');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^SERVAL \d+: registered \{.*"name":"acme\/web".*\}$/m);
    expect(stderr).toMatch(/^SERVAL \d+: connect acme\/web: 127\.0\.0\.1 port 0 after [\d.]+ ms$/m);
    expect(stderr).toMatch(/^SERVAL \d+: connect acme\/none: .*EHOSTUNREACH/m);
    expect(stderr).toMatch(/^SERVAL \d+: listen [0-9a-f]{64}\/256: listening$/m);
  });

  it('nothing without it', () => {
    expect(run('')).toMatchObject({ status: 0, stderr: '' });
  });
});
