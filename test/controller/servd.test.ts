// Registrations as the original makes them (wire format §13), from both sides.
import { describe, expect, it } from 'vitest';
import {
  SERVD_EXPIRY,
  SERVD_REFRESH,
  SERVD_REGISTRATIONS_PER_HOST_MAXIMUM,
} from '../../lib/controller/policies/discovery-limits';
import { ServdClient } from '../../lib/controller/policies/servd-client';
import { SERVD_PRIORITY, ServdRouter } from '../../lib/controller/policies/servd-router';
import type { ForwardRule } from '../../lib/table/service-rule';
import type { Instant } from '../../lib/time/instant';
import { parseServdMessage, SERVD_ROUTER, type ServdMessage, writeServdMessage } from '../../lib/wire/servd-message';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { address, drain, NOW, networkInterface, told } from './commands';

const service = (number: number, bits = 256) =>
  ServicePrefix.of(ServiceID.fromHex(number.toString(16).padStart(8, '0').padEnd(64, '0'))!, bits);
const web = service(0xaaaa_0001);

describe('ServdRouter', () => {
  function router() {
    const policy = new ServdRouter(2);
    const hear = (
      from: string,
      message: Partial<ServdMessage>,
      way: 'direct' | 'broadcast' | 'forwarded' = 'direct',
    ) => {
      const whole = { kind: 'register', isRepeated: false, formerAddress: undefined, prefix: web, ...message } as const;
      policy.handleMessage(writeServdMessage(whole, 1), { address: address(from), link: 2, way }, NOW);
      return told(policy);
    };
    return { policy, hear };
  }

  it('makes a registration a rule to its sender, for 50 s', () => {
    const { policy } = router();
    const bytes = writeServdMessage({ kind: 'register', isRepeated: false, formerAddress: undefined, prefix: web }, 1);
    const from = address('10.0.0.1');
    policy.handleMessage(bytes, { address: from, link: 2, way: 'broadcast' }, NOW);
    // Both sides have been shown as text by then, which a prefix remembers.
    expect(String(web)).toMatch(/^aaaa/);
    expect(drain(policy)).toEqual([
      {
        kind: 'addRule',
        rule: {
          action: 'forward',
          prefix: web,
          address: from,
          link: 2,
          broadcast: false,
          scope: 'network',
          priority: SERVD_PRIORITY,
          weight: 1,
          hardTimeout: SERVD_EXPIRY,
        },
      },
    ]);
  });

  it('gives it time again with each repetition, and deletes it when it is withdrawn', () => {
    const { hear } = router();
    hear('10.0.0.1', {});
    expect(hear('10.0.0.1', { isRepeated: true, formerAddress: address('10.0.0.1') })).toEqual([
      'addRule forward aaaa/256 -> 10.0.0.1',
    ]);
    expect(hear('10.0.0.1', { kind: 'unregister' })).toEqual(['deleteRule forward aaaa/256 -> 10.0.0.1']);
    expect(hear('10.0.0.1', { kind: 'unregister' })).toEqual([]);
  });

  it('follows a host to its new address, the new rule before the old one goes', () => {
    const { hear } = router();
    hear('10.0.0.1', {});
    expect(hear('10.0.0.9', { isRepeated: true, formerAddress: address('10.0.0.1') })).toEqual([
      'addRule forward aaaa/256 -> 10.0.0.9',
      'deleteRule forward aaaa/256 -> 10.0.0.1',
    ]);
    // As the original's garbage in that field: nothing is known of it.
    expect(hear('10.0.0.9', { isRepeated: true, formerAddress: address('10.0.0.77') })).toEqual([
      'addRule forward aaaa/256 -> 10.0.0.9',
    ]);
  });

  it('forgets what was not repeated when its rule has ended, and only that', () => {
    const { policy, hear } = router();
    hear('10.0.0.1', {});
    const rule = { action: 'forward', prefix: web, address: address('10.0.0.1'), link: 2 } as ForwardRule;
    policy.handleEvent({ kind: 'ruleExpired', rule: { ...rule, priority: 5 } }, NOW);
    expect(hear('10.0.0.1', { kind: 'unregister' })).toHaveLength(1);
    hear('10.0.0.1', {});
    policy.handleEvent({ kind: 'ruleExpired', rule: { ...rule, priority: SERVD_PRIORITY } }, NOW);
    expect(hear('10.0.0.1', { kind: 'unregister' })).toEqual([]);
  });

  it('does not believe routers about who spoke, nor another link, and counts what is no message', () => {
    const { policy, hear } = router();
    expect(hear('10.0.0.1', {}, 'forwarded')).toEqual([]);
    const bytes = writeServdMessage({ kind: 'register', isRepeated: false, formerAddress: undefined, prefix: web }, 1);
    policy.handleMessage(bytes, { address: address('10.0.0.1'), link: 1, way: 'direct' }, NOW);
    policy.handleMessage(bytes.subarray(1), { address: address('10.0.0.1'), link: 2, way: 'direct' }, NOW);
    expect(told(policy)).toEqual([]);
    expect(policy.counts).toEqual({ registered: 0, unregistered: 0, refused: 0, malformed: 1 });
  });

  it('lets nobody offer everything, or the router', () => {
    const { policy, hear } = router();
    expect(hear('10.0.0.1', { prefix: ServicePrefix.of(ServiceID.zero) })).toEqual([]);
    expect(hear('10.0.0.1', { prefix: ServicePrefix.of(SERVD_ROUTER) })).toEqual([]);
    expect(hear('10.0.0.1', { prefix: ServicePrefix.of(SERVD_ROUTER, 20) })).toEqual([]);
    expect(policy.counts.refused).toBe(3);
  });

  it('keeps so many registrations of one host', () => {
    const { policy, hear } = router();
    for (let number = 0; number < SERVD_REGISTRATIONS_PER_HOST_MAXIMUM; number++) {
      expect(hear('10.0.0.1', { prefix: service(0xaaaa_0000 + number) })).toHaveLength(1);
    }
    expect(hear('10.0.0.1', { prefix: service(0xbbbb_0000) })).toEqual([]);
    expect(hear('10.0.0.2', { prefix: service(0xbbbb_0000) })).toHaveLength(1);
    expect(policy.counts.refused).toBe(1);
  });
});

describe('ServdClient', () => {
  function client(router?: string) {
    const policy = new ServdClient({ link: 2, router: router === undefined ? undefined : address(router) });
    const said = () => {
      const all: string[] = [];
      for (let message = policy.pollMessage(); message; message = policy.pollMessage()) {
        expect(message.to.equals(SERVD_ROUTER)).toBe(true);
        const { kind, isRepeated, formerAddress, prefix } = parseServdMessage(message.bytes)!;
        const words = [
          kind,
          prefix.base.toString().slice(0, 8),
          isRepeated && 'again',
          formerAddress,
          message.at?.address,
        ];
        all.push(words.filter(Boolean).join(' '));
      }
      return all;
    };
    const registered = (protocol: 6 | 17, prefix = web) =>
      policy.handleEvent({ kind: 'registered', prefix, protocol, weight: 1 }, NOW);
    const unregistered = (protocol: 6 | 17) => policy.handleEvent({ kind: 'unregistered', prefix: web, protocol }, NOW);
    const up = (name: string, ip: string) =>
      policy.handleEvent({ kind: 'interfaceUp', networkInterface: networkInterface(name, ip, '10.0.0.255') }, NOW);
    const down = (name: string, ip: string) =>
      policy.handleEvent({ kind: 'interfaceDown', networkInterface: networkInterface(name, ip) }, NOW);
    return { policy, said, registered, unregistered, up, down };
  }

  it('says what is offered once for both protocols, and takes it back with the last', () => {
    const { said, registered, unregistered, up } = client();
    up('eth0', '10.0.0.1');
    registered(6);
    registered(17);
    expect(said()).toEqual(['register aaaa0001']);
    unregistered(6);
    expect(said()).toEqual([]);
    unregistered(17);
    expect(said()).toEqual(['unregister aaaa0001']);
  });

  it('repeats everything each 20 s, with the address it is known by, straight to a router that it knows', () => {
    const { policy, said, registered, up } = client('10.0.0.254');
    up('lo', '127.0.0.1');
    up('eth0', '10.0.0.1');
    registered(6);
    registered(6, service(0xbbbb_0000));
    expect(said()).toEqual(['register aaaa0001 10.0.0.254', 'register bbbb0000 10.0.0.254']);
    const due = policy.nextDeadline();
    expect(due).toBe(NOW + SERVD_REFRESH);
    policy.handleDeadline((due - 1) as Instant);
    expect(said()).toEqual([]);
    policy.handleDeadline(due);
    expect(said()).toEqual([
      'register aaaa0001 again 10.0.0.1 10.0.0.254',
      'register bbbb0000 again 10.0.0.1 10.0.0.254',
    ]);
    expect(policy.nextDeadline()).toBe(due + SERVD_REFRESH);
  });

  it('says at once when its address has changed, and from which', () => {
    const { said, registered, up, down } = client();
    up('eth0', '10.0.0.1');
    registered(6);
    said();
    up('wlan0', '10.0.1.1');
    expect(said()).toEqual([]);
    down('eth0', '10.0.0.1');
    expect(said()).toEqual(['register aaaa0001 again 10.0.0.1']);
    down('wlan0', '10.0.1.1');
    up('eth0', '10.0.0.7');
    expect(said()).toEqual(['register aaaa0001 again 10.0.1.1']);
  });

  it('has nothing to say of a socket for everything', () => {
    const { said, registered } = client();
    registered(6, ServicePrefix.any);
    expect(said()).toEqual([]);
  });
});
