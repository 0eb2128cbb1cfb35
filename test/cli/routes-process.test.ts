// The commands that ask for the way of a first packet, and the one that is a service router, as a user runs them.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { NetworkAddress } from '../../lib/wire/network-address';
import { parseSalPacket, type SalPacket, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { cells, hasTerminal, objects, shell } from './shell';

const { serval, begin, onTerminal, program, port, freshPort } = shell();

describe('serval ping', () => {
  it('tells who answered, after which time, and sums up', async () => {
    await program('host');
    const server = await program('serve', 'acme/web');
    const { code, stdout, stderr } = await serval('ping acme/web -c 3 -i 0.01');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const line = String.raw`acme/web: seq=\d 127\.0\.0\.1:(\d+) [\d.]+ ms through 127\.0\.0\.1:${port()}\n`;
    const summary = String.raw`\n3 asked, 3 answered\nround trip [\d.]+ ms / [\d.]+ ms / [\d.]+ ms \(least, mean, most\)\n`;
    expect(stdout).toMatch(new RegExp(String.raw`^(${line}){3}${summary}instance 127\.0\.0\.1:\d+ answered 3\n$`));
    // The application has seen nothing of it.
    expect(server.stdout).toBe('listening\n');
    expect(objects(await serval('flows --json').then((all) => ({ ...all, stdout: all.stdout || '{}' })))).toEqual([{}]);
  });

  it('as JSON, one object an answer', async () => {
    await program('host');
    await program('serve', 'acme/web');
    const [one, two, summary] = objects(await serval('ping acme/web -c 2 -i 0.01 --json'));
    expect(one).toMatchObject({ sequence: 1, service: 'acme/web', attempts: 1, routers: [`127.0.0.1:${port()}`] });
    expect(two).toMatchObject({ sequence: 2, address: one!['address'] });
    const roundTripTime = { minimum: expect.any(Number), mean: expect.any(Number), maximum: expect.any(Number) };
    const instances = { [String(one!['address'])]: 2 };
    expect(summary).toEqual({ summary: { service: 'acme/web', sent: 2, answered: 2, roundTripTime, instances } });
  });

  it('of a service that nobody has', async () => {
    await program('host');
    const text = await serval('ping acme/none -c 1');
    expect(text).toEqual({ code: 1, stdout: 'acme/none: seq=1 ECONNREFUSED\n\n1 asked, 0 answered\n', stderr: '' });
    const json = await serval('ping acme/none -c 1 --json');
    expect(json.code).toBe(1);
    const [answer, summary] = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answer).toMatchObject({ error: { code: 'ECONNREFUSED' } });
    expect(summary).toMatchObject({ summary: { sent: 1, answered: 0, roundTripTime: null } });
  });

  it('by way of an address, which may be where nobody is', async () => {
    const server = await program('serve', 'acme/web');
    const [{ port: dataPort }] = objects(await serval(`hosts --process ${server.pid} --json`)) as [{ port: number }];
    const [direct] = objects(await serval(`ping acme/web -c 1 --json --via 127.0.0.1:${dataPort}`));
    expect(direct).toMatchObject({ address: `127.0.0.1:${dataPort}`, routers: [] });
    const nowhere = await serval(`ping acme/web -c 1 --timeout 0.2 --via 127.0.0.1:${freshPort()}`);
    expect(nowhere.code).toBe(1);
    const wrong = await serval('ping acme/web -c 1 --via somewhere');
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('--via must be ADDRESS')]);
  });

  it('interrupted, it sums up', async () => {
    await program('serve', 'acme/web');
    const ping = begin('ping acme/web');
    await ping.printed(/seq=1 .*\n/);
    ping.signal('SIGINT');
    expect(await ping.ended).toBe(0);
    expect(ping.stdout).toContain('\n1 asked, 1 answered\n');
  });

  it('a name that is none', async () => {
    const { code, stdout, stderr } = await serval('ping acme/* -c 1');
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('(ERR_SERVAL_INVALID_NAME)')]);
  });
});

describe('serval trace', () => {
  it('tells each hop, and its process where that is here', async () => {
    const holder = await program('host');
    const server = await program('serve', 'acme/web');
    const { code, stdout } = await serval('trace acme/web');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ 0 {2}client {4}port \d+ +pid \d+\n/);
    expect(stdout).toMatch(new RegExp(`^ 1  router    127\\.0\\.0\\.1:${port()} +[\\d.]+ ms  pid ${holder.pid}$`, 'm'));
    expect(stdout).toMatch(
      new RegExp(`^ 2  instance  127\\.0\\.0\\.1:\\d+ +[\\d.]+ ms  pid ${server.pid}\nround trip [\\d.]+ ms\n$`, 'm'),
    );
    const [trace] = objects(await serval('trace acme/web --json'));
    expect(trace).toMatchObject({
      service: 'acme/web',
      attempts: 1,
      hops: [
        { hop: 0, roundTripTime: null },
        { pid: holder.pid, roundTripTime: expect.any(Number) },
        { pid: server.pid, roundTripTime: trace!['roundTripTime'] },
      ],
    });
  });

  it('shows a star for a router that only passes packets on, as older ones do', async () => {
    const server = await program('serve', 'acme/web');
    const [{ port: dataPort }] = objects(await serval(`hosts --process ${server.pid} --json`)) as [{ port: number }];
    const router = await olderRouter(dataPort);
    const via = `--via 127.0.0.1:${router.address().port}`;
    const [, first, second] = (await serval(`trace acme/web ${via}`)).stdout.split('\n');
    expect(first).toMatch(new RegExp(`^ 1  router    127\\.0\\.0\\.1:${router.address().port} +\\*$`));
    expect(second).toMatch(/^ 2 {2}instance .* ms/);
    const [trace] = objects(await serval(`trace acme/web ${via} --json`));
    expect(trace).toMatchObject({ hops: [{}, { kind: 'router', roundTripTime: null }, { kind: 'instance' }] });
    router.close();
  });

  it('of a service that nobody has', async () => {
    await program('host');
    const { code, stderr } = await serval('trace acme/none');
    expect([code, stderr]).toEqual([1, expect.stringContaining('(ECONNREFUSED)')]);
  });
});

/** Knows nothing of SYNs that are to stop at it. */
async function olderRouter(serverPort: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (message, { address, port: from }) => {
    const packet = parseSalPacket(message, 0, message.length) as SalPacket;
    const source = [NetworkAddress.parse(address, from)!, NetworkAddress.parse('127.0.0.1', socket.address().port)!];
    const header = Buffer.alloc(512);
    const length = writeSalPacketHeader(header, 0, { ...packet, source, sourceFlags: packet.sourceFlags! & 0xe0 });
    socket.send([header.subarray(0, length), message.subarray(packet.transportOffset)], serverPort, '127.0.0.1');
  });
  return socket;
}

describe('serval router', () => {
  it('takes registrations and leads first packets to them, and ends in good order', async () => {
    const router = begin('router --aggregate acme/* --picker acme/*=rendezvous --relay-replies');
    await router.printed(new RegExp(`^service router on port ${port()}, link udp.*\n`));
    const below = { SERVAL_ROUTER: `127.0.0.1:${port()}` };
    await program('serve', 'acme/web', { ...below, SERVAL_PORT: String(freshPort()) });
    const client = { ...below, SERVAL_PORT: String(freshPort()) };
    const [answer] = objects(await serval('ping acme/web -c 1 --json', client));
    expect(answer).toMatchObject({ routers: expect.arrayContaining([`127.0.0.1:${port()}`]) });
    const [row] = cells(await serval('hosts --registered')).slice(1);
    expect(row).toEqual([
      hostname(),
      expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      '1',
      expect.any(String),
      expect.any(String),
    ]);
    const [registered] = objects(await serval('hosts --registered --json'));
    expect(registered).toMatchObject({ name: hostname(), instances: 1, identity: expect.any(String) });
    const [instance] = objects(await serval('instances acme/web --json'));
    expect(instance).toMatchObject({ name: 'acme/web', where: 'host', weight: expect.any(Number) });
    router.signal('SIGTERM');
    expect(await router.ended).toBe(0);
    expect(router.stdout).toMatch(/\nclosed\n$/);
    expect(router.stderr).toBe('');
  });

  it('as JSON', async () => {
    const router = begin('router --json --aggregate acme/* --aggregate other/*');
    await router.printed(/\n/);
    const [facts] = router.stdout.split('\n').map((line) => line && JSON.parse(line));
    const aggregates = ['acme/*', 'other/*'];
    expect(facts).toMatchObject({ event: 'listening', pid: router.pid, port: port(), router: null, aggregates });
    router.signal('SIGINT');
    expect(await router.ended).toBe(0);
    expect(router.stdout).toMatch(/\n\{"event":"closed"\}\n$/);
  });

  it('a router below a router says so', async () => {
    begin('router --json');
    const above = port();
    const below = begin(`router --port ${freshPort()} --router 127.0.0.1:${above}`);
    await below.printed(new RegExp(`, below 127\\.0\\.0\\.1:${above}\n`));
  });

  it.runIf(hasTerminal)('on a terminal it renews a line of counters, and ends all the same', async () => {
    const router = onTerminal('router');
    const line = String.raw`\r0 hosts, 0 instances, 0 first packets forwarded, 0 dropped`;
    await router.printed(new RegExp(`link udp.*\r?\n(${line}.*){2}`, 's'));
    const [{ pid }] = objects(await serval('hosts --json')) as [{ pid: number }];
    process.kill(pid, 'SIGTERM');
    expect(await router.ended).toBe(0);
    expect(router.stdout).toMatch(/\r?\nclosed\r?\n$/);
  });

  it('takes the port from a process that is no router', async () => {
    const former = await program('host');
    const router = begin('router --json');
    await router.printed(/\n/);
    const roles = objects(await serval('hosts --json')).map(({ pid, role }) => [pid, role]);
    expect(roles).toContainEqual([router.pid, 'holder']);
    expect(roles).toContainEqual([former.pid, 'member']);
  });

  it('another router has the port', async () => {
    await begin('router --json').printed(/\n/);
    const { code, stdout, stderr } = await serval('router');
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining('(EADDRINUSE)')]);
  });

  it.each([
    ['router --picker acme/web', 'ERR_INVALID_ARG_VALUE', '--picker must be PREFIX=VALUE, not acme/web'],
    ['router --partition cache/*=3', 'ERR_OUT_OF_RANGE', 'a power of two'],
    ['router --picker acme/web=best', 'ERR_INVALID_ARG_VALUE', 'power-of-two'],
    ['router --aggregate a//b', 'ERR_SERVAL_INVALID_NAME', 'has an empty component'],
    ['router --router nowhere', 'ERR_INVALID_ARG_VALUE', '[ADDRESS]:PORT'],
  ])('%s', async (args, code, message) => {
    const text = await serval(args);
    expect([text.code, text.stdout, text.stderr]).toEqual([1, '', expect.stringContaining(message)]);
    const json = await serval(`${args} --json`);
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([1, { error: { code } }]);
  });
});
