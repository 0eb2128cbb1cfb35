// The degradation ladder over real sockets (goal R5): a stream is opened on a bad network and carries all, and one that
// runs is moved there and back, of either side. Three of the 18 cases in CI; SERVAL_LADDER=all is all of them, which takes ten minutes.
// test/sim/degradation.test.ts has all of them with seeds.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { fadeOf, LADDER, queueBytes, type Rung } from '../sim/degradation-ladder';
import { now } from './actor';
import type { Impairment } from './lab';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';
import type { Stub } from './stub';
import { plugged, TwoStubs } from './two-stubs';

const { company, newLab } = companyInLabs((end) => afterAll(end, 60_000));

const BYTES = 60_000;
const all = LADDER.flatMap((rung) => (['client', 'server'] as const).map((who) => [rung.name, who, rung] as const));
const cases = process.env['SERVAL_LADDER'] === 'all' ? all : [all[2]!, all[5]!, all[6]!];

describeWithNamespaces('a bad network', () => {
  let two: TwoStubs;
  beforeAll(async () => {
    two = await TwoStubs.start(newLab(), company);
  });

  it.each(cases)(
    '%s of the %s: a stream opens there, and one moves there',
    async (_name, who, rung) => {
      const [poor, good] = who === 'client' ? [two.client, two.server] : [two.server, two.client];
      await plugged(good, [4, 6]);

      await poor.plugPoor([4], lineOf(rung));
      const openedAt = now();
      const opened = await two.stream({ chunk: 5000, bytes: BYTES });
      await opened.finish();
      const opening = now() - openedAt;
      await two.rest();
      poor.unplugAll();

      await plugged(poor, [4]);
      const moved = await two.stream({ chunk: 1000, every: 5 });
      await moved.runs(20_000);
      const movedAt = now();
      await swap(poor, () => poor.plugPoor([4], lineOf(rung)));
      await moved.runs(BYTES / 2);
      const moving = now() - movedAt;
      await moved.agrees();
      const end = who === 'client' ? moved.client : moved.server;
      expect(poor.cables[0]!.addresses).toContain((await end.place()).local);
      await moved.finish();
      console.info(
        `${rung.name} of the ${who}: opened there, ${BYTES} bytes each way in ${Math.round(opening)} ms; moved there, ` +
          `${BYTES / 2} bytes more each way after ${Math.round(moving)} ms`,
      );

      await two.rest();
      for (const each of [poor, good]) each.unplugAll();
    },
    600_000,
  );
});

/** The new network is there when the old one goes. */
async function swap(stub: Stub, plug: () => Promise<unknown>): Promise<void> {
  const [old] = stub.cables;
  await plug();
  stub.unplug(old!);
}

function lineOf(rung: Rung): Omit<Impairment, 'device'> {
  const { rate, roundTrip, jitter, loss } = rung;
  const fade = rung.burst > 1 ? fadeOf(rung) : 0;
  return { rate, queue: queueBytes(rung), delay: roundTrip / 2, jitter, loss, fade, reorder: 0, seed: 1 };
}
