// Processes that share a host over raw IP: of every packet for the host each raw socket is offered a copy, and the
// kernel keeps from a process what is for the flows of another.

import { expect, it } from 'vitest';
import type { Actor, StreamReport } from './actor';
import type { LabHost } from './lab';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';

const { company, newLab } = companyInLabs();

type Counters = Record<string, number>;

async function start(on: LabHost): Promise<Actor> {
  const actor = await company.start({ on, environment: { SERVAL_LINKS: 'raw' } });
  await actor.ask('createHost', { settings: {} });
  return actor;
}

/** Of its raw link. */
async function countersOf(actor: Actor): Promise<Counters> {
  const { links } = await actor.ask<{ links: Record<string, Counters> }>('statistics');
  return links['1 raw']!;
}

describeWithNamespaces('processes with raw links on one host', () => {
  it('are woken by first packets and by their own flows alone', async () => {
    const lab = newLab();
    const [a, b] = [lab.host('a'), lab.host('b')];
    lab.connect(a, ['10.9.0.1/24'], b, ['10.9.0.2/24']);
    await Promise.all([a.isUp('eth0'), b.isUp('eth0')]);
    const [addressed, ...neighbours] = [await start(a), await start(a), await start(a), await start(a)];
    const client = await start(b);
    await addressed!.ask('listen', { service: 'acme/echo', behavior: 'echo' });

    await client.ask('startStream', { service: 'acme/echo', name: 'one' });
    const before = await Promise.all(neighbours.map(countersOf));
    await addressed!.event('accepted', () => true);
    const until = (await countersOf(addressed!))['packetsReceived']! + 200;
    while ((await countersOf(addressed!))['packetsReceived']! < until) {
      // Each question takes a turn of the other process.
    }
    const stream = await client.ask<StreamReport>('endStream', { name: 'one' });
    expect(stream).toMatchObject({ wrong: 0, received: stream.sent });

    const after = await Promise.all(neighbours.map(countersOf));
    const woken = after.map(({ receiveCalls }, index) => receiveCalls! - before[index]!['receiveCalls']!);
    // Two processes have the same tag one time in 256; that all three neighbours share one with the addressed: never.
    expect(Math.min(...woken)).toBe(0);
    expect(woken.filter((calls) => calls > 0).length).toBeLessThanOrEqual(1);
    // All of them heard the first packet.
    for (const { packetsReceived } of after) expect(packetsReceived).toBeGreaterThan(0);
  }, 30_000);
});
