// Hierarchical access (§4.3) without a network: what a host and a router announce, and the rules that follow.
import { describe, expect, it } from 'vitest';
import { CONTROLLER_PREFIX } from '../../lib/controller/controller-service';
import { Announcements } from '../../lib/controller/policies/announcements';
import {
  Hierarchical,
  type HierarchicalObserver,
  type HierarchicalOptions,
} from '../../lib/controller/policies/hierarchical';
import { HierarchicalRouter } from '../../lib/controller/policies/hierarchical-router';
import {
  REGISTRATION_WAIT_MAXIMUM,
  SESSION_LEASE,
  SESSION_SEARCH_PAUSE_MAXIMUM,
} from '../../lib/controller/session/session-limits';
import type { PickerName } from '../../lib/table/pickers/picker-names';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { address, drain, NOW, networkInterface, told } from './commands';
import { End } from './session/both-ends';

const inGroup = (group: number, item: number) =>
  ServicePrefix.of(ServiceID.fromWords([0xaaaa_0000 + group, 0, item, 0, 0, 0, 0, 0]));
const group = (number: number) => ServicePrefix.of(inGroup(number, 0).base, 64);

describe('Announcements', () => {
  const recorded = (aggregates: readonly ServicePrefix[] = []) => {
    const log: string[] = [];
    const announcements = new Announcements(
      {
        offer: (prefix, protocol, { weight, picker }) =>
          log.push(`offer /${prefix.bits} ${protocol} ${weight}${picker === undefined ? '' : ` ${picker}`}`),
        withdraw: (prefix, protocol) => log.push(`withdraw /${prefix.bits} ${protocol}`),
      },
      aggregates,
    );
    return { announcements, take: () => log.splice(0) };
  };

  it('sums the weights of all instances, and withdraws with the last', () => {
    const { announcements, take } = recorded();
    announcements.set('one', inGroup(1, 1), 6, { weight: 10 });
    announcements.set('two', inGroup(1, 1), 6, { weight: 5 });
    announcements.set('two', inGroup(1, 1), 6, { weight: 7 });
    announcements.set('two', inGroup(1, 1), 17, { weight: 1 });
    expect(take()).toEqual(['offer /256 6 10', 'offer /256 6 15', 'offer /256 6 17', 'offer /256 17 1']);
    announcements.delete('one', inGroup(1, 1), 6);
    announcements.delete('one', inGroup(1, 1), 6);
    announcements.deleteAll('two');
    announcements.deleteAll('two');
    expect(take()).toEqual(['offer /256 6 7', 'withdraw /256 6', 'withdraw /256 17']);
  });

  it('announces an aggregate while something lies under it, the longest that fits', () => {
    const wide = ServicePrefix.of(inGroup(1, 0).base, 16);
    const { announcements, take } = recorded([wide, group(1)]);
    expect(announcements.announcedAs(inGroup(1, 1)).bits).toBe(64);
    announcements.set('one', inGroup(1, 1), 6, { weight: 1 });
    announcements.set('one', inGroup(1, 2), 6, { weight: 2 });
    announcements.set('one', inGroup(2, 1), 6, { weight: 4 });
    announcements.set('one', ServicePrefix.of(ServiceID.fromHex('b'.repeat(64))!), 6, { weight: 8 });
    expect(take()).toEqual(['offer /64 6 1', 'offer /64 6 3', 'offer /16 6 4', 'offer /256 6 8']);
    announcements.delete('one', inGroup(1, 1), 6);
    announcements.delete('one', inGroup(1, 2), 6);
    expect(take()).toEqual(['offer /64 6 2', 'withdraw /64 6']);
  });

  it('announces what most instances wish, and nothing of an aggregate', () => {
    const { announcements, take } = recorded([group(2)]);
    const set = (source: string, picker?: PickerName): string[] => {
      announcements.set(source, inGroup(1, 1), 6, { weight: 1, picker });
      return take();
    };
    expect(set('one')).toEqual(['offer /256 6 1']);
    expect(set('two', 'rendezvous')).toEqual(['offer /256 6 2 rendezvous']);
    // Of as many voices the picker counts that stands first in the table, whoever came first.
    expect(set('three', 'random')).toEqual(['offer /256 6 3 random']);
    expect(set('one', 'rendezvous')).toEqual(['offer /256 6 3 rendezvous']);
    announcements.deleteAll('two');
    expect(take()).toEqual(['offer /256 6 2 random']);
    expect(set('three')).toEqual(['offer /256 6 2 rendezvous']);
    expect(set('one')).toEqual(['offer /256 6 2']);
    announcements.set('one', inGroup(2, 1), 6, { weight: 1, picker: 'rendezvous' });
    expect(take()).toEqual(['offer /64 6 1']);
  });

  it('announces no more than a message can say', () => {
    const { announcements, take } = recorded();
    for (const source of ['one', 'two']) announcements.set(source, inGroup(1, 1), 6, { weight: 0x7fffffff });
    expect(take().at(-1)).toBe('offer /256 6 2147483647');
  });
});

/** A policy, the addresses at which it looked for a router, and its side of the last channel. */
function hierarchical(options: Partial<HierarchicalOptions> = {}, observer: HierarchicalObserver = {}) {
  const asked: string[] = [];
  const channels: End[] = [];
  const settings: HierarchicalOptions = {
    random: SeededRandom.of(1),
    router: address('192.0.2.1', 54325),
    routerPort: 54325,
    port: () => 54325,
    link: () => 1,
    open: (to, _timeout, observer) => {
      asked.push(to.join());
      const channel = new End({ ip: '10.0.0.2', port: 40_000 }, address('10.0.0.9', 41_000));
      channel.observer = observer;
      channels.push(channel);
      return channel;
    },
    ...options,
  };
  const policy = new Hierarchical(settings, observer);
  const fail = (now: Instant) => channels.at(-1)!.observer!.closed(now, false);
  return { policy, asked, channels, fail };
}

const welcome = JSON.stringify({
  type: 'welcome',
  version: 1,
  identity: 'e'.repeat(32),
  lease: 3000,
  heartbeat: 1000,
  port: 54325,
  path: ['e'.repeat(32)],
});

describe('Hierarchical', () => {
  it('has the way to its router from the start, and not when another process speaks for the host', () => {
    const { policy, asked } = hierarchical();
    // The peers of its flows may be asked for there in any case.
    expect(told(policy)).toEqual(['setRouter 192.0.2.1:54325']);
    policy.start(NOW);
    expect([told(policy), asked]).toEqual([['addRule forward 0000/0 -> 192.0.2.1:54325'], ['192.0.2.1:54325']]);
    policy.handOver();
    expect(told(policy)).toEqual(['deleteRule forward 0000/0 -> 192.0.2.1:54325']);
  });

  it('announces what its sockets and those of other processes offer, but no default and no controller', () => {
    const { policy, channels } = hierarchical();
    const offer = (prefix: ServicePrefix) =>
      policy.handleEvent({ kind: 'registered', prefix, protocol: 6, weight: 1 }, NOW);
    for (const prefix of [ServicePrefix.any, CONTROLLER_PREFIX, inGroup(1, 1)]) offer(prefix);
    const member = { prefix: inGroup(1, 1), protocol: 6, address: address('127.0.0.1', 4001) } as const;
    policy.handleRegistered({ ...member, weight: 2 });
    policy.start(NOW);
    channels[0]!.observer!.opened(NOW);
    const [hello, ...rest] = channels[0]!.take();
    expect(hello).toMatchObject({ type: 'hello', port: 54325, source: { ip: '10.0.0.2', port: 40_000 } });
    expect(rest.map(({ type, weight }) => [type, weight])).toEqual([
      ['register', 3],
      ['synced', undefined],
    ]);
    policy.handleGone(member.address);
    policy.handleEvent({ kind: 'unregistered', prefix: inGroup(1, 1), protocol: 6 }, NOW);
    expect(channels[0]!.take().map(({ type, weight }) => [type, weight])).toEqual([
      ['register', 1],
      ['unregister', undefined],
    ]);
  });

  it('looks for a router on each segment, and leads to the one that answers while it is there', () => {
    const { policy, asked, channels, fail } = hierarchical({ router: 'auto' });
    policy.start(NOW);
    policy.handleEvent({ kind: 'interfaceUp', networkInterface: networkInterface('lo', '127.0.0.1') }, NOW);
    expect(asked).toEqual([]);
    for (const [name, ip, broadcast] of [
      ['eth0', '10.0.0.2', '10.0.0.255'],
      ['wlan10', '10.1.0.2', '10.1.0.255'],
    ] as const) {
      policy.handleEvent({ kind: 'interfaceUp', networkInterface: networkInterface(name, ip, broadcast) }, NOW);
    }
    expect(asked.at(-1)).toBe('10.0.0.255:54325,10.1.0.255:54325');
    channels.at(-1)!.observer!.opened(NOW);
    channels.at(-1)!.observer!.lines([welcome], NOW);
    expect([told(policy), String(policy.router)]).toEqual([
      ['setRouter 10.0.0.9:54325', 'addRule forward 0000/0 -> 10.0.0.9:54325'],
      '10.0.0.9:54325',
    ]);
    // The one that was found goes first; then any other will do, and at last there is none.
    let now = NOW;
    const places = new Set<string>();
    for (let failures = 0; failures < 10; failures++) {
      fail(now);
      now = policy.nextDeadline();
      policy.handleDeadline(now);
      places.add(asked.at(-1)!);
    }
    expect([...places]).toEqual(['10.0.0.9:54325', '10.0.0.255:54325,10.1.0.255:54325']);
    expect(told(policy)).toEqual(['deleteRule forward 0000/0 -> 10.0.0.9:54325']);
    expect(now - NOW).toBeLessThan(10 * SESSION_SEARCH_PAUSE_MAXIMUM);
  });
});

describe('HierarchicalRouter', () => {
  it('keeps what it does not know until its hosts had time to come, and then refuses what is under its aggregates', () => {
    const router = new HierarchicalRouter({
      identity: 'f'.repeat(32),
      port: () => 54325,
      link: () => 1,
      aggregates: [group(1)],
    });
    router.start(NOW);
    expect(told(router)).toEqual(['addRule delay 0000/1', 'addRule delay 8000/1']);
    const channel = new End({ ip: '10.0.0.1', port: 54325 }, address('10.0.0.2', 40_000));
    const observer = router.registrar.accept(channel, NOW)!;
    const source = { ip: '10.0.0.2', port: 40_000 };
    const hello = { type: 'hello', version: 1, identity: 'a'.repeat(32), session: 1, port: 54325, source };
    const register = { type: 'register', id: 1, prefix: inGroup(1, 1), protocol: 6, weight: 3 };
    observer.lines([JSON.stringify(hello), JSON.stringify(register)], NOW);
    expect(told(router)).toEqual(['addRule forward aaaa/256 -> 10.0.0.2:54325', 'releaseDelayed /256']);
    const later = (NOW + SESSION_LEASE - 1) as Instant;
    observer.lines([JSON.stringify({ type: 'heartbeat', count: 1 })], later);
    router.handleDeadline(later);
    expect(told(router)).toEqual([]);
    router.handleDeadline((NOW + SESSION_LEASE) as Instant);
    const commands = drain(router);
    expect(commands[0]).toMatchObject({ kind: 'addRule', rule: { action: 'drop', prefix: group(1), refuses: true } });
    expect(commands.slice(1).map(({ kind }) => kind)).toEqual(['deleteRule', 'deleteRule', 'releaseDelayed']);
  });

  describe('below another', () => {
    const source = { ip: '10.0.0.2', port: 40_000 };
    const hello = { type: 'hello', version: 1, identity: 'a'.repeat(32), session: 1, port: 54325, source };

    /** A router whose session with the one above is welcome, and a host that has just registered service 1. */
    const chain = () => {
      let router: HierarchicalRouter | undefined;
      const above = hierarchical({}, { acknowledged: (announced) => router?.handleAcknowledged(announced) });
      const { policy: upstream, channels } = above;
      router = new HierarchicalRouter({ identity: upstream.identity, port: () => 54325, link: () => 1, upstream });
      router.start(NOW);
      const [channel] = channels as [End];
      channel.observer!.opened(NOW);
      channel.observer!.lines([welcome], NOW);
      channel.take();
      const host = new End({ ip: '10.0.0.1', port: 54325 }, address('10.0.0.2', 40_000));
      const observer = router.registrar.accept(host, NOW)!;
      const register = { type: 'register', id: 1, prefix: inGroup(1, 1), protocol: 6, weight: 3 };
      observer.lines([JSON.stringify(hello), JSON.stringify(register)], NOW);
      const answers = () => host.take().filter(({ type }) => type === 'registered');
      return { router, channel, answers, fail: above.fail };
    };

    it('acknowledges a registration when the router above has', () => {
      const { channel, answers } = chain();
      expect(answers()).toEqual([]);
      const [{ id }] = channel.take() as [{ id: number }];
      channel.observer!.lines([JSON.stringify({ type: 'registered', id })], NOW);
      expect(answers()).toEqual([{ type: 'registered', id: 1 }]);
    });

    it('does not wait for it longer than a server would, nor when its connection has failed', () => {
      const slow = chain();
      slow.router.handleDeadline((NOW + REGISTRATION_WAIT_MAXIMUM) as Instant);
      expect(slow.answers()).toEqual([{ type: 'registered', id: 1 }]);
      const gone = chain();
      gone.fail(NOW);
      gone.router.handleDeadline((NOW + REGISTRATION_WAIT_MAXIMUM) as Instant);
      expect(gone.answers()).toEqual([{ type: 'registered', id: 1 }]);
    });
  });
});
