// The policies by which the processes of a host are one host: registrations with the holder, the way to it,
// the router above it, and the end of a process.
import { describe, expect, it } from 'vitest';
import { ControllerSet } from '../../lib/controller/controller-set';
import { AdHoc } from '../../lib/controller/policies/ad-hoc';
import { DepartedProcesses } from '../../lib/controller/policies/departed-processes';
import { HOLDER_PRIORITY, HolderRoute, SEEKING_PRIORITY } from '../../lib/controller/policies/holder-route';
import { MemberRegistrations } from '../../lib/controller/policies/member-registrations';
import { UPSTREAM_PRIORITY, UpstreamRoute } from '../../lib/controller/policies/upstream-route';
import { DEFAULT_RULE_PRIORITY, DEMUX_PRIORITY } from '../../lib/table/service-rule';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { address, drain, NOW, networkInterface, told } from './commands';

const web = ServicePrefix.of(ServiceID.fromHex('aaaa'.repeat(16))!);
const files = ServicePrefix.of(ServiceID.fromHex('bbbb'.repeat(16))!, 64);
const first = address('127.0.0.1', 4001);
const second = address('127.0.0.1', 4002);

describe('MemberRegistrations', () => {
  it('makes a registration a FORWARD rule that shares the load with local sockets', () => {
    const members = new MemberRegistrations(() => 2, 'host');
    members.handleRegistered({ prefix: web, protocol: 6, address: first, weight: 1024 });
    expect(drain(members)).toEqual([
      {
        kind: 'addRule',
        rule: {
          action: 'forward',
          prefix: web,
          address: first,
          link: 2,
          broadcast: false,
          scope: 'host',
          priority: DEMUX_PRIORITY,
          weight: 1024,
        },
      },
    ]);
  });

  it('has one rule for both protocols of a service, with the larger weight', () => {
    const members = new MemberRegistrations(() => 2, 'host');
    members.handleRegistered({ prefix: web, protocol: 6, address: first, weight: 10 });
    members.handleRegistered({ prefix: web, protocol: 17, address: first, weight: 30 });
    members.handleRegistered({ prefix: web, protocol: 6, address: first, weight: 20 });
    members.handleUnregistered({ prefix: web, protocol: 17, address: first });
    members.handleUnregistered({ prefix: web, protocol: 17, address: first });
    members.handleUnregistered({ prefix: web, protocol: 6, address: first });
    members.handleUnregistered({ prefix: web, protocol: 6, address: first });
    expect(told(members)).toEqual([
      'addRule forward aaaa/256 -> 127.0.0.1:4001',
      'modifyRule forward aaaa/256 -> 127.0.0.1:4001 weight 30',
      'modifyRule forward aaaa/256 -> 127.0.0.1:4001 weight 20',
      'deleteRule forward aaaa/256 -> 127.0.0.1:4001',
    ]);
  });

  it('keeps the rule of a service that is withdrawn, behind all others, until it is back or gone', () => {
    const members = new MemberRegistrations(() => 2, 'host');
    const withdrawn = { prefix: web, protocol: 6, address: first } as const;
    members.handleRegistered({ ...withdrawn, weight: 10 });
    members.handleWithdrawn(withdrawn);
    members.handleWithdrawn(withdrawn);
    const [, change] = drain(members);
    expect(change).toMatchObject({ kind: 'modifyRule', priority: DEFAULT_RULE_PRIORITY });
    members.handleRegistered({ ...withdrawn, weight: 20 });
    expect(drain(members)).toMatchObject([{ kind: 'addRule', rule: { priority: DEMUX_PRIORITY, weight: 20 } }]);
    members.handleWithdrawn(withdrawn);
    members.handleUnregistered(withdrawn);
    members.handleUnregistered(withdrawn);
    expect(told(members).at(-1)).toBe('deleteRule forward aaaa/256 -> 127.0.0.1:4001');
    members.handleWithdrawn({ ...withdrawn, address: second });
    expect(drain(members)).toEqual([]);
  });

  it('forgets all that a member registered when it is gone, and nothing else', () => {
    const members = new MemberRegistrations(() => 2, 'host');
    members.handleRegistered({ prefix: web, protocol: 6, address: first, weight: 1 });
    members.handleRegistered({ prefix: web, protocol: 6, address: second, weight: 1 });
    members.handleRegistered({ prefix: files, protocol: 6, address: first, weight: 1 });
    drain(members);
    members.handleMemberGone(first);
    members.handleMemberGone(first);
    expect(told(members)).toEqual([
      'deleteRule forward aaaa/256 -> 127.0.0.1:4001',
      'deleteRule forward bbbb/64 -> 127.0.0.1:4001',
    ]);
    members.handleUnregistered({ prefix: web, protocol: 6, address: second });
    expect(told(members)).toEqual(['deleteRule forward aaaa/256 -> 127.0.0.1:4002']);
  });

  it('agrees with a plain list of registrations, whatever happens', () => {
    const members = new MemberRegistrations(() => 0, 'host');
    const rules = new Map<string, number>();
    const expected = new Map<string, Map<number, number>>();
    let state = 12345;
    const random = (bound: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    for (let step = 0; step < 5000; step++) {
      const prefix = ServicePrefix.of(ServiceID.fromHex(`${random(4)}000`.repeat(16))!, 8);
      const at = address('127.0.0.1', 4000 + random(3));
      const protocol = random(2) === 0 ? 6 : 17;
      const key = `${prefix} ${at}`;
      const action = random(9);
      if (action < 5) {
        const weight = 1 + random(3);
        members.handleRegistered({ prefix, protocol, address: at, weight });
        expected.set(key, (expected.get(key) ?? new Map()).set(protocol, weight));
      } else if (action < 8) {
        members.handleUnregistered({ prefix, protocol, address: at });
        expected.get(key)?.delete(protocol);
        if (expected.get(key)?.size === 0) expected.delete(key);
      } else {
        members.handleMemberGone(at);
        for (const known of expected.keys()) if (known.endsWith(` ${at}`)) expected.delete(known);
      }
      for (const command of drain(members)) apply(rules, command);
      expect(rules).toEqual(new Map([...expected].map(([known, weights]) => [known, Math.max(...weights.values())])));
    }
  });
});

function apply(rules: Map<string, number>, command: ReturnType<typeof drain>[number]): void {
  if (!('rule' in command) || command.rule.action !== 'forward') throw new Error(`unexpected ${command.kind}`);
  const key = `${command.rule.prefix} ${command.rule.address}`;
  expect(rules.has(key)).toBe(command.kind !== 'addRule');
  if (command.kind === 'deleteRule') rules.delete(key);
  else if (command.kind === 'modifyRule') rules.set(key, command.weight!);
  else if (command.rule.action === 'forward') rules.set(key, (command.rule as { weight: number }).weight);
}

describe('HolderRoute', () => {
  it('goes before every other default rule', () => {
    expect(SEEKING_PRIORITY).toBeGreaterThan(HOLDER_PRIORITY);
    expect(HOLDER_PRIORITY).toBeGreaterThan(UPSTREAM_PRIORITY);
    expect(UPSTREAM_PRIORITY).toBeGreaterThan(DEFAULT_RULE_PRIORITY);
  });

  it('holds first packets back until the holder is known (§4.3)', () => {
    const route = new HolderRoute(1);
    route.handleSeeking();
    route.handleSeeking();
    expect(told(route)).toEqual(['addRule delay 0000/0']);
    route.handleHolder(address('127.0.0.1', 54325));
    expect(told(route)).toEqual([
      'addRule forward 0000/0 -> 127.0.0.1:54325',
      'deleteRule delay 0000/0',
      'releaseDelayed /0',
    ]);
    route.handleHolder(address('127.0.0.1', 54325));
    expect(told(route)).toEqual([]);
  });

  it('lets go of what asks for a service that comes while the holder is not known, and of that alone', () => {
    const route = new HolderRoute(1);
    route.handleOffered(web);
    expect(told(route)).toEqual([]);
    route.handleSeeking();
    route.handleOffered(files);
    expect(drain(route).slice(1)).toEqual([{ kind: 'releaseDelayed', prefix: files }]);
  });

  it('follows the holder from port to port', () => {
    const route = new HolderRoute(1);
    route.handleHolder(first);
    route.handleHolder(second);
    expect(told(route)).toEqual([
      'addRule forward 0000/0 -> 127.0.0.1:4001',
      'addRule forward 0000/0 -> 127.0.0.1:4002',
      'deleteRule forward 0000/0 -> 127.0.0.1:4001',
    ]);
  });

  it('has no rule when this process is the holder itself', () => {
    const route = new HolderRoute(1);
    route.handleHolder(first);
    route.handleSeeking();
    drain(route);
    route.handleNoHolder();
    route.handleNoHolder();
    expect(told(route)).toEqual(['deleteRule delay 0000/0', 'releaseDelayed /0']);
  });

  it('takes the lost holder out at once', () => {
    const route = new HolderRoute(1);
    route.handleHolder(first);
    drain(route);
    route.handleSeeking();
    expect(told(route)).toEqual(['addRule delay 0000/0', 'deleteRule forward 0000/0 -> 127.0.0.1:4001']);
  });
});

describe('UpstreamRoute', () => {
  it('is there while this process resolves for its host', () => {
    const upstream = new UpstreamRoute(() => 1);
    upstream.handleRouter(undefined);
    expect(told(upstream)).toEqual([]);
    upstream.handleRouter(address('192.0.2.1', 54325));
    upstream.handleRouter(address('192.0.2.1', 54325));
    expect(told(upstream)).toEqual(['addRule forward 0000/0 -> 192.0.2.1:54325']);
    upstream.handleRouter(undefined);
    expect(told(upstream)).toEqual(['deleteRule forward 0000/0 -> 192.0.2.1:54325']);
  });

  it('leads to another router before it leads away from the former', () => {
    const upstream = new UpstreamRoute(() => 1);
    upstream.handleRouter(address('192.0.2.1', 54325));
    drain(upstream);
    upstream.handleRouter(address('192.0.2.2', 54325));
    expect(told(upstream)).toEqual([
      'addRule forward 0000/0 -> 192.0.2.2:54325',
      'deleteRule forward 0000/0 -> 192.0.2.1:54325',
    ]);
  });

  it('comes anew when the router answers again, and with it what found nobody there', () => {
    const upstream = new UpstreamRoute(() => 1);
    upstream.handleReturned();
    expect(told(upstream)).toEqual([]);
    upstream.handleRouter(address('192.0.2.1', 54325));
    drain(upstream);
    upstream.handleReturned();
    expect(told(upstream)).toEqual(['addRule forward 0000/0 -> 192.0.2.1:54325']);
  });
});

describe('DepartedProcesses', () => {
  it('names the ended process by every address of this host', () => {
    const departed = new DepartedProcesses();
    const up = (ip: string) =>
      departed.handleEvent({ kind: 'interfaceUp', networkInterface: networkInterface('eth0', ip) }, NOW);
    for (const ip of ['127.0.0.1', '10.0.0.1', '2001:db8::1']) up(ip);
    departed.handleDeparted([
      { family: 4, port: 4001 },
      { family: 6, port: 4002 },
    ]);
    expect(told(departed)).toEqual([
      'peerGone 127.0.0.1:4001',
      'peerGone 10.0.0.1:4001',
      'peerGone [::1]:4002',
      'peerGone [2001:db8::1]:4002',
    ]);
    departed.handleEvent({ kind: 'interfaceDown', networkInterface: networkInterface('eth0', '10.0.0.1') }, NOW);
    departed.handleDeparted([{ family: 4, port: 4001 }]);
    expect(told(departed)).toEqual(['peerGone 127.0.0.1:4001']);
  });
});

describe('ControllerSet', () => {
  it('shows every event to every policy, and has the commands of all', () => {
    const set = new ControllerSet([new AdHoc({ link: 0, port: 1 }), new AdHoc({ link: 1, port: 0 })]);
    set.handleEvent({ kind: 'interfaceUp', networkInterface: networkInterface('eth0', '10.0.0.1', '10.0.0.255') }, NOW);
    expect(told(set)).toEqual(['addRule forward 0000/0 -> 10.0.0.255:1', 'addRule forward 0000/0 -> 10.0.0.255']);
    expect(set.pollCommand()).toBeUndefined();
  });
});
