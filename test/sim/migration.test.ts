// Flows that change their path while their streams go on (§4.4).

import { describe, expect, it } from 'vitest';
import { Delay } from '../../lib/sim/elements/delay';
import { Jitter } from '../../lib/sim/elements/jitter';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import { Reordering } from '../../lib/sim/elements/reordering';
import type { ServiceEvent } from '../../lib/stack/control-interface';
import { milliseconds } from '../../lib/time/instant';
import { flowID } from '../../lib/wire/flow-id';
import { ServicePrefix } from '../../lib/wire/service-id';
import { MovingWorld, otherAddress, otherInterface } from './moving-world';
import { Story, stories } from './story';
import type { StreamActor } from './stream-actor';

const ROUND_TRIP = 20;
const between = () => [new Delay(milliseconds(ROUND_TRIP / 2))];

function told(seed: number, tell: (story: Story) => void): void {
  const story = new Story(seed);
  story.world.tell(() => tell(story));
}

describe.each(['udp', 'raw'] as const)('on a %s link', (link) => {
  it.each(['client', 'server'] as const)('the %s moves while both send, and nothing is lost', (who) => {
    told(1, (story) => {
      const moving = new MovingWorld(story, { link, between, plan: { holds: true } });
      const { world } = story;
      world.run({ for: milliseconds(100) });
      const end = moving.ends.find(({ name }) => name.startsWith(who))!;
      const peer = moving.ends.find((other) => other !== end)!;
      const [before, received] = [end.handle!.localAddress!, peer.received];
      const startedAt = world.now;
      expect(end.handle!.migrate({ interface: otherInterface(story, end) })).toBeUndefined();
      moving.awaitMove(end);
      expect(world.now - startedAt).toBeLessThanOrEqual(ROUND_TRIP + 1);
      expect(end.handle!.localAddress!.sameIp(before)).toBe(false);
      world.run({ for: milliseconds(ROUND_TRIP) });
      expect([end.moves, peer.moves]).toEqual([1, 1]);
      story.agree();
      expect(peer.received).toBeGreaterThan(received);
      story.settle();
      story.release();
      story.end();
    });
  });

  it('both move at once, each while its old address is still there', () => {
    told(2, (story) => {
      const moving = new MovingWorld(story, { link, between, plan: { holds: true } });
      story.world.run({ for: milliseconds(100) });
      for (const end of moving.ends) end.handle!.migrate({ interface: otherInterface(story, end) });
      story.world.run({ for: milliseconds(3 * ROUND_TRIP) });
      for (const end of moving.ends)
        expect(end.host.interfaces[1]!.has(end.handle!.localAddress!), end.name).toBe(true);
      story.agree();
      story.settle();
      story.release();
      story.end();
    });
  });

  it('goes back when nobody answers at the new address, and says so', () => {
    told(3, (story) => {
      const moving = new MovingWorld(story, { link, between, interfaces: [1, 1], plan: { holds: true } });
      const { world } = story;
      world.attach(moving.client, world.segment('nowhere'), { name: 'eth9' });
      world.run({ for: milliseconds(100) });
      const [client] = moving.ends;
      const before = client!.handle!.localAddress!;
      client!.handle!.migrate({ interface: 'eth9' });
      moving.awaitMove(client!);
      expect([client!.moves, client!.failedMoves]).toEqual([0, 1]);
      expect(client!.handle!.localAddress!.sameIp(before)).toBe(true);
      story.settle();
      story.release();
      story.end();
    });
  });
});

describe.each(['client', 'server'] as const)('the %s goes, and acknowledgments on their way to it are lost', (who) => {
  it('begins with what has not arrived: the answer to its RSYN comes with what the peer has', () => {
    told(5, (story) => {
      const plan = { holds: true, chunk: 1500, every: milliseconds(1) };
      const moving = new MovingWorld(story, { between, plan });
      story.world.run({ for: milliseconds(200) });
      const end = moving.ends.find(({ name }) => name.startsWith(who))!;
      const peer = moving.ends.find((other) => other !== end)!;
      const old = end.host.interfaces.find((one) => one.has(end.handle!.localAddress!))!;
      const to = otherInterface(story, end);
      moving.silence(old);
      const [startedAt, received] = [story.world.now, peer.received];
      end.handle!.migrate({ interface: to });
      // What was under way arrives, more than an initial window; and what it has written since comes next.
      const underWay = (ROUND_TRIP / 2) * plan.chunk;
      const isNew = (): boolean => peer.received > received + underWay + plan.chunk;
      story.world.run({ for: milliseconds(1000), until: isNew });
      expect(story.world.now - startedAt).toBeLessThanOrEqual(1.5 * ROUND_TRIP + 2);
      story.agree();
      story.settle();
      story.release();
      story.end();
    });
  });
});

describe('from one family to the other', () => {
  it.each([
    ['IPv4 to IPv6', 'client', 4],
    ['IPv6 to IPv4', 'client', 6],
    ['IPv4 to IPv6', 'server', 4],
    ['IPv6 to IPv4', 'server', 6],
  ] as const)('%s and back: the %s moves', (_what, who, family) => {
    told(6, (story) => {
      const moving = new MovingWorld(story, { family, interfaces: [1, 1], between, plan: { holds: true } });
      story.world.run({ for: milliseconds(100) });
      const end = moving.ends.find(({ name }) => name.startsWith(who))!;
      for (const to of [10 - family, family, 10 - family]) {
        const address = end.host.interfaces[0]!.addresses.find((each) => each.address.family === to)!.address;
        expect(end.handle!.migrate({ address })).toBeUndefined();
        moving.awaitMove(end);
        story.world.run({ for: milliseconds(ROUND_TRIP) });
        for (const each of moving.ends) {
          expect([each.handle!.localAddress!.family, each.handle!.remoteAddress!.family]).toEqual([to, to]);
        }
        story.agree();
      }
      story.settle();
      story.release();
      story.end();
    });
  });

  it('a host whose network has one family only goes on from a network of the other', () => {
    told(7, (story) => {
      const moving = new MovingWorld(story, { interfaces: [1, 1], between, plan: { holds: true } });
      const { world } = story;
      const six = world.segment('six');
      six.join(world.segment('core'));
      world.run({ for: milliseconds(100) });
      const [used] = moving.client.interfaces;
      used!.down();
      world.attach(moving.client, six, { families: [6] });
      world.run({ for: milliseconds(3 * ROUND_TRIP) });
      expect(moving.encounter.client.handle!.localAddress!.family).toBe(6);
      story.settle();
      story.release();
      story.end();
    });
  });
});

describe('what a move asks for', () => {
  it('is refused with a code when it cannot be', () => {
    told(4, (story) => {
      const moving = new MovingWorld(story, { link: 'raw', between, plan: { holds: true } });
      const { world } = story;
      world.attach(moving.client, world.segment('six'), { name: 'eth6', families: [6] });
      const { handle } = moving.encounter.client;
      const codeOf = (answer: unknown): unknown => (answer as { code?: string } | undefined)?.code ?? answer;
      const { localAddress, remoteAddress } = handle!;
      expect(codeOf(handle!.migrate({ interface: 'wlan7' }))).toBe('ENODEV');
      expect(codeOf(handle!.migrate({ address: remoteAddress! }))).toBe('EADDRNOTAVAIL');
      expect(codeOf(handle!.migrate({ interface: 'eth6' }))).toBe('ENETUNREACH');
      expect(codeOf(handle!.migrate({ address: localAddress! }))).toBe('settled');
      story.release();
      story.end();
      expect(codeOf(handle!.migrate({ interface: 'eth1' }))).toBe('ENOTCONN');
    });
  });

  it('comes from a controller for a flow, a service, an interface or an address (§6.3)', () => {
    told(5, (story) => {
      const moving = new MovingWorld(story, { between, plan: { holds: true } });
      const { world } = story;
      const [client, server] = moving.ends as [StreamActor, StreamActor];
      const to = (name: string) => ({ interface: name });
      const move = (host: typeof moving.client, flows: Parameters<typeof moving.client.command>[0]): void => {
        host.command(flows);
        world.run({ for: milliseconds(4 * ROUND_TRIP) });
      };
      move(moving.client, { kind: 'migrate', flows: { by: 'flow', flowID: flowID(client.flowID!) }, to: to('eth1') });
      expect(client.moves).toBe(1);
      move(moving.client, { kind: 'migrate', flows: { by: 'interface', interface: 'eth1' }, to: to('eth0') });
      expect(client.moves).toBe(2);
      const prefix = ServicePrefix.of(story.service(1));
      move(moving.server, { kind: 'migrate', flows: { by: 'service', prefix }, to: to('eth1') });
      expect(client.moves).toBe(3);
      const address = server.handle!.localAddress!;
      move(moving.server, { kind: 'migrate', flows: { by: 'address', address }, to: to('eth0') });
      expect(client.moves).toBe(4);
      move(moving.server, { kind: 'migrate', flows: { by: 'interface', interface: 'eth1' }, to: to('eth0') });
      expect(client.moves).toBe(4);
      story.release();
      story.end();
    });
  });

  it('tells controllers what has become of each flow (§4.3)', () => {
    told(6, (story) => {
      const moving = new MovingWorld(story, { between, interfaces: [2, 2], plan: { holds: true } });
      const { world } = story;
      world.attach(moving.client, world.segment('nowhere'), { name: 'eth9' });
      const { handle, flowID: number } = moving.encounter.client;
      const flows = { by: 'flow', flowID: flowID(number!) } as const;
      const outcomes: unknown[] = [];
      const watch = { handleEvent: outcomeOf(outcomes), pollCommand: () => undefined };
      moving.client.addController(watch);
      const move = (name: string, for_ = 4 * ROUND_TRIP): unknown[] => {
        moving.client.command({ kind: 'migrate', flows, to: { interface: name } });
        world.run({ for: milliseconds(for_) });
        return outcomes.splice(0);
      };
      const at = (name: string): string =>
        String(moving.client.interfaces.find((each) => each.name === name)!.addresses[0]!.address.ip);
      expect(move('eth1')).toEqual([[number, 'moved', at('eth1')]]);
      expect(move('eth1')).toEqual([[number, 'there', at('eth1')]]);
      expect(move('wlan7')).toEqual([[number, 'noInterface', at('eth1')]]);
      expect(move('eth9', 10_000)).toEqual([[number, 'unanswered', at('eth1')]]);
      // Nobody has answered there yet when it is sent elsewhere.
      expect(move('eth9', 1)).toEqual([]);
      expect(move('eth0')).toEqual([
        [number, 'superseded', at('eth1')],
        [number, 'moved', at('eth0')],
      ]);
      expect(move('eth9', 1)).toEqual([]);
      moving.client.interfaces.find(({ name }) => name === 'eth9')!.down();
      world.run({ for: milliseconds(1) });
      expect(outcomes.splice(0)).toEqual([[number, 'noAddress', at('eth0')]]);
      expect(move('eth1', 1)).toEqual([]);
      handle!.reset();
      world.run({ for: milliseconds(1) });
      expect(outcomes.splice(0)).toEqual([[number, 'closed', at('eth0')]]);
      expect(move('eth1')).toEqual([]);
    });
  });
});

function outcomeOf(outcomes: unknown[]): (event: ServiceEvent) => void {
  return (event) => {
    if (event.kind === 'migrationEnded') outcomes.push([event.flowID, event.outcome, event.address?.ip]);
  };
}

const MOVES = 1250;

// Goal R1: 10,000 moves of one stream in all.
stories(`${MOVES} moves of one stream, with loss and reordering`, 6000, 8, (story) => {
  const { world, chance } = story;
  const link = chance.pick(['udp', 'udp', 'udp', 'raw'] as const);
  const moving = new MovingWorld(story, {
    link,
    family: link === 'raw' ? 4 : chance.pick([4, 6] as const),
    interfaces: [3, 3],
    between: () => [new Delay(milliseconds(5)), new Jitter(milliseconds(2)), new RandomLoss(0.02), reordering()],
    length: 200_000_000,
    plan: { holds: true, chunk: 1400, pauseEvery: 8000, pauseFor: milliseconds(20) },
  });
  for (let moves = 0; moves < MOVES; moves++) {
    const end = chance.pick(moving.ends);
    const target = link === 'raw' ? { interface: otherInterface(story, end) } : { address: otherAddress(story, end) };
    expect(end.handle!.migrate(target)).toBeUndefined();
    moving.awaitMove(end);
    if (chance.happens(0.5)) world.run({ for: chance.duration(0, 40) });
  }
  expect(moving.counts.failed).toBe(0);
  expect(moving.counts.moves).toBeGreaterThan(MOVES * 1.5);
  for (const end of moving.ends) expect(end.received).toBeGreaterThan(1_000_000);
  world.run({ for: milliseconds(10_000) });
  for (const { stack } of world.hosts) {
    for (const flow of stack.sal.flowTable.values()) expect(flow.migration).toBeUndefined();
  }
  story.agree();
  for (const end of moving.ends) end.quit((handle) => handle.close());
  world.run();
});

function reordering(): Reordering {
  return new Reordering(0.05, milliseconds(8));
}
