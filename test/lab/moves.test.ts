// A host's only interface is pulled out of one network and put into another, with a new address, while a stream runs
// over real sockets (§4.4, Figure 10 in small): as client and as server, and from IPv4 to IPv6. How long the stream stood
// still is printed beside the time without any network.

import { afterEach, expect, it } from 'vitest';
import { type Actor, now, type StreamReport } from './actor';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';
import { type Families, Stub } from './stub';

const { company, newLab } = companyInLabs((end) => afterEach(end, 60_000));

/**
 * The longest the stream may stand still beyond the time without a network, milliseconds, on a busy machine; a kernel asks
 * again for a neighbour of IPv6 after a second.
 */
const INTERRUPTION_MAXIMUM = 2500;

/** Bytes on their way when the interface goes must be sent again: the stream runs on for so long, to see it. */
const AFTERMATH = 400;

async function scene(clientFamilies: Families): Promise<{ client: Actor; near: Stub; far: Stub }> {
  const lab = newLab();
  const router = lab.host('router');
  router.route();
  const near = new Stub(lab, lab.host('client'), router);
  const far = new Stub(lab, lab.host('server'), router);
  await Promise.all([plug(near, clientFamilies), plug(far, [4, 6])]);
  const environment = { SERVAL_BROADCAST: '0' };
  const server = await company.start({ on: far.host, environment });
  await server.ask('createHost', { settings: {} });
  await server.ask('listen', { service: 'acme/echo', behavior: 'echo' });
  const client = await company.start({ on: near.host, environment });
  const router4or6 = clientFamilies.includes(4) ? far.address(4) : `[${far.address(6)}]`;
  await client.ask('createHost', { settings: { router: `${router4or6}:54325` } });
  return { client, near, far };
}

async function plug(stub: Stub, families: Families): Promise<void> {
  const { networkInterface } = stub.plug(families);
  await stub.host.isUp(networkInterface);
}

describeWithNamespaces('a host that changes its network while a stream runs', () => {
  it.each([
    ['client', 'IPv4 to IPv4', [4]],
    ['server', 'IPv4 to IPv4', [4, 6]],
    ['client', 'IPv4 to IPv6', [6]],
    ['client', 'IPv6 to IPv4', [4]],
  ] as const)(
    'the %s, %s: every byte comes back, after a short pause',
    async (who, what, families) => {
      const name = `${who} ${what}`;
      const { client, near, far } = await scene(what.startsWith('IPv6') ? [6] : [4]);
      await client.ask('startStream', { service: 'acme/echo', name });
      await new Promise((resolve) => setTimeout(resolve, 200));
      const stub = who === 'client' ? near : far;
      const startedAt = now();
      stub.unplug();
      const { networkInterface } = stub.plug(families);
      const dark = now() - startedAt;
      await stub.host.isUp(networkInterface);
      await new Promise((resolve) => setTimeout(resolve, AFTERMATH + INTERRUPTION_MAXIMUM));
      const { sent, received, wrong, code, longestPause } = await client.ask<StreamReport>('endStream', { name });
      console.log(`${name}: still for ${longestPause.toFixed(0)} ms, of which ${dark.toFixed(0)} ms without a network`);
      expect({ received, wrong, code }).toEqual({ received: sent, wrong: 0, code: undefined });
      expect(longestPause - dark).toBeLessThan(INTERRUPTION_MAXIMUM);
    },
    60_000,
  );
});
