// A host's only uplink is pulled out and another one put in, over real sockets (§4.4, goal R6): all 18 cases of
// {client, server} x {IPv4, IPv6, both} -> {IPv4, IPv6, both}. test/sim/uplink-switch.test.ts has them with loss.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { now } from './actor';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';
import { plugged, TwoStubs } from './two-stubs';

const { company, newLab } = companyInLabs((end) => afterAll(end, 60_000));

const UPLINKS = { v4: [4], v6: [6], dual: [4, 6] } as const;
type Uplink = keyof typeof UPLINKS;
const KINDS = Object.keys(UPLINKS) as Uplink[];
const cases = (['client', 'server'] as const).flatMap((who) =>
  KINDS.flatMap((from) => KINDS.map((to) => [who, from, to] as const)),
);

describeWithNamespaces('a host whose uplink is replaced while a stream runs', () => {
  let two: TwoStubs;
  beforeAll(async () => {
    two = await TwoStubs.start(newLab(), company);
  });

  it.each(cases)(
    'the %s, %s -> %s: every byte arrives',
    async (who, from, to) => {
      const [stub, peer] = who === 'client' ? [two.client, two.server] : [two.server, two.client];
      await Promise.all([plugged(stub, UPLINKS[from]), plugged(peer, [4, 6])]);
      const stream = await two.stream({ chunk: 700, every: 5 });
      await stream.runs(3000);

      const end = who === 'client' ? stream.client : stream.server;
      const startedAt = now();
      stub.unplug();
      const { addresses } = await plugged(stub, UPLINKS[to]);
      await stream.runs(3000);
      console.info(
        `${who} ${from} -> ${to}: bytes both ways again ${Math.round(now() - startedAt)} ms after the old uplink went`,
      );
      await stream.agrees();
      expect(addresses).toContain((await end.place()).local);
      await stream.finish();

      await two.rest();
      for (const each of [stub, peer]) each.unplugAll();
    },
    60_000,
  );
});
