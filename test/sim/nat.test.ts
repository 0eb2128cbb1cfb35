// Flows behind translators that change, and under an attacker who copies packets (§4.4; reliability S2).

import { describe, expect, it } from 'vitest';
import { Delay } from '../../lib/sim/elements/delay';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import type { SimulatedPacket } from '../../lib/sim/simulated-packet';
import { milliseconds } from '../../lib/time/instant';
import { ControlFlag } from '../../lib/wire/control-extension';
import { NetworkAddress } from '../../lib/wire/network-address';
import { isWireError, parseSalPacket } from '../../lib/wire/sal-packet';
import { expectThat } from './checkers';
import { Copier, Nat } from './nat';
import { Story, stories } from './story';
import type { StreamActor } from './stream-actor';

const ROUND_TRIP = 20;

interface Neighbours {
  readonly story: Story;
  readonly client: StreamActor;
  readonly server: () => StreamActor;
  readonly nat: Nat;
  /** Another address that packets from the client may have. */
  readonly alias: NetworkAddress;
}

function behindNat(
  story: Story,
  loss: number,
  copier: Copier | undefined,
  delay = new Delay(milliseconds(ROUND_TRIP / 2)),
): Neighbours {
  const { world } = story;
  const [clientHost, serverHost] = [world.host('client'), world.host('server')];
  const nat = new Nat();
  const segment = world.segment('lan');
  const way = [delay, new RandomLoss(loss)];
  const outbound = [...way, nat.outbound, ...(copier === undefined ? [] : [copier.outbound])];
  const inside = world.attach(clientHost, segment, { outbound, inbound: [nat.inbound], families: [4] });
  const alias = segment.addressOf(99, 4);
  inside.assign(alias);
  world.attach(serverHost, segment, { families: [4] });
  clientHost.forward(serverHost.address());
  const service = story.service(1);
  const plan = () => story.plan(4_000_000, { holds: true, chunk: 1000, every: milliseconds(10) });
  story.serve(serverHost, service, plan);
  const encounter = story.visit(clientHost, service, plan());
  world.run({ for: milliseconds(200) });
  const server = () => encounter.accepted[0]!;
  return { story, client: encounter.client, server, nat, alias: alias.address };
}

function finish(story: Story): void {
  story.settle();
  story.release();
  story.end();
}

describe('a NAT that gives a flow another', () => {
  it.each(['port', 'address', 'address and port'])(
    '%s: the peer notices, asks and follows, and nothing is lost',
    (what) => {
      const story = new Story(1);
      story.world.tell(() => {
        const { client, server, nat, alias } = behindNat(story, 0, undefined);
        const before = server().handle!.remoteAddress!;
        const address = what === 'port' ? before : alias;
        const after = address.withPort(what === 'address' ? before.port : 61_000);
        const received = [client.received, server().received];
        nat.rebind(before, after);
        story.world.run({ for: milliseconds(3 * ROUND_TRIP) });
        expect(server().handle!.remoteAddress!.equals(after)).toBe(true);
        expect([client.moves, server().moves]).toEqual([0, 1]);
        story.world.run({ for: milliseconds(4 * ROUND_TRIP) });
        expect(client.received).toBeGreaterThan(received[0]! + 5000);
        expect(server().received).toBeGreaterThan(received[1]! + 5000);
        finish(story);
      });
    },
  );
});

it('the peer follows over a way that is fifty times as long as the one before', () => {
  const story = new Story(4);
  story.world.tell(() => {
    const delay = new Delay(milliseconds(ROUND_TRIP / 2));
    const { server, nat } = behindNat(story, 0, undefined, delay);
    const before = server().handle!.remoteAddress!;
    const after = before.withPort(61_000);
    delay.delay = milliseconds(50 * ROUND_TRIP);
    nat.rebind(before, after);
    story.world.run({ for: milliseconds(4 * 50 * ROUND_TRIP) });
    expect(server().handle!.remoteAddress!.equals(after)).toBe(true);
    finish(story);
  });
});

stories('a NAT that forgets again and again, with loss', 6200, 20, (story) => {
  const { client, server, nat, alias } = behindNat(story, 0.02, undefined);
  const { chance, world } = story;
  const inside = server().handle!.remoteAddress!;
  const pause = chance.magnitude(50, 2000);
  for (let count = 0; count < 12; count++) {
    const address = chance.happens(0.5) ? inside : alias;
    nat.rebind(inside, address.withPort(50_000 + count));
    world.run({ for: milliseconds(pause) });
  }
  world.run({ for: milliseconds(5000) });
  expectThat(server().handle!.remoteAddress!.port === 50_011, 'the server is where the NAT left the client');
  expectThat(client.moves === 0, 'the client has not moved');
  finish(story);
});

function flagsOf({ bytes }: SimulatedPacket): number {
  const packet = parseSalPacket(bytes, 0, bytes.length);
  return isWireError(packet) ? 0 : (packet.control?.flags ?? 0);
}

const attacks: readonly (readonly [name: string, isWanted: (packet: SimulatedPacket) => boolean])[] = [
  ['every packet (nat_attack)', () => true],
  ['every packet with CONTROL', (packet) => flagsOf(packet) !== 0],
  ['every RSYN (false_migration)', (packet) => (flagsOf(packet) & ControlFlag.rsyn) !== 0],
  ['data alone', (packet) => flagsOf(packet) === 0],
];

describe('who copies packets from another address', () => {
  it.each(attacks)('%s: does not move the flow for good', (_name, isWanted) => {
    const story = new Story(3);
    story.world.tell(() => {
      const attacker = NetworkAddress.parse('10.66.0.66', 6666)!;
      let isOn = false;
      const copier = new Copier(attacker, (packet) => isOn && isWanted(packet));
      const { client, server, alias } = behindNat(story, 0.01, copier);
      isOn = true;
      for (let round = 0; round < 10; round++) {
        const home = client.host.interfaces[0]!.addresses[0]!.address;
        client.handle!.migrate({ address: round % 2 === 0 ? alias : home });
        story.world.run({ for: milliseconds(600) });
        const at = server().handle!.remoteAddress!;
        expectThat(at.sameIp(client.handle!.localAddress!), `round ${round}: the server talks to ${at}`);
      }
      expect(copier.copies).toBeGreaterThan(5);
      isOn = false;
      finish(story);
      const { counters } = server().host.stack.sal;
      expect(counters.value('peerMigrated')).toBeGreaterThanOrEqual(10);
    });
  });
});
