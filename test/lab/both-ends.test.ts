// Client and server of a stream are pulled out of their networks at the same moment, and put into others, over real
// sockets; a service router in a process of its own brings them together (§4.4). Goal R2: 20 of 20 recover.

import { execFileSync } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { type Actor, now, type StreamReport } from './actor';
import type { LabHost } from './lab';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';
import { type Families, Stub } from './stub';

const { company, newLab } = companyInLabs((end) => afterEach(end, 60_000));

/** Where the router is, whatever networks there are. */
const ROUTER = { 4: '10.9.9.9', 6: 'fd09::9' } as const;
/**
 * Milliseconds from when both ends have a network until the stream goes on, on a busy machine; a kernel asks again for a
 * neighbour of IPv6 after a second.
 */
const RECOVERY_MAXIMUM = 2500;

interface Scene {
  readonly client: Actor;
  readonly router: Actor;
  readonly near: Stub;
  readonly far: Stub;
}

/** `beside`: on either host another process is there first, which speaks for the host. */
async function scene(families: Families, beside: boolean): Promise<Scene> {
  const lab = newLab();
  const middle = lab.host('router');
  for (const key of ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']) {
    execFileSync('ip', ['netns', 'exec', middle.namespace, 'sysctl', '-qw', key]);
  }
  middle.ip('address', 'add', `${ROUTER[4]}/32`, 'dev', 'lo');
  middle.ip('address', 'add', `${ROUTER[6]}/128`, 'dev', 'lo');
  const [near, far] = [new Stub(lab, lab.host('client'), middle), new Stub(lab, lab.host('server'), middle)];
  for (const stub of [near, far]) await stub.host.isUp(stub.plug(families).networkInterface);
  const address = families.includes(4) ? ROUTER[4] : `[${ROUTER[6]}]`;
  const environment = { SERVAL_BROADCAST: '0', SERVAL_ROUTER: address };
  const router = await company.start({ on: middle, environment: { SERVAL_BROADCAST: '0' } });
  await router.ask('createRouter', { settings: {} });
  const start = async (on: LabHost): Promise<Actor> => {
    const actor = await company.start({ on, environment: { ...environment, SERVAL_REGISTRY: lab.path(on.namespace) } });
    await actor.ask('createHost', { settings: {} });
    return actor;
  };
  if (beside) for (const { host } of [near, far]) await start(host);
  const server = await start(far.host);
  await server.ask('listen', { service: 'acme/echo', behavior: 'echo' });
  const client = await start(near.host);
  if (beside) expect([await server.ask('role'), await client.ask('role')]).toEqual(['member', 'member']);
  return { client, router, near, far };
}

/** Both at once. Gives the time from when both have a network until the stream has gone once around. */
async function moveBoth({ client, near, far }: Scene, families: Families, name: string): Promise<number> {
  // What is still under way when the second cable is out comes from nowhere, and nothing of it comes back.
  near.unplug();
  far.unplug();
  const heard = client.ask<number>('nextData', { name });
  for (const stub of [near, far]) await stub.host.isUp(stub.plug(families).networkInterface);
  const pluggedAt = now();
  return Math.max(0, (await heard) - pluggedAt);
}

describeWithNamespaces('client and server that change their networks at the same time', () => {
  it.each([
    ['IPv4', [4], 20, false],
    ['IPv6', [6], 5, false],
    ['IPv4 and not the first processes of their hosts', [4], 5, true],
  ] as const)(
    'find each other, %s, and every byte comes back',
    async (name, families, moves, beside) => {
      const built = await scene(families, beside);
      const { client, router } = built;
      await client.ask('startStream', { service: 'acme/echo', name });
      const recoveries: number[] = [];
      for (let move = 0; move < moves; move++) {
        // It runs, so that there is something under way.
        for (let chunk = 0; chunk < 20; chunk++) await client.ask('nextData', { name });
        recoveries.push(await moveBoth(built, families, name));
      }
      const { sent, received, wrong, code } = await client.ask<StreamReport>('endStream', { name });
      const sorted = recoveries.map(Math.round).sort((a, b) => a - b);
      console.log(`${name}: ${moves} moves of both ends, ms until the stream goes on: ${sorted.join(' ')}`);
      expect({ received, wrong, code }).toEqual({ received: sent, wrong: 0, code: undefined });
      expect(sorted.at(-1)).toBeLessThan(RECOVERY_MAXIMUM);
      const { stack } = await router.ask<{ stack: Record<string, number> }>('statistics');
      expect(stack.resyncRelayed).toBeGreaterThanOrEqual(moves);
    },
    180_000,
  );
});
