// The control interface as whoever opens its socket sees it: resources, methods, fields, errors.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONTROL_BODY_MAXIMUM, CONTROL_CLIENTS_MAXIMUM } from '../../lib/control/control-limits';
import { connect, createHost, createServer, type Host, type Server } from '../../lib/index';
import { ask, open } from './ask';

const web = '822b33ad87c148a04b5e57f6eb2f42b900000000000000000000000000000000/256';
let folder: string;
let path: string;
let host: Host;
let server: Server;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serval-control-'));
  path = join(folder, 'host.sock');
  host = createHost({ links: ['udp-dgram'], broadcast: false, registry: false, control: path });
  await host.ready;
  server = createServer('acme/web', { host });
  server.on('connection', (socket) => socket.on('error', () => {}));
  server.listen();
  await once(server, 'listening');
});

afterEach(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

const get = (resource: string) => ask(path, 'GET', resource);
const post = (resource: string, body: unknown) => ask(path, 'POST', resource, body);
const patch = (body: unknown) => ask(path, 'PATCH', '/table', body);
const failure = async (reply: ReturnType<typeof ask>) => {
  const { status, body, type } = await reply;
  expect(type).toBe('application/json');
  expect(Object.keys(body).sort()).toEqual(['code', 'error']);
  return [status, body['code'], body['error']];
};

async function connectedClient() {
  const socket = connect('acme/web', { host });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

describe('what is shown', () => {
  it('the host', async () => {
    const { status, type, body } = await get('/host');
    expect([status, type]).toEqual([200, 'application/json']);
    expect(body).toMatchObject({ version: 1, pid: process.pid, role: null, port: host.port, wellKnownPort: 54325 });
    expect(body).toMatchObject({ links: ['udp-dgram'], router: null, rules: 1, flows: 0, delayed: 0 });
    expect(body['statistics']).toMatchObject({ table: { packetsResolved: 0, bytesResolved: 0 }, links: {} });
  });

  it('rules with their statistics, one a line', async () => {
    await connectedClient();
    const { status, type, lines } = await get('/table');
    expect([status, type]).toEqual([200, 'application/x-ndjson']);
    // Resolved when it leaves, and when it arrives here again.
    const key = { prefix: web, name: 'acme/web', action: 'demux', protocol: 'stream', priority: 32_000, weight: 1024 };
    expect(lines).toEqual([{ ...key, statistics: expect.objectContaining({ packetsResolved: 2, packetsDropped: 0 }) }]);
    expect((lines[0]!['statistics'] as { idle: number }).idle).toBeGreaterThanOrEqual(0);
  });

  it('services, with their instances counted', async () => {
    await post('/table', { prefix: 'acme/web', action: 'forward', address: '192.0.2.1', weight: 6 });
    await post('/table', { prefix: 'acme/web', action: 'forward', address: '192.0.2.2' });
    await post('/table', { prefix: 'acme/other', action: 'forward', address: '192.0.2.2' });
    await post('/table', { prefix: 'acme/none', action: 'drop' });
    await patch({ prefix: 'acme/web', address: '192.0.2.2', ejected: true });
    const { lines } = await get('/services');
    expect(lines).toEqual([
      { prefix: web, name: 'acme/web', instances: 2, ejected: 1, weight: 1030, local: true, packetsResolved: 0 },
      expect.objectContaining({ name: 'acme/other', instances: 1, weight: 1, local: false }),
    ]);
  });

  it('instances, and where they are', async () => {
    await post('/table', { prefix: 'acme/web', action: 'forward', address: '192.0.2.1:1000' });
    await post('/table', { prefix: 'acme/web', action: 'forward', address: '[::1]:1001' });
    const { lines } = await get('/instances?prefix=acme/web');
    expect(lines.map(({ where, address, protocol }) => [where, address, protocol])).toEqual([
      ['local', null, 'stream'],
      ['network', '192.0.2.1:1000', null],
      ['host', '[::1]:1001', null],
    ]);
  });

  it('flows, of both ends', async () => {
    const client = await connectedClient();
    client.end('hello');
    await once(client, 'finish');
    const { lines } = await get('/flows');
    expect(lines.map(({ role }) => role).sort()).toEqual(['client', 'server']);
    const [own, other] = ['client', 'server'].map((role) => lines.find((line) => line['role'] === role)!);
    expect(own).toMatchObject({ protocol: 'stream', name: 'acme/web', remoteAddress: '127.0.0.1', bytesSent: 5 });
    expect(own!['remoteFlowID']).toBe(other!['localFlowID']);
  });

  it('by prefix: what it holds, and what holds it', async () => {
    for (const prefix of ['acme/*', 'acme/web/a', 'other/web', '*']) await post('/table', { prefix, action: 'drop' });
    const names = (await get('/table?prefix=acme/web/*')).lines.map(({ name, prefix }) => name ?? prefix);
    expect(names.sort()).toEqual(['*', 'acme/*', 'acme/web', 'acme/web/a']);
  });
});

describe('rules that are steered', () => {
  it('are added with defaults, replaced, changed and deleted', async () => {
    const rule = { prefix: 'acme/far', action: 'forward', address: '192.0.2.1' };
    const added = await post('/table', rule);
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({ name: 'acme/far', address: '192.0.2.1:54325', link: 1, priority: 1000 });
    expect(added.body).toMatchObject({ weight: 1, scope: 'network', broadcast: false, ejected: false });
    const replaced = await post('/table', { ...rule, priority: 7, idleTimeout: 60_000 });
    expect(replaced).toMatchObject({ status: 200, body: { priority: 7, idleTimeout: 60_000 } });
    const changed = await patch({ prefix: 'acme/far', weight: 9 });
    expect(changed).toMatchObject({ status: 200, body: { priority: 7, weight: 9 } });
    const deleted = await ask(path, 'DELETE', '/table?prefix=acme/far&action=forward&address=192.0.2.1');
    expect(deleted).toMatchObject({ status: 200, body: { name: 'acme/far', address: '192.0.2.1:54325' } });
    expect((await get('/table?prefix=acme/far')).lines).toEqual([]);
  });

  it('take effect on the next connect', async () => {
    await post('/table', { prefix: 'acme/gone', action: 'drop', refuses: true });
    const socket = connect('acme/gone', { host });
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    const { lines } = await get('/table?prefix=acme/gone');
    expect(lines[0]).toMatchObject({ action: 'drop', refuses: true, statistics: { packetsDropped: 1 } });
  });

  it('let go on what waits for them', async () => {
    await post('/table', { prefix: 'late/*', action: 'delay' });
    const failed = once(connect('late/web', { host }), 'error');
    const waits = async () => (await get('/host')).body['delayed'];
    while ((await waits()) === 0) await new Promise((resolve) => setImmediate(resolve));
    await post('/table', { prefix: 'late/web', action: 'drop', refuses: true });
    const [error] = await failed;
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('are ejected, but for the last one', async () => {
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      await post('/table', { prefix: 'acme/far', action: 'forward', address });
    }
    const eject = (address: string) => patch({ prefix: 'acme/far', address, ejected: true });
    expect((await eject('192.0.2.1')).body).toMatchObject({ ejected: true });
    expect((await failure(eject('192.0.2.2'))).slice(0, 2)).toEqual([409, 'CONTROL_LAST_RULE']);
    const back = await patch({ prefix: 'acme/far', address: '192.0.2.1', ejected: false });
    expect(back.body).toMatchObject({ ejected: false });
  });

  it('a picker is set for a prefix', async () => {
    const { status, body } = await ask(path, 'PUT', '/pickers', { prefix: 'acme/*', picker: 'rendezvous' });
    expect([status, body['picker']]).toEqual([200, 'rendezvous']);
    expect((await ask(path, 'PUT', '/pickers', { picker: 'default' })).body).toMatchObject({ picker: 'default' });
  });
});

describe('what is refused', () => {
  it.each([
    ['GET', '/nothing', undefined, 404, 'CONTROL_NOT_FOUND'],
    ['GET', '/__proto__', undefined, 404, 'CONTROL_NOT_FOUND'],
    ['POST', '/host', {}, 405, 'CONTROL_METHOD'],
    ['constructor', '/host', undefined, 400, undefined],
    ['GET', '/table?prefix=a//b', undefined, 400, 'CONTROL_FIELD'],
    ['GET', '/table?limit=1', undefined, 400, 'CONTROL_FIELD'],
    ['GET', '/flows?prefix=a', undefined, 400, 'CONTROL_FIELD'],
    ['POST', '/table', 'no json', 400, 'CONTROL_BODY'],
    ['POST', '/table', '[]', 400, 'CONTROL_BODY'],
    ['POST', '/table', '', 400, 'CONTROL_BODY'],
    ['POST', '/table', {}, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'demux' }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'forward' }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'forward', address: 'host.example' }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'forward', address: '0.0.0.0' }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'forward', address: '192.0.2.1', link: 7 }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'drop', weight: 0 }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'drop', weight: '1' }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'drop', priority: 2 ** 31 }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'drop', idleTimeout: 0.5 }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'drop', wieght: 1 }, 400, 'CONTROL_FIELD'],
    ['POST', '/table', { prefix: 'a', action: 'drop', pad: 'x'.repeat(CONTROL_BODY_MAXIMUM) }, 413, undefined],
    ['PATCH', '/table', { prefix: 'acme/nobody', weight: 2 }, 404, 'CONTROL_NO_RULE'],
    ['PATCH', '/table', { prefix: 'acme/web' }, 400, 'CONTROL_FIELD'],
    ['PATCH', '/table', { prefix: 'acme/web', weight: 2 }, 409, 'CONTROL_SOCKET_RULE'],
    ['DELETE', '/table?prefix=acme/web', undefined, 409, 'CONTROL_SOCKET_RULE'],
    ['DELETE', '/table', undefined, 400, 'CONTROL_FIELD'],
    ['PUT', '/pickers', { picker: 'best' }, 400, 'CONTROL_FIELD'],
    ['POST', '/drain', { prefix: 'acme/nobody' }, 404, 'CONTROL_NO_SERVICE'],
    ['POST', '/drain', { prefix: 'acme/web', timeout: -1 }, 400, 'CONTROL_FIELD'],
  ])('%s %s %j', async (method, resource, body, status, code) => {
    if (code === undefined) {
      const reply = await open(path, method, resource, body).catch(() => undefined);
      if (reply !== undefined) expect(reply.statusCode).toBe(status);
      return;
    }
    const [gotStatus, gotCode, message] = await failure(ask(path, method, resource, body));
    expect([gotStatus, gotCode]).toEqual([status, code]);
    expect(message).toEqual(expect.any(String));
    // And nothing has changed.
    expect((await get('/table')).lines).toHaveLength(1);
  });

  it('one of several rules, without a word which', async () => {
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      await post('/table', { prefix: 'acme/far', action: 'forward', address });
    }
    expect((await failure(patch({ prefix: 'acme/far', weight: 2 }))).slice(0, 2)).toEqual([
      409,
      'CONTROL_SEVERAL_RULES',
    ]);
  });
});

describe('migrating', () => {
  const migrate = (body: object) => ask(path, 'POST', '/migrate', body);

  it('says of each flow what has become of it', async () => {
    await connectedClient();
    const flows = (await get('/flows')).lines;
    const there = await migrate({ prefix: 'acme/web', to: 'lo' });
    expect(there.status).toBe(200);
    expect(there.lines.map(({ localFlowID }) => localFlowID).sort()).toEqual(
      flows.map(({ localFlowID }) => localFlowID).sort(),
    );
    for (const line of there.lines) {
      expect(line).toMatchObject({
        name: 'acme/web',
        protocol: 'stream',
        interface: 'lo',
        outcome: 'there',
        code: null,
      });
    }
    const [{ localFlowID: flow, localAddress }] = flows as [{ localFlowID: number; localAddress: string }];
    const refused = await migrate({ flow, to: 'eth77' });
    expect(refused.lines).toMatchObject([{ localFlowID: flow, outcome: 'refused', code: 'ENODEV', localAddress }]);
    expect((await migrate({ flow, to: '192.0.2.77' })).lines).toMatchObject([{ code: 'EADDRNOTAVAIL' }]);
    expect((await migrate({ interface: 'lo', to: '192.0.2.77' })).lines).toHaveLength(flows.length);
  });

  it.each([
    [{ flow: 1, to: 'lo' }, 404, 'CONTROL_NO_FLOW'],
    [{ interface: 'eth77', to: 'lo' }, 404, 'CONTROL_NO_FLOW'],
    [{ prefix: 'acme/none', to: 'lo' }, 404, 'CONTROL_NO_FLOW'],
    [{ to: 'lo' }, 400, 'CONTROL_FIELD'],
    [{ flow: 1 }, 400, 'CONTROL_FIELD'],
    [{ flow: 1, interface: 'lo', to: 'lo' }, 400, 'CONTROL_FIELD'],
    [{ flow: 0, to: 'lo' }, 400, 'CONTROL_FIELD'],
    [{ flow: 1, to: 7 }, 400, 'CONTROL_FIELD'],
    [{ flow: 1, to: '' }, 400, 'CONTROL_FIELD'],
    [{ flow: 1, to: 'lo', timeout: 0 }, 400, 'CONTROL_FIELD'],
    [{ flow: 1, to: 'lo', fast: true }, 400, 'CONTROL_FIELD'],
  ])('%j', async (body, status, code) => {
    expect((await failure(migrate(body))).slice(0, 2)).toEqual([status, code]);
  });
});

describe('draining', () => {
  it('answers when the last connection has ended', async () => {
    const client = await connectedClient();
    const drained = post('/drain', { prefix: 'acme/web' });
    await once(server, 'draining');
    client.end();
    client.resume();
    expect((await drained).body).toEqual({ drained: [{ prefix: web, name: 'acme/web', finished: 1, cut: 0 }] });
    expect(server.listening).toBe(false);
  });

  it('cuts off what has not ended in time, of all services of a prefix', async () => {
    await connectedClient();
    const { body } = await post('/drain', { prefix: 'acme/*', timeout: 10 });
    expect(body).toEqual({ drained: [{ prefix: web, name: 'acme/web', finished: 0, cut: 1 }] });
  });
});

describe('the socket', () => {
  it('is for its user alone, and goes with the host', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(host.controlPath).toBe(path);
    await host.close();
    expect(() => statSync(path)).toThrow(/ENOENT/);
  });

  it('takes so many clients, and no more', async () => {
    const clients = Array.from({ length: CONTROL_CLIENTS_MAXIMUM }, () => dial(path));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    const oneMore = dial(path);
    await once(oneMore, 'close');
    clients[0]!.destroy();
    await once(clients[0]!, 'close');
    for (;;) {
      const reply = await get('/host').catch(() => undefined);
      if (reply?.status === 200) break;
    }
    for (const client of clients) client.destroy();
  });

  it('is not taken from another process that listens there, and the host works without', async () => {
    const warning = once(process, 'warning');
    const second = createHost({ links: ['udp-dgram'], broadcast: false, registry: false, control: path });
    await second.ready;
    const [{ message }] = await warning;
    expect(message).toMatch(/the control interface .* is another process's/);
    expect(second.controlPath).toBeUndefined();
    await second.close();
    expect((await get('/host')).status).toBe(200);
  });

  it('whatever else stands there is left alone', async () => {
    await host.close();
    writeFileSync(path, 'precious');
    const warning = once(process, 'warning');
    const other = createHost({ links: ['udp-dgram'], broadcast: false, registry: false, control: path });
    await other.ready;
    expect((await warning)[0].message).toContain('is no socket');
    await other.close();
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });
});
