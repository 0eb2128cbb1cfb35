// Services that cannot be had: how soon a connect fails, and with what (§4.2, docs/errors.md).

import { afterAll, expect, it } from 'vitest';
import type { Actor, Attempt } from './actor';
import type { LabHost } from './lab';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';

// They wait more than they work: all at once.
const { company, newLab } = companyInLabs(afterAll);

async function cable(): Promise<readonly [LabHost, LabHost]> {
  const lab = newLab();
  const [a, b] = [lab.host('a'), lab.host('b')];
  lab.connect(a, ['10.9.0.1/24', 'fd00:9::1/64'], b, ['10.9.0.2/24', 'fd00:9::2/64']);
  await Promise.all([a.isUp('eth0'), b.isUp('eth0')]);
  return [a, b];
}

async function stackOn(on: LabHost): Promise<Actor> {
  const actor = await company.start({ on });
  await actor.ask('createHost', { settings: {} });
  return actor;
}

/** The first thing that its process does: how long it took, from the start of its host on, and the code. */
async function failure(on: LabHost, environment: Record<string, string>): Promise<{ code: string; time: number }> {
  const client = await company.start({ on, environment });
  const { code, startedAt, failedAt } = await client.ask<Attempt>('connect', { service: 'acme/none' });
  return { code: code!, time: failedAt! - startedAt };
}

describeWithNamespaces('a connect to a service', () => {
  it.concurrent('that nobody offers fails with ETIMEDOUT after 8 s, asked by broadcast', async () => {
    const [a, b] = await cable();
    await stackOn(b);
    const { code, time } = await failure(a, {});
    expect(code).toBe('ETIMEDOUT');
    expect(time).toBeGreaterThan(7900);
    expect(time).toBeLessThan(9000);
  }, 20_000);

  it.concurrent.each(['10.9.0.2', 'fd00:9::2'])('that the router %s has not got is refused at once', async (router) => {
    const [a, b] = await cable();
    await stackOn(b);
    const { code, time } = await failure(a, { SERVAL_ROUTER: router, SERVAL_BROADCAST: '0' });
    expect(code).toBe('ECONNREFUSED');
    expect(time).toBeLessThan(1000);
  });

  it.concurrent.each(['10.9.0.2', 'fd00:9::2'])(
    'is refused when no stack runs at the router %s, after a grace',
    async (router) => {
      const [a] = await cable();
      const { code, time } = await failure(a, { SERVAL_ROUTER: router, SERVAL_BROADCAST: '0' });
      expect(code).toBe('ECONNREFUSED');
      expect(time).toBeGreaterThan(2500);
      // The kernel sends six ICMP errors on end, and then one a second.
      expect(time).toBeLessThan(4000);
    },
  );

  it.concurrent('fails at once on a host without network, and reaches the services of its own', async () => {
    const lab = newLab();
    const alone = await stackOn(lab.host('alone'));
    const nobody = await alone.ask<Attempt>('connect', { service: 'acme/none' });
    expect(nobody.code).toBe('EHOSTUNREACH');
    expect(nobody.failedAt! - nobody.startedAt).toBeLessThan(1000);
    await alone.ask('listen', { service: 'acme/web', behavior: 'identify' });
    expect(await alone.ask('connect', { service: 'acme/web' })).toMatchObject({ pid: alone.pid });
  });
});
