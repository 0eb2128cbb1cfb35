// A host's only interface is pulled out of one network and put into another, with a new address, while a stream runs
// over real sockets (§4.4, Figure 10 in small): as client and as server, and from IPv4 to IPv6. How long the stream stood
// still is printed beside the time without any network.

import { execFileSync } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { type Actor, now, type StreamReport } from './actor';
import type { Lab, LabHost } from './lab';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';

const { company, newLab } = companyInLabs((end) => afterEach(end, 60_000));
let cables = 0;

/**
 * The longest the stream may stand still beyond the time without a network, milliseconds, on a busy machine; a kernel asks
 * again for a neighbour of IPv6 after a second.
 */
const INTERRUPTION_MAXIMUM = 2500;

/** Bytes on their way when the interface goes must be sent again: the stream runs on for so long, to see it. */
const AFTERMATH = 400;

/** A host with one cable, to the router. */
class Stub {
  networkInterface = '';

  constructor(
    private readonly lab: Lab,
    readonly host: LabHost,
    private readonly router: LabHost,
    private readonly number: number,
  ) {}

  /** A network of its own each time, and the way to all others by it. */
  plug(families: readonly (4 | 6)[]): void {
    const network = this.number * 10 + cables;
    this.networkInterface = `eth${cables++}`;
    const v4 = (host: number): string => `10.8.${network}.${host}`;
    const v6 = (host: number): string => `fd08:${network}::${host}`;
    const addresses = (host: number): string[] =>
      families.map((family) => (family === 4 ? `${v4(host)}/24` : `${v6(host)}/64`));
    // The router's end first, or the neighbour is asked for when it is not there yet, and again a second later.
    this.lab.connect(this.router, addresses(1), this.host, addresses(2));
    if (families.includes(4)) this.host.ip('route', 'replace', 'default', 'via', v4(1));
    if (families.includes(6)) this.host.ip('-6', 'route', 'replace', 'default', 'via', v6(1));
    this.address = families.includes(4) ? v4(2) : v6(2);
  }

  address = '';

  unplug(): void {
    this.host.ip('link', 'delete', this.networkInterface);
  }
}

async function scene(clientFamilies: readonly (4 | 6)[]): Promise<{ client: Actor; near: Stub; far: Stub }> {
  const lab = newLab();
  cables = 0;
  const router = lab.host('router');
  for (const key of ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']) {
    execFileSync('ip', ['netns', 'exec', router.namespace, 'sysctl', '-qw', key]);
  }
  const near = new Stub(lab, lab.host('client'), router, 1);
  const far = new Stub(lab, lab.host('server'), router, 5);
  near.plug(clientFamilies);
  far.plug([4, 6]);
  await Promise.all([near, far].map(({ host, networkInterface }) => host.isUp(networkInterface)));
  const environment = { SERVAL_BROADCAST: '0' };
  const server = await company.start({ on: far.host, environment });
  await server.ask('createHost', { settings: {} });
  await server.ask('listen', { service: 'acme/echo', behavior: 'echo' });
  const client = await company.start({ on: near.host, environment });
  const router4or6 = clientFamilies.includes(4) ? far.address : `[fd08:${far.address.split('.')[2]}::2]`;
  await client.ask('createHost', { settings: { router: `${router4or6}:54325` } });
  return { client, near, far };
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
      stub.plug(families);
      const dark = now() - startedAt;
      await stub.host.isUp(stub.networkInterface);
      await new Promise((resolve) => setTimeout(resolve, AFTERMATH + INTERRUPTION_MAXIMUM));
      const { sent, received, wrong, code, longestPause } = await client.ask<StreamReport>('endStream', { name });
      console.log(`${name}: still for ${longestPause.toFixed(0)} ms, of which ${dark.toFixed(0)} ms without a network`);
      expect({ received, wrong, code }).toEqual({ received: sent, wrong: 0, code: undefined });
      expect(longestPause - dark).toBeLessThan(INTERRUPTION_MAXIMUM);
    },
    60_000,
  );
});
