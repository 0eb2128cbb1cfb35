// Events as they come over the control interface, and what becomes of readers that do not read.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect as dial } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CONTROL_BACKLOG_MAXIMUM } from '../../lib/control/control-limits';
import { connect, createServer } from '../../lib/index';
import { ask, open } from './ask';
import { oneHost } from './one-host';

const { host, path } = oneHost();

/** Reads events one by one. */
async function* events(response: IncomingMessage): AsyncGenerator<Record<string, unknown>> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}

/** Past what the interfaces of this machine do meanwhile. */
async function next(from: AsyncGenerator<Record<string, unknown>>): Promise<Record<string, unknown>> {
  for (;;) {
    const event = (await from.next()).value as Record<string, unknown>;
    if (!/^interface|^migration/.test(String(event['event']))) return event;
  }
}

const add = (prefix: string) => ask(path(), 'POST', '/table', { prefix, action: 'drop' });

describe('events', () => {
  it('are told from the answer on: registrations, rules, what waits', async () => {
    const response = await open(path(), 'GET', '/events');
    expect(response.headers['content-type']).toBe('application/x-ndjson');
    const told = events(response);
    const server = createServer('acme/web', { host: host() }).listen();
    const registered = await next(told);
    expect(registered).toMatchObject({ pid: process.pid, event: 'registered', name: 'acme/web', protocol: 'stream' });
    expect(new Date(String(registered['time'])).getTime()).toBeCloseTo(Date.now(), -4);
    server.weight = 2;
    expect(await next(told)).toMatchObject({ event: 'registered', weight: 2048 });
    server.close();
    expect(await next(told)).toMatchObject({ event: 'unregistered', name: 'acme/web' });
    await ask(path(), 'POST', '/table', { prefix: 'late/*', action: 'delay' });
    expect(await next(told)).toMatchObject({ event: 'ruleAdded', rule: { action: 'delay', scope: 'host' } });
    expect(await next(told)).toMatchObject({ event: 'delayedReleased', name: 'late/*' });
    const socket = connect('late/web', { host: host() });
    expect(await next(told)).toMatchObject({ event: 'delayed', name: 'late/web' });
    socket.destroy();
    expect(await next(told)).toMatchObject({ event: 'abandoned', name: 'late/web' });
    response.destroy();
  });

  it('end with the host', async () => {
    const told = events(await open(path(), 'GET', '/events'));
    void host().close();
    expect(await next(told)).toMatchObject({ event: 'roleChanged', role: null });
    expect((await told.next()).done).toBe(true);
  });

  it('of rules that end by themselves', async () => {
    const told = events(await open(path(), 'GET', '/events'));
    await ask(path(), 'POST', '/table', { prefix: 'acme/short', action: 'drop', hardTimeout: 20 });
    for (const event of ['ruleAdded', 'delayedReleased', 'ruleExpired']) {
      expect(await next(told)).toMatchObject({ event });
    }
  });

  it('a reader that does not read is cut off, and others are not', async () => {
    const deaf = dial(path());
    await once(deaf, 'connect');
    deaf.write('GET /events HTTP/1.1\r\nhost: host\r\n\r\n');
    await once(deaf, 'readable');
    const response = await open(path(), 'GET', '/events');
    let heard = 0;
    response.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    // Nothing is read of it from here on: its end shows in who is left.
    const prefix = `acme/${'x'.repeat(200)}`;
    while (heard < CONTROL_BACKLOG_MAXIMUM * 2) await add(prefix);
    deaf.resume();
    await once(deaf, 'close');
    expect(deaf.bytesRead).toBeLessThan(heard);
    const before = heard;
    await add(prefix);
    await expect.poll(() => heard).toBeGreaterThan(before);
    response.destroy();
  });
});
