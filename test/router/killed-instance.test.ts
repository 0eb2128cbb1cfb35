// Instances behind a service router that are killed, as real processes: connects go on as if nothing had happened.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { connect, createHost, createRouter, type Host, type Router } from '../../lib';
import { Company } from '../lab/actor';

const company = new Company();
const open: { close(): unknown }[] = [];
let lastPort = 41_000 + (process.pid % 2000) * 8;

afterEach(async () => {
  await company.end();
  for (const one of open.splice(0).reverse()) await one.close();
});

interface Attempt {
  /** Since the kill, milliseconds. */
  readonly at: number;
  readonly took: number;
  readonly code?: string | undefined;
}

async function startRouter(): Promise<Router> {
  const router = createRouter({ port: ++lastPort, broadcast: false, registry: false });
  open.push(router);
  await router.ready;
  return router;
}

async function startInstance(router: Router) {
  const environment = {
    SERVAL_PORT: String(++lastPort),
    SERVAL_BROADCAST: '0',
    SERVAL_REGISTRY: '0',
    SERVAL_ROUTER: `127.0.0.1:${router.port}`,
  };
  const instance = await company.start({ environment });
  await instance.ask('createHost', { settings: {} });
  await instance.ask('listen', { service: 'acme/web', behavior: 'identify' });
  return instance;
}

async function attempt(host: Host, since: number): Promise<Attempt> {
  const began = performance.now();
  const socket = connect('acme/web', { host });
  let code: string | undefined;
  try {
    await once(socket, 'connect');
  } catch (error) {
    code = (error as NodeJS.ErrnoException).code ?? String(error);
  }
  const ended = performance.now();
  socket.on('error', () => {}).destroy();
  return { at: began - since, took: ended - began, code };
}

describe('an instance behind a router', { timeout: 30_000 }, () => {
  it('is killed, and no connect fails; soon none is even held up', async () => {
    const router = await startRouter();
    const instances = await Promise.all(Array.from({ length: 4 }, () => startInstance(router)));
    const host = createHost({
      port: ++lastPort,
      broadcast: false,
      registry: false,
      router: `127.0.0.1:${router.port}`,
    });
    open.push(host);
    await host.ready;
    instances[0]!.kill();
    const since = performance.now();
    const attempts: Promise<Attempt>[] = [];
    while (performance.now() - since < 2700) {
      attempts.push(attempt(host, since));
      await sleep(10);
    }
    const ended = await Promise.all(attempts);
    expect(ended.length).toBeGreaterThan(100);
    expect(ended.filter(({ code }) => code !== undefined)).toEqual([]);
    // One that comes to it is repeated after 300 ms, and its ping has failed after 1 s more.
    expect(Math.max(...ended.map(({ took }) => took))).toBeLessThan(1500);
    expect(ended.filter(({ at, took }) => at > 2000 && took > 250)).toEqual([]);
  });
});
