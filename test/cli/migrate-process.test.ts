// `serval migrate`, as a user runs it: connections go from one interface of a real host to another (§4.4, §4.5).

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Lab } from '../lab/lab';
import { describeWithNamespaces } from '../lab/require-root';
import { Stub } from '../lab/stub';
import { cells, objects, shell } from './shell';

/** What a command printed of flows, without their numbers. */
const moves = (lines: Record<string, unknown>[]) =>
  lines.map(({ name, outcome, code, interface: networkInterface }) => [name, outcome, code, networkInterface]);

describeWithNamespaces('serval migrate', () => {
  let lab: Lab;
  let near: Stub;
  let far: Stub;
  const client = shell(() => near.host);
  const server = shell(() => far.host);

  beforeEach(async () => {
    lab = new Lab();
    const router = lab.host('router');
    router.route();
    near = new Stub(lab, lab.host('client'), router);
    far = new Stub(lab, lab.host('server'), router);
    for (const stub of [near, far]) for (let count = 0; count < 2; count++) stub.plug([4]);
    const all = [near, far].flatMap(({ host, cables }) =>
      cables.map(({ networkInterface }) => host.isUp(networkInterface)),
    );
    await Promise.all(all);
    await server.program('serve', 'acme/web', { SERVAL_MIGRATION: '0' });
  });

  afterEach(() => lab.close());

  const talk = async (): Promise<number> => {
    const router = `${far.cables[0]!.addresses[0]}:${server.port()}`;
    const { pid } = await client.program('talk', 'acme/web', { SERVAL_ROUTER: router, SERVAL_MIGRATION: '0' });
    return pid;
  };
  const flows = async () => objects(await client.serval('flows acme/web --json'));
  const placeOf = (index: number) => near.cables[index]!;

  it('an interface, one flow, and those of a service', async () => {
    const pids = [await talk(), await talk()];
    const [first] = await flows();
    const from = near.cables.find(({ networkInterface }) => networkInterface === first!['interface'])!;
    const to = near.cables.find((cable) => cable !== from)!;
    const moved = await client.serval(`migrate interface ${from.networkInterface} --to ${to.networkInterface}`);
    const [titles, ...rows] = cells(moved);
    expect(titles).toEqual(['PID', 'FLOW', 'SERVICE', 'OUTCOME', 'INTERFACE', 'LOCAL', 'REMOTE']);
    expect(rows.map(([pid]) => Number(pid)).sort()).toEqual(pids.sort());
    for (const [, , service, outcome, networkInterface, local] of rows) {
      const place = [to.networkInterface, expect.stringContaining(to.addresses[0]!)];
      expect([service, outcome, networkInterface, local]).toEqual(['acme/web', 'moved', ...place]);
    }
    // By its number, to an address.
    const [{ localFlowID: number }] = (await flows()) as [{ localFlowID: number }];
    const back = await client.serval(`migrate flow ${number} --to ${from.addresses[0]} --json`);
    expect(moves(objects(back))).toEqual([['acme/web', 'moved', null, from.networkInterface]]);
    expect((await flows()).map((flow) => flow['interface']).sort()).toEqual(
      [from.networkInterface, to.networkInterface].sort(),
    );
    // By the other end, whose service it is.
    const other = far.cables[1]!.networkInterface;
    const answers = objects(await server.serval(`migrate service acme/* --to ${other} --json`));
    expect(moves(answers)).toEqual(Array(2).fill(['acme/web', expect.stringMatching(/moved|there/), null, other]));
    for (const { remoteAddress } of await flows()) expect(remoteAddress).toContain(far.cables[1]!.addresses[0]);
  });

  it('says who stays, and why', async () => {
    await talk();
    const nowhere = lab.connect(near.host, ['198.51.100.1/24'], lab.host('nowhere'), []);
    const [{ localFlowID: number, interface: here }] = (await flows()) as [{ localFlowID: number; interface: string }];
    const there = await client.serval(`migrate flow ${number} --to ${here} --json`);
    expect([there.code, moves(objects(there))]).toEqual([0, [['acme/web', 'there', null, here]]]);
    const refused = await client.serval(`migrate flow ${number} --to eth77`);
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('refused (ENODEV)')]);
    await expect
      .poll(async () => {
        const { code, stdout } = await client.serval(`migrate flow ${number} --to ${nowhere} --json`);
        return [code, moves([JSON.parse(stdout)])];
      })
      .toEqual([1, [['acme/web', 'unanswered', 'ETIMEDOUT', here]]]);
    // Its only way is gone, and nobody is to tell it of another.
    near.unplug(near.cables.find(({ networkInterface }) => networkInterface === here)!);
    near.unplugAll();
    const pending = await client.serval(`migrate service acme/web --to ${nowhere} --timeout 0.3 --json`);
    expect([pending.code, JSON.parse(pending.stdout)]).toMatchObject([1, { outcome: 'pending', code: null }]);
  }, 30_000);

  it('no such flow', async () => {
    await talk();
    const cases = { 'flow 1': 'has the number 1', 'interface eth77': 'is connected over eth77' };
    for (const [which, text] of Object.entries(cases)) {
      const { code, stdout, stderr } = await client.serval(`migrate ${which} --to ${placeOf(1).networkInterface}`);
      const message = `serval migrate: no flow of a process of this user ${text} (CONTROL_NO_FLOW)\n`;
      expect([code, stdout, stderr]).toEqual([1, '', message]);
    }
    const json = await client.serval(`migrate service acme/none --to ${placeOf(1).networkInterface} --json`);
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([1, { error: { code: 'CONTROL_NO_FLOW' } }]);
  });
});

describe('serval migrate, asked wrongly', () => {
  const { serval, program } = shell();

  it.each([
    ['migrate flow 7', "required option '--to <interface|address>' not specified"],
    ['migrate flow many --to lo', 'a whole number from 1 to 4294967295'],
    ['migrate service a//b --to lo', 'has an empty component (ERR_SERVAL_INVALID_NAME)'],
    ['migrate', 'Usage: serval migrate'],
  ])('%s', async (args, message) => {
    await program('host');
    const { code, stdout, stderr } = await serval(args);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(message)]);
  });
});
