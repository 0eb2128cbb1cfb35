// The client of a perf test against servers that are none, or do not keep to the exchange.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHost, createServer, type Host, promises } from '../../lib';
import { checkOptions } from '../../lib/cli/perf/client-options';
import { ClientTest, type Outcome } from '../../lib/cli/perf/client-test';
import { PerfServer } from '../../lib/cli/perf/perf-server';
import { ByHand, RESULTS } from './perf-by-hand';

const ACCEPTED = { type: 'accepted', version: 1, token: 'ab'.repeat(16), instance: 'cd'.repeat(32) };

let host: Host;

beforeEach(async () => {
  host = createHost({ registry: false, broadcast: false });
  await host.ready;
});

afterEach(() => host.close());

/** A service that answers the client's request so. */
async function serve(behave: (peer: ByHand) => void): Promise<void> {
  const server = createServer({ host }, (socket) => {
    const peer = new ByHand(socket);
    void peer.hear().then(() => behave(peer));
  });
  await new Promise<void>((resolve) => void server.listen('test/perf', resolve));
}

function createTest(time = '0.3', observer = { running() {}, interval() {} }): ClientTest {
  return new ClientTest(host, 'test/perf', checkOptions({ time }).parameters, 0.1, observer);
}

async function errorOf(test = createTest()): Promise<Outcome['error']> {
  const { error, own } = await test.run();
  expect(own).toBeUndefined();
  return error;
}

describe('a client tells', () => {
  it('that there is no such service', async () => {
    expect(await errorOf()).toMatchObject({ code: expect.stringMatching(/^(EHOSTUNREACH|ECONNREFUSED)$/) });
  });

  it('what the server refused', async () => {
    await serve((peer) => peer.say({ type: 'error', code: 'PERF_BUSY', message: 'come \x1b[31mlater' }));
    expect(await errorOf()).toEqual({ code: 'PERF_BUSY', message: 'come ?[31mlater' });
  });

  it.each([
    ['PERF_VERSION', { ...ACCEPTED, version: 9 }],
    ['PERF_PROTOCOL', { ...ACCEPTED, token: 'short' }],
    ['PERF_PROTOCOL', { type: 'running' }],
    ['PERF_PROTOCOL', 'hello'],
  ])('%s when it is answered %j', async (code, answer) => {
    await serve((peer) => peer.say(answer));
    expect(await errorOf()).toMatchObject({ code });
  });

  it('that the service is no perf server', async () => {
    await serve((peer) => peer.socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await errorOf()).toMatchObject({ code: 'PERF_PROTOCOL' });
  });

  it('that the server went away before it answered, or while streams were opened', async () => {
    let answers: object[] = [];
    await serve((peer) => {
      peer.say(...answers);
      peer.socket.end();
    });
    expect(await errorOf()).toMatchObject({ code: 'PERF_ENDED' });
    const data = await promises.listen(undefined, { host });
    answers = [{ ...ACCEPTED, instance: String(data.address()!.serviceID) }];
    expect(await errorOf()).toMatchObject({ code: 'PERF_ENDED' });
  });

  it('what it measured when the server goes away during the test', async () => {
    const server = await promises.listen(undefined, { host });
    server.on('connection', (socket) => socket.on('error', () => {}).resume());
    await serve((peer) => {
      peer.say({ ...ACCEPTED, instance: String(server.address()!.serviceID) }, { type: 'running' });
    });
    const test = createTest('10', { running() {}, interval: () => void host.close() });
    const { error, own, other } = await test.run();
    expect(error).toMatchObject({ code: expect.stringMatching(/^(PERF_ENDED|ECONNRESET|ERR_SERVAL_HOST_CLOSED)$/) });
    expect(own!.streams[0]!.bytes).toBeGreaterThan(0);
    expect(other).toBeUndefined();
  });

  it('of results that are none', async () => {
    const server = await promises.listen(undefined, { host });
    server.on('connection', (socket) => socket.on('error', () => {}).resume());
    await serve((peer) => {
      peer.say({ ...ACCEPTED, instance: String(server.address()!.serviceID) }, { type: 'running' });
      peer.say({ ...RESULTS, report: { streams: [{ bytes: 'all' }] } });
    });
    expect((await createTest().run()).error).toMatchObject({ code: 'PERF_PROTOCOL' });
  });

  it('what there is when the user interrupts it and the server says nothing', async () => {
    const server = await promises.listen(undefined, { host });
    server.on('connection', (socket) => socket.on('error', () => {}).resume());
    await serve((peer) => {
      peer.say({ ...ACCEPTED, instance: String(server.address()!.serviceID) }, { type: 'running' });
    });
    const test: ClientTest = createTest('60', { running() {}, interval: () => test.interrupt() });
    const outcome = await test.run();
    expect(outcome).toMatchObject({ interrupted: true, error: { code: 'PERF_INTERRUPTED' } });
    expect(outcome.own!.streams[0]!.bytes).toBeGreaterThan(0);
  });

  it('nothing when it is interrupted before the test runs', async () => {
    await serve(() => test.interrupt());
    const test = createTest();
    expect(await test.run()).toEqual({
      intervals: [],
      interrupted: true,
      error: { code: 'PERF_INTERRUPTED', message: 'interrupted before the server had told its figures' },
    });
  });
});

describe('a client and a server', () => {
  it.each([
    ['a stream', {}],
    ['streams, reversed', { parallel: '3', reverse: true }],
    ['datagrams', { datagram: true, rate: '2M' }],
    ['datagrams, reversed', { datagram: true, rate: '2M', parallel: '2', reverse: true }],
  ])('agree about %s', async (_, options) => {
    const server = new PerfServer(host, 'test/perf', { started() {}, ended() {}, failed() {} });
    await server.listen();
    const { parameters } = checkOptions({ ...options, bytes: '100000' });
    const test = new ClientTest(host, 'test/perf', parameters, 0.1, { running() {}, interval() {} });
    const { own, other, error } = await test.run();
    expect(error).toBeUndefined();
    const bytes = (streams: readonly { bytes: number }[]): number[] => streams.map((stream) => stream.bytes);
    expect(bytes(own!.streams)).toEqual(bytes(other!.streams));
    const total = bytes(own!.streams).reduce((sum, count) => sum + count, 0);
    // Datagrams are whole.
    if (parameters.transport === 'stream') expect(total).toBe(100_000);
    else expect(Math.abs(total - 100_000)).toBeLessThan(1200 * parameters.streams);
    await server.close(0);
  });
});
