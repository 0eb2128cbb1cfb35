// One stream over real sockets, both of whose ends move again and again (§4.4, goal R1): random end, interface, family and
// address, on a path that loses and reorders packets. SERVAL_MIGRATIONS=1000 is the full size, which takes half a minute.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../lib/time/seeded-random';
import { type Actor, now } from './actor';
import { HashedStream, type StreamEnd } from './hashed-stream';
import { companyInLabs } from './labs';
import { describeWithNamespaces } from './require-root';
import { Stub } from './stub';

const { company, newLab } = companyInLabs();

const MIGRATIONS = Number(process.env['SERVAL_MIGRATIONS'] ?? 40);
/** Milliseconds, generous: a machine that others use makes ten moves a second. */
const PATIENCE = 30_000 + MIGRATIONS * 200;
const SERVICE = 'acme/moving';
const PLAN = { chunk: 1200, every: 5 };
/** Between the two sides, so that every path has it: 2 % of the packets are lost, and 5 % come late. */
const BETWEEN = { delay: 3, loss: 0.02, reorder: 0.05, seed: 1 };

interface Mover {
  readonly actor: Actor;
  readonly stub: Stub;
  readonly end: StreamEnd;
}

/** Client and server with two interfaces each, and two addresses each of these. */
async function scene(): Promise<{ stream: HashedStream; movers: readonly Mover[] }> {
  const lab = newLab();
  const [west, east] = [lab.host('west'), lab.host('east')];
  await lab.relay(west, ['10.7.0.1/24', 'fd07::1/64'], east, ['10.7.0.2/24', 'fd07::2/64'], BETWEEN);
  for (const [router, other] of [
    [west, 2],
    [east, 1],
  ] as const) {
    router.route();
    router.ip('route', 'add', 'default', 'via', `10.7.0.${other}`);
    router.ip('-6', 'route', 'add', 'default', 'via', `fd07::${other}`);
  }
  const stubs = [new Stub(lab, lab.host('client'), west), new Stub(lab, lab.host('server'), east)] as const;
  for (const stub of stubs) for (let count = 0; count < 2; count++) stub.plug([4, 6]);
  await Promise.all(
    stubs.flatMap(({ host, cables }) => cables.map(({ networkInterface }) => host.isUp(networkInterface))),
  );
  // Moves are the test's alone.
  const environment = { SERVAL_BROADCAST: '0', SERVAL_MIGRATION: '0' };
  const [client, server] = await Promise.all(stubs.map(({ host }) => company.start({ on: host, environment })));
  await server!.ask('createHost', { settings: {} });
  await server!.ask('listenHashed', { service: SERVICE, plan: PLAN });
  await client!.ask('createHost', { settings: { router: `${stubs[1].address(4)}:54325` } });
  const stream = await HashedStream.open(client!, server!, SERVICE, PLAN);
  const movers = [
    { actor: client!, stub: stubs[0], end: stream.client },
    { actor: server!, stub: stubs[1], end: stream.server },
  ];
  return { stream, movers };
}

describeWithNamespaces('a stream whose ends move', () => {
  it(
    `${MIGRATIONS} times: every byte arrives, and nothing is left over`,
    async () => {
      const { stream, movers } = await scene();
      const random = SeededRandom.of(5);
      const pick = <T>(choices: readonly T[]): T => choices[random.uint32() % choices.length]!;
      const failed: object[] = [];
      const overtaken: object[] = [];
      const startedAt = now();
      await stream.runs(1000);
      for (let count = 0; count < MIGRATIONS; count++) {
        const { stub, end } = pick(movers);
        const { local } = await end.place();
        const other = stub.cables.find(({ addresses }) => !addresses.includes(local))!;
        const addresses = stub.cables.flatMap((cable) => cable.addresses).filter((address) => address !== local);
        const to = random.uint32() % 2 === 0 ? { interface: other.networkInterface } : { address: pick(addresses) };
        const code = await end.migrate(to);
        const place = await end.place();
        const isThere = 'address' in to ? place.local === to.address : other.addresses.includes(place.local);
        const move = { count, name: end.name, to, code, place };
        if (code !== undefined) failed.push(move);
        else if (!isThere) overtaken.push(move);
        // Half of them begin when the last has just been made.
        if (random.uint32() % 2 === 0) await stream.runs(1000);
      }
      await stream.runs(1000);
      await stream.agrees();
      const took = now() - startedAt;
      const [client, server] = await stream.finish();
      console.info(
        `${MIGRATIONS} moves in ${(took / 1000).toFixed(1)} s, ${failed.length} failed, ` +
          `${overtaken.length} overtaken; client and server heard of ` +
          `${client.moves} and ${server.moves}; ${client.sent} and ${server.sent} bytes, SHA-256 equal`,
      );
      expect(failed).toEqual([]);
      // The last move of the peer was to the other family, and its ACK came behind our own answer: the flow is in that family.
      expect(overtaken.length).toBeLessThanOrEqual(Math.max(2, MIGRATIONS / 100));
      expect(Math.min(client.moves, server.moves)).toBeGreaterThan(MIGRATIONS * 0.75);
      // A question to the router is a flow as well, for a moment; one of a stream that is over would stay.
      for (const { actor } of movers) while ((await actor.ask<number>('liveFlows')) > 0) await sleep(10);
    },
    PATIENCE,
  );
});
