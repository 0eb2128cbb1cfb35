// `serval perf` as it is used: servers and clients, processes of their own, over the loopback interface of a host
// that nobody else shares.

import { describe, expect, it } from 'vitest';
import type { PerfReport } from '../../lib/cli/perf/perf-report';
import { type Program, shell } from './shell';

const FIRST_INTERVAL = /^ +0\.00-\d+\.\d\d s /m;

const { begin } = shell();
const perf = (...args: string[]): Program => begin(`perf ${args.join(' ')}`);

async function startServer(): Promise<Program> {
  const server = perf('server', 'test/perf');
  await server.printed(/^serving perf tests as test\/perf, link \S+, up to 8 at a time\n/);
  return server;
}

async function measure(...args: string[]): Promise<PerfReport> {
  const client = perf('client', 'test/perf', '--json', ...args);
  const code = await client.ended;
  const report = JSON.parse(client.stdout) as PerfReport;
  expect(report.error).toBeNull();
  expect({ code, stderr: client.stderr }).toEqual({ code: 0, stderr: '' });
  return report;
}

describe('streams', () => {
  it('of a time: text with a line an interval, and a table of both ends', async () => {
    const server = await startServer();
    const client = perf('client', 'test/perf', '--time', '0.5', '--interval', '0.2');
    expect(await client.ended).toBe(0);
    const lines = client.stdout.split('\n');
    expect(lines[0]).toMatch(/^test\/perf at [\d.]+ port \d+, link \S+$/);
    expect(lines[1]).toBe('1 stream for 0.5 s, the client sends');
    expect(lines[2]).toMatch(/^ +0\.00-0\.\d\d s .* [MG]bit\/s +retransmitted .* rtt .* ms +window /);
    expect(client.stdout).toMatch(
      /^1 {2}sender +\d+\.\d\d .*\n1 {2}receiver +\d+\.\d\d .*\nprocessor: client .* server .*\n$/m,
    );
    expect(server.stdout).toMatch(/^\[1\] [\d.]+ port \d+: 1 stream for 0\.5 s, the client sends\n\[1\] .* received/m);
  });

  it('in parallel, of so many bytes: each has its share, and all of it arrives', async () => {
    await startServer();
    const { streams, sum, fairness } = await measure('--parallel', '4', '--bytes', '10M');
    const each = { sender: { bytes: 2_500_000 }, receiver: { bytes: 2_500_000 } };
    expect(streams).toMatchObject([each, each, each, each]);
    expect(sum).toMatchObject({ sender: { bytes: 10e6 }, receiver: { bytes: 10e6 } });
    expect(fairness).toBe(1);
  });

  it('reversed: the server sends, and its view of the path is told', async () => {
    await startServer();
    const { test, streams, processor } = await measure('--reverse', '--time', '0.5');
    const { sender, receiver } = streams[0]!;
    expect(test).toMatchObject({ reverse: true, seconds: 0.5 });
    expect(sender!.bytes).toBe(receiver!.bytes);
    expect(sender!.bytes).toBeGreaterThan(1e6);
    expect(sender!.roundTripMean).toBeGreaterThan(0);
    expect(sender!.congestionWindowMaximum).toBeGreaterThan(10_000);
    expect(processor.server!.user).toBeGreaterThan(0);
  });

  it('at a rate keep to it', async () => {
    await startServer();
    const { sum } = await measure('--rate', '20M', '--time', '1');
    expect(sum!.sender!.bitsPerSecond).toBeGreaterThan(5e6);
    expect(sum!.sender!.bitsPerSecond).toBeLessThan(21e6);
  });

  it('are 128 at most, and slow rates are kept by each, with the default length too', async () => {
    const server = await startServer();
    const { streams } = await measure('--rate', '100k', '--time', '1', '-P', '128');
    expect(streams).toHaveLength(128);
    for (const { sender, receiver } of streams) {
      expect(sender!.bytes).toBeGreaterThan(1000);
      expect(sender!.bytes).toBeLessThan(13_000);
      expect(receiver!.bytes).toBe(sender!.bytes);
    }
    // The client's results have come to the server as well.
    await server.printed(/\[1\] .* received in/);
  });

  it('stay with the instance that answered when several have the name', async () => {
    const servers = [await startServer(), await startServer()];
    const totals: number[] = [];
    for (let count = 0; count < 6; count++) totals.push((await measure('-P', '6', '-n', '600k')).sum!.receiver!.bytes);
    expect(totals).toEqual(totals.map(() => 600_000));
    const served = servers.map((server) => server.stdout.match(/ received in /g)?.length ?? 0);
    expect(served.reduce((sum, count) => sum + count)).toBe(6);
  });

  it('are measured for several clients at the same time', async () => {
    const server = await startServer();
    await Promise.all([measure('-t', '0.5'), measure('-t', '0.5', '--reverse'), measure('-t', '0.5', '-P', '2')]);
    expect(server.stdout).toContain('[3]');
    expect(server.stdout).not.toContain('failed');
  });
});

describe('datagrams', () => {
  it.each([[[]], [['--reverse']]])('%j: rate, loss and jitter', async (direction) => {
    await startServer();
    const { test, streams } = await measure('-u', '-b', '2M', '-t', '1', '-P', '2', ...direction);
    expect(test).toMatchObject({ transport: 'datagram', length: 1200 });
    for (const { sender, receiver } of streams) {
      expect(sender!.bitsPerSecond).toBeGreaterThan(0.5e6);
      expect(sender!.bitsPerSecond).toBeLessThan(2.1e6);
      expect(receiver!.datagrams! + receiver!.lost!).toBe(sender!.datagrams);
      expect(receiver).toMatchObject({ duplicates: 0, jitter: expect.any(Number) });
      // 2 Mbit/s are lost by no loopback interface.
      expect(receiver!.lostFraction).toBeLessThan(0.1);
    }
  });
});

describe('an interrupted test', () => {
  it('by the client: figures so far, of both ends, and status 130', async () => {
    const server = await startServer();
    const client = perf('client', 'test/perf', '--time', '60', '--interval', '0.2');
    await client.printed(FIRST_INTERVAL);
    client.signal('SIGINT');
    expect(await client.ended).toBe(130);
    expect(client.stdout).toMatch(/1 {2}sender +\d.*\n1 {2}receiver +\d/);
    expect(client.stdout).toMatch(/interrupted: the figures are those until then\n$/);
    await server.printed(/\[1\] .* received in/);
  });

  it('by the client that receives, as JSON', async () => {
    const server = await startServer();
    const client = perf('client', 'test/perf', '--time', '60', '--reverse', '--json');
    await server.printed(/\[1\]/);
    client.signal('SIGINT');
    expect(await client.ended).toBe(130);
    const report = JSON.parse(client.stdout) as PerfReport;
    expect(report.interrupted).toBe(true);
    if (report.error === null) expect(report.sum!.sender!.seconds).toBeLessThan(60);
    else expect(report.error.code).toBe('PERF_INTERRUPTED');
  });

  it.each([[[]], [['--reverse']]])('by the server: %j', async (direction) => {
    const server = await startServer();
    const client = perf('client', 'test/perf', '-t', '60', '-i', '0.2', ...direction);
    await client.printed(FIRST_INTERVAL);
    server.signal('SIGINT');
    expect(await client.ended).toBe(130);
    expect(client.stdout).toMatch(/1 {2}sender +\d.*\n1 {2}receiver +\d/);
    expect(await server.ended).toBe(0);
  });

  it('by the death of the server: figures of the one end that is left, and an error', async () => {
    const server = await startServer();
    const client = perf('client', 'test/perf', '-t', '60', '-i', '0.2');
    await client.printed(FIRST_INTERVAL);
    server.signal('SIGKILL');
    expect(await client.ended).toBe(1);
    expect(client.stdout).toMatch(/1 {2}sender +\d.*\n1 {2}receiver {2}not told/);
    expect(client.stderr).toMatch(/^serval perf: .*\((ECONNRESET|PERF_ENDED)\)\n$/);
  });

  it('by the death of the client: the server goes on serving', async () => {
    const server = await startServer();
    const client = perf('client', 'test/perf', '-t', '60', '-i', '0.2', '-u', '--reverse', '-b', '100M');
    await client.printed(FIRST_INTERVAL);
    client.signal('SIGKILL');
    await server.printed(/\[1\] failed: .*\((ECONNRESET|PERF_ENDED)\)/);
    expect((await measure('-n', '1M')).sum!.receiver!.bytes).toBe(1e6);
  });
});

describe('errors', () => {
  it('no such service', async () => {
    await startServer();
    const text = perf('client', 'test/nobody', '-t', '0.2');
    expect(await text.ended).toBe(1);
    expect(text).toMatchObject({
      stdout: '',
      stderr: 'serval perf: connect ECONNREFUSED test/nobody (ECONNREFUSED)\n',
    });
    const json = perf('client', 'test/nobody', '-t', '0.2', '--json');
    expect(await json.ended).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ format: 1, sum: null, error: { code: 'ECONNREFUSED' } });
  });

  it.each([
    [['test/perf', '-P', '0'], 'PERF_OPTION', '--parallel must be a whole number from 1 to 128, not "0"'],
    [['a/b/c/d/e'], 'ERR_SERVAL_INVALID_NAME', 'The service name "a/b/c/d/e" has more than 4 components'],
  ])('options: %j', async (args, code, message) => {
    const text = perf('client', ...args);
    expect(await text.ended).toBe(1);
    expect(text).toMatchObject({ stdout: '', stderr: `serval perf: ${message} (${code})\n` });
    const json = perf('client', '--json', ...args);
    expect(await json.ended).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ format: 1, test: null, error: { code, message } });
  });

  it('a server whose name is none', async () => {
    const server = perf('server', 'a//b');
    expect(await server.ended).toBe(1);
    expect(server.stderr).toContain('The service name "a//b" has an empty component');
  });
});
