// A perf server and what strangers do to it. Real sockets of one host; the exchange is spoken by hand.

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHost, createSocket, type DatagramSocket, type Host, promises, ServiceID } from '../../lib';
import {
  challengeOf,
  createChallenge,
  createDatagram,
  DATAGRAM_HEADER_BYTES,
  DatagramKind,
  kindOf,
  stampDatagram,
} from '../../lib/cli/perf/datagram-format';
import type { ErrorDescription } from '../../lib/cli/perf/perf-error';
import { PERF_TESTS_MAXIMUM } from '../../lib/cli/perf/perf-limits';
import { PerfServer } from '../../lib/cli/perf/perf-server';
import { encodePreamble } from '../../lib/cli/perf/stream-preamble';
import { TestToken } from '../../lib/cli/perf/test-token';
import { ByHand, DATAGRAM_REQUEST, type Frame, REQUEST, RESULTS } from './perf-by-hand';

let host: Host;
let server: PerfServer;
let failures: ErrorDescription[];
let handleFailure: () => void;

beforeEach(async () => {
  failures = [];
  handleFailure = () => {};
  host = createHost({ registry: false, broadcast: false });
  await host.ready;
  server = new PerfServer(host, 'test/perf', {
    started() {},
    ended() {},
    failed(_, error) {
      failures.push(error);
      handleFailure();
    },
  });
  await server.listen();
});

afterEach(async () => {
  await server.close(0);
  await host.close();
});

const connect = (): Promise<ByHand> => ByHand.connect(host, 'test/perf');
const tokenOf = (accepted: Frame | undefined): TestToken => TestToken.fromHex(String(accepted?.['token']));

async function connectDatagrams(): Promise<DatagramSocket> {
  const socket = createSocket({ host });
  socket.connect(server.instance);
  await once(socket, 'connect');
  return socket;
}

async function send(socket: DatagramSocket, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.send(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

async function openStream(token: TestToken, index: number) {
  const socket = await promises.connect(server.instance, { host, allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(encodePreamble({ token, index }));
  return socket;
}

/** The whole handshake of one datagram flow. */
async function attachDatagrams(token: TestToken): Promise<DatagramSocket> {
  const socket = await connectDatagrams();
  await send(socket, createChallenge(DatagramKind.hello, token, 0, undefined));
  const [challenge] = await once(socket, 'message');
  await send(socket, createChallenge(DatagramKind.hello, token, 0, challengeOf(challenge)));
  return socket;
}

describe('a server', () => {
  it('has a serviceID of its own below its name, for what a test carries', () => {
    const name = ServiceID.fromHex(server.instance.toString().slice(0, 48).padEnd(64, '0'))!;
    expect(String(name)).not.toBe(String(server.instance));
    const other = new PerfServer(host, 'test/perf', { started() {}, ended() {}, failed() {} });
    expect(other.instance.toString().slice(0, 48)).toBe(server.instance.toString().slice(0, 48));
    expect(other.instance.equals(server.instance)).toBe(false);
  });

  it('counts what a stream brings', async () => {
    const client = await connect();
    const accepted = await client.ask(REQUEST);
    const stream = await openStream(tokenOf(accepted), 0);
    expect(await client.hear()).toEqual({ type: 'running' });
    stream.end(Buffer.alloc(123_456));
    client.say(RESULTS);
    expect(await client.hear()).toMatchObject({ type: 'results', report: { streams: [{ bytes: 123_456 }] } });
    stream.destroy();
  });

  it('counts lost, late and repeated datagrams', async () => {
    const client = await connect();
    const token = tokenOf(await client.ask(DATAGRAM_REQUEST));
    const socket = await attachDatagrams(token);
    expect(await client.hear()).toEqual({ type: 'running' });
    const datagram = createDatagram(DatagramKind.data, token, 0, 100);
    for (const sequence of [0, 3, 2, 2]) {
      stampDatagram(datagram, sequence, performance.now());
      await send(socket, datagram);
    }
    const [stranger, elsewhere] = [TestToken.create(token.number), TestToken.create(token.number + 1)];
    for (const foreign of [stranger, elsewhere]) await send(socket, createDatagram(DatagramKind.data, foreign, 0, 100));
    await send(socket, createDatagram(DatagramKind.data, token, 1, 100));
    client.say(RESULTS);
    const { report } = (await client.hear()) as { report: { streams: Frame[] } };
    expect(report.streams[0]).toMatchObject({ bytes: 300, datagrams: 3, outOfOrder: 1, duplicates: 1 });
    socket.close();
  });

  it(`carries out ${PERF_TESTS_MAXIMUM} tests at a time, refuses one more, and takes one again when one has left`, async () => {
    const clients = await Promise.all(Array.from({ length: PERF_TESTS_MAXIMUM }, connect));
    const answers = await Promise.all(clients.map((client) => client.ask(REQUEST)));
    expect(answers.map((answer) => answer?.['type'])).toEqual(answers.map(() => 'accepted'));
    const refusal = await (await connect()).ask(REQUEST);
    expect(refusal).toMatchObject({ type: 'error', code: 'PERF_BUSY' });
    const left = new Promise<void>((resolve) => {
      handleFailure = resolve;
    });
    clients[0]!.socket.end();
    await left;
    expect(await (await connect()).ask(REQUEST)).toMatchObject({ type: 'accepted' });
  });
});

describe('a server refuses', () => {
  it('parameters out of bounds, and says which', async () => {
    const client = await connect();
    const parameters = { ...REQUEST.parameters, seconds: 1e6 };
    expect(await client.ask({ ...REQUEST, parameters })).toEqual({
      type: 'error',
      code: 'PERF_PARAMETER',
      message: 'seconds must be a number from 0.1 to 3600',
    });
    expect(await client.hear()).toBeUndefined();
  });

  it('another version', async () => {
    const answer = await (await connect()).ask({ ...REQUEST, version: 2 });
    expect(answer).toMatchObject({ type: 'error', code: 'PERF_VERSION' });
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a message too long to come', Buffer.from('ffffffff', 'hex')],
    ['what is no JSON', Buffer.from('\0\0\0\x03abc', 'latin1')],
    ['another message first', Buffer.from('\0\0\0\x0f{"type":"stop"}', 'latin1')],
  ])('%s', async (_, bytes) => {
    const client = await connect();
    client.socket.write(bytes);
    expect(await client.hear()).toMatchObject({ type: 'error', code: 'PERF_PROTOCOL' });
    expect(await client.hear()).toBeUndefined();
    expect(await (await connect()).ask(REQUEST)).toMatchObject({ type: 'accepted' });
  });

  it('streams of no test, of a wrong number, and a second one of the same number', async () => {
    const client = await connect();
    const parameters = { ...REQUEST.parameters, streams: 2 };
    const token = tokenOf(await client.ask({ ...REQUEST, parameters }));
    const taken = await openStream(token, 0);
    const refused: [TestToken, number][] = [
      [TestToken.create(token.number), 1],
      [TestToken.create(99), 1],
      [token, 2],
      [token, 0xffff_ffff],
      [token, 0],
    ];
    for (const [strange, index] of refused) await once((await openStream(strange, index)).resume(), 'end');
    expect(taken.readableEnded).toBe(false);
    await openStream(token, 1);
    expect(await client.hear()).toEqual({ type: 'running' });
  });

  it.each([
    ['results of more streams than there are', { ...RESULTS, report: { ...RESULTS.report, streams: [] } }],
    ['a second request', REQUEST],
  ])('%s during a test', async (_, message) => {
    const client = await connect();
    await openStream(tokenOf(await client.ask(REQUEST)), 0);
    expect(await client.hear()).toEqual({ type: 'running' });
    expect(await client.ask(message)).toMatchObject({ type: 'error', code: 'PERF_PROTOCOL' });
    expect(await client.hear()).toBeUndefined();
  });
});

describe('a server sends datagrams', () => {
  const reverse = { ...DATAGRAM_REQUEST, parameters: { ...DATAGRAM_REQUEST.parameters, reverse: true } };

  it('only to whoever is connected and has brought its challenge back, which is as short as the hello', async () => {
    const client = await connect();
    const token = tokenOf(await client.ask(reverse));
    const heard: Buffer[] = [];
    const stranger = createSocket({ host }, (bytes) => heard.push(bytes));
    // Not connected: the first goes unanswered whatever it knows.
    await new Promise<void>((resolve) => {
      stranger.send(createChallenge(DatagramKind.hello, token, 0, undefined), server.instance, () => resolve());
    });
    const socket = await connectDatagrams();
    const hello = createChallenge(DatagramKind.hello, token, 0, undefined);
    // Neither a guess nor a second stream's number is taken.
    await send(socket, createChallenge(DatagramKind.hello, token, 1, undefined));
    await send(socket, createChallenge(DatagramKind.hello, TestToken.create(token.number), 0, undefined));
    await send(socket, createChallenge(DatagramKind.hello, token, 0, Buffer.from('guessed!')));
    const [challenge] = (await once(socket, 'message')) as [Buffer];
    expect(kindOf(challenge)).toBe(DatagramKind.challenge);
    expect(challenge).toHaveLength(hello.length);
    await send(socket, createChallenge(DatagramKind.hello, token, 0, challengeOf(challenge)));
    expect(await client.hear()).toEqual({ type: 'running' });
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(kindOf(data)).toBe(DatagramKind.data);
    expect(data).toHaveLength(100);
    expect(heard).toEqual([]);
    stranger.close();
    socket.close();
  });

  it('no longer than the client is there', async () => {
    const client = await connect();
    // So fast that none for the time of a handshake is none at all.
    const fast = { ...reverse, parameters: { ...reverse.parameters, rate: 50e6 } };
    const socket = await attachDatagrams(tokenOf(await client.ask(fast)));
    expect(await client.hear()).toEqual({ type: 'running' });
    await once(socket, 'message');
    const failed = new Promise<void>((resolve) => {
      handleFailure = resolve;
    });
    client.socket.destroy();
    await failed;
    expect(failures).toMatchObject([{ code: expect.stringMatching(/^(PERF_ENDED|ECONNRESET)$/) }]);
    // What had left by then has come when a later handshake is through; nothing follows.
    (await connectDatagrams()).close();
    let count = 0;
    socket.on('message', () => count++);
    (await connectDatagrams()).close();
    expect(count).toBe(0);
    socket.close();
  });

  it('no longer than it was asked to, and stops when it is told to', async () => {
    const client = await connect();
    const socket = await attachDatagrams(tokenOf(await client.ask(reverse)));
    expect(await client.hear()).toEqual({ type: 'running' });
    await once(socket, 'message');
    client.say({ type: 'stop' });
    const answer = (await client.hear()) as { report: { streams: { seconds: number }[] } };
    expect(answer).toMatchObject({ type: 'results' });
    expect(answer.report.streams[0]!.seconds).toBeLessThan(10);
    socket.close();
  });
});

it('a server survives noise on all its doors', async () => {
  let state = 77;
  const byte = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  const noise = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, byte));
  const datagrams = await connectDatagrams();
  for (let round = 0; round < 50; round++) {
    const control = await connect();
    control.socket.end(noise(round));
    const data = await promises.connect(server.instance, { host });
    data.on('error', () => {}).end(noise(round));
    const datagram = noise(DATAGRAM_HEADER_BYTES + round);
    if (round % 2 === 0) createDatagram(DatagramKind.hello, TestToken.create(1), round, 24).copy(datagram);
    await send(datagrams, datagram);
  }
  datagrams.close();
  expect(await (await connect()).ask(REQUEST)).toMatchObject({ type: 'accepted' });
});
