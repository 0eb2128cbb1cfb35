// Flooding of mappings (§4.3, P37): what is said when, and what is believed.
import { describe, expect, it } from 'vitest';
import { CONTROLLER_PREFIX } from '../../lib/controller/controller-service';
import {
  FLOOD_ENTRIES_PER_SOURCE_MAXIMUM,
  FLOOD_HOLD_OFF,
  FLOOD_LEASE,
  FLOOD_LEASE_MAXIMUM,
  FLOOD_MESSAGES_PER_SECOND,
  FLOOD_MESSAGES_PER_SOURCE_AND_SECOND,
  FLOOD_PERIOD,
  FLOOD_PREFIX_BITS_MINIMUM,
  FLOOD_SOURCE_MEMORY,
  FLOOD_SOURCES_MAXIMUM,
} from '../../lib/controller/policies/discovery-limits';
import { Flooding } from '../../lib/controller/policies/flooding';
import { FLOODED_PRIORITY } from '../../lib/controller/policies/flooding-receiver';
import type { ForwardRule } from '../../lib/table/service-rule';
import { type Instant, NEVER } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import {
  FLOOD_ENTRIES_MAXIMUM,
  FLOODING_SERVICE,
  type FloodEntry,
  type FloodMessage,
  parseFloodMessage,
  writeFloodMessage,
} from '../../lib/wire/flood-message';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { address, drain, NOW, networkInterface, told } from './commands';

const service = (number: number, bits = 256) =>
  ServicePrefix.of(ServiceID.fromHex(number.toString(16).padStart(8, '0').padEnd(64, '0'))!, bits);
const web = service(0xaaaa_0001);
const eth0 = networkInterface('eth0', '10.0.0.1', '10.0.0.255');

function flooding() {
  const policy = new Flooding({ link: 1, port: 54_325, random: SeededRandom.of(1) });
  policy.handleEvent({ kind: 'interfaceUp', networkInterface: eth0 }, NOW);
  return policy;
}

describe('what a host floods', () => {
  function speaker() {
    const policy = flooding();
    policy.start({ generation: 1000, port: 54_325 }, NOW);
    const said = (): FloodMessage[] => {
      const all: FloodMessage[] = [];
      for (let message = policy.pollMessage(); message; message = policy.pollMessage()) {
        expect(message.to).toBe(FLOODING_SERVICE);
        expect(message.at.address.toString()).toBe('10.0.0.255:54325');
        all.push(parseFloodMessage(message.bytes)!);
      }
      return all;
    };
    const entries = () => said().flatMap((message) => message.entries.map(describeEntry));
    const registered = (prefix = web, weight = 1024, now = NOW, protocol: 6 | 17 = 6) =>
      policy.handleEvent({ kind: 'registered', prefix, protocol, weight }, now);
    const unregistered = (prefix = web, now = NOW, protocol: 6 | 17 = 6) =>
      policy.handleEvent({ kind: 'unregistered', prefix, protocol }, now);
    const runTo = (at: number) => {
      for (let due = policy.nextDeadline(); due <= at; due = policy.nextDeadline()) policy.handleDeadline(due);
    };
    return { policy, said, entries, registered, unregistered, runTo };
  }

  it('is a change at once, and what changes meanwhile in the next message', () => {
    const { said, registered, unregistered, runTo } = speaker();
    registered();
    runTo(NOW);
    expect(said()).toEqual([
      {
        generation: 1000,
        sequence: 1,
        lease: FLOOD_LEASE,
        port: 54_325,
        entries: [expect.objectContaining({ weight: 1024 })],
      },
    ]);
    registered(service(0xaaaa_0002), 5);
    registered(web, 7);
    unregistered(web);
    runTo(NOW + FLOOD_HOLD_OFF - 1);
    expect(said()).toEqual([]);
    runTo(NOW + FLOOD_HOLD_OFF);
    const [message] = said();
    expect(message!.sequence).toBe(2);
    expect(message!.entries.map(describeEntry)).toEqual(['aaaa0002 5', 'aaaa0001 0']);
  });

  it('is everything each period, and what was withdrawn for a lease more', () => {
    const { entries, registered, unregistered, runTo } = speaker();
    registered();
    registered(service(0xaaaa_0002));
    unregistered(web);
    runTo(NOW);
    entries();
    runTo(NOW + FLOOD_PERIOD);
    expect(entries()).toEqual(['aaaa0001 0', 'aaaa0002 1024']);
    runTo(NOW + FLOOD_LEASE - 1);
    expect(new Set(entries())).toEqual(new Set(['aaaa0001 0', 'aaaa0002 1024']));
    runTo(NOW + FLOOD_LEASE + FLOOD_PERIOD);
    expect(new Set(entries())).toEqual(new Set(['aaaa0002 1024']));
  });

  it('is the sum of the processes of the host, and the larger of both protocols', () => {
    const { policy, entries, registered, runTo } = speaker();
    registered(web, 10);
    registered(web, 30, NOW, 17);
    const member = { prefix: web, protocol: 6, address: address('127.0.0.1', 4001), weight: 25 } as const;
    policy.handleRegistered(member, NOW);
    runTo(NOW);
    expect(entries()).toEqual(['aaaa0001 35']);
    policy.handleUnregistered(member, NOW);
    policy.handleGone(member.address, NOW);
    runTo(NOW + FLOOD_HOLD_OFF);
    expect(entries()).toEqual(['aaaa0001 30']);
    policy.handleRegistered(member, NOW);
    policy.handleGone(member.address, NOW);
    runTo(NOW + 2 * FLOOD_HOLD_OFF);
    expect(entries()).toEqual(['aaaa0001 30']);
  });

  it('is nothing while another process speaks for the host; who begins says all, who ends takes it back', () => {
    const policy = flooding();
    policy.handleEvent({ kind: 'registered', prefix: web, protocol: 6, weight: 1 }, NOW);
    expect(policy.pollMessage()).toBeUndefined();
    policy.start({ generation: 5, port: 54_325 }, NOW);
    policy.handleDeadline(NOW);
    expect(parseFloodMessage(policy.pollMessage()!.bytes)?.entries).toHaveLength(1);
    policy.stop();
    expect(parseFloodMessage(policy.pollMessage()!.bytes)?.entries.map(({ weight }) => weight)).toEqual([0]);
    expect(policy.pollMessage()).toBeUndefined();
    expect(policy.nextDeadline()).toBe(NEVER);
  });

  it('goes to each segment once, and at once where an interface comes up', () => {
    const { policy, registered, entries, runTo } = speaker();
    registered();
    runTo(NOW);
    entries();
    const up = (name: string, ip: string, broadcast?: string) =>
      policy.handleEvent({ kind: 'interfaceUp', networkInterface: networkInterface(name, ip, broadcast) }, NOW);
    up('eth0', '10.0.0.2', '10.0.0.255');
    up('wlan0', '10.0.1.1', '10.0.1.255');
    up('lo', '127.0.0.1', '127.255.255.255');
    up('eth0', '2001:db8::1');
    runTo(NOW + FLOOD_HOLD_OFF);
    const targets: string[] = [];
    for (let message = policy.pollMessage(); message; message = policy.pollMessage())
      targets.push(String(message.at.address));
    expect(targets.sort()).toEqual(['10.0.0.255:54325', '10.0.1.255:54325']);
  });

  it('fits datagrams that every path carries, and has a bound', () => {
    const { said, registered, unregistered, runTo } = speaker();
    for (let number = 0; number <= FLOOD_ENTRIES_PER_SOURCE_MAXIMUM; number++)
      registered(service(0xbbbb_0000 + number));
    runTo(NOW);
    const messages = said();
    expect(messages).toHaveLength(Math.ceil(FLOOD_ENTRIES_PER_SOURCE_MAXIMUM / FLOOD_ENTRIES_MAXIMUM));
    expect(messages.flatMap(({ entries }) => entries)).toHaveLength(FLOOD_ENTRIES_PER_SOURCE_MAXIMUM);
    unregistered(service(0xbbbb_0000 + FLOOD_ENTRIES_PER_SOURCE_MAXIMUM));
    runTo(NOW + FLOOD_HOLD_OFF);
    expect(said()).toEqual([]);
  });

  it('is no short prefix', () => {
    const { entries, registered, runTo } = speaker();
    registered(service(0xaaaa_0000, FLOOD_PREFIX_BITS_MINIMUM - 1));
    registered(service(0xaaaa_0000, FLOOD_PREFIX_BITS_MINIMUM));
    runTo(NOW);
    expect(entries()).toHaveLength(1);
  });
});

describe('what a host believes', () => {
  function listener() {
    const policy = flooding();
    policy.start({ generation: 1, port: 54_325 }, NOW);
    const hear = (
      entries: readonly FloodEntry[],
      { from = '10.0.0.2', way = 'broadcast', now = NOW, link = 1, ...terms }: Partial<Heard> = {},
    ): string[] => {
      const message = { generation: 100, sequence: 1, lease: FLOOD_LEASE, port: 54_325, entries, ...terms };
      policy.handleMessage(writeFloodMessage(message), { address: address(from, 40_000), link, way }, now as Instant);
      return told(policy);
    };
    return { policy, hear };
  }

  interface Heard extends FloodMessage {
    readonly from: string;
    readonly way: 'direct' | 'broadcast' | 'forwarded';
    readonly now: number;
    readonly link: number;
  }

  const offered = [{ prefix: web, weight: 5 }];
  const withdrawn = [{ prefix: web, weight: 0 }];
  const ADDED = ['addRule forward aaaa/256 -> 10.0.0.2:54325'];
  const DELETED = ['deleteRule forward aaaa/256 -> 10.0.0.2:54325'];

  it('becomes a rule to the sender, for as long as it says', () => {
    const { policy } = listener();
    const bytes = writeFloodMessage({ generation: 1, sequence: 1, lease: 10_000, port: 99, entries: offered });
    policy.handleMessage(bytes, { address: address('10.0.0.2', 40_000), link: 1, way: 'broadcast' }, NOW);
    const [command] = drain(policy);
    expect(command).toMatchObject({
      kind: 'addRule',
      rule: {
        action: 'forward',
        link: 1,
        scope: 'network',
        priority: FLOODED_PRIORITY,
        weight: 5,
        hardTimeout: 10_000,
      },
    });
    expect(String((command as { rule: ForwardRule }).rule.address)).toBe('10.0.0.2:99');
  });

  it('is renewed by each message, and bounded in time', () => {
    const { policy, hear } = listener();
    expect(hear(offered)).toEqual(ADDED);
    expect(hear(offered, { sequence: 2 })).toEqual(ADDED);
    policy.handleMessage(
      writeFloodMessage({ generation: 100, sequence: 3, lease: 4_000_000_000, port: 54_325, entries: offered }),
      { address: address('10.0.0.2', 40_000), link: 1, way: 'broadcast' },
      NOW,
    );
    expect(drain(policy)).toMatchObject([{ rule: { hardTimeout: FLOOD_LEASE_MAXIMUM } }]);
  });

  it('comes from the segment alone: not through a router, not to us alone, not by another link, not from ourselves', () => {
    const { policy, hear } = listener();
    expect(hear(offered, { way: 'forwarded' })).toEqual([]);
    expect(hear(offered, { way: 'direct' })).toEqual([]);
    expect(hear(offered, { link: 2 })).toEqual([]);
    expect(hear(offered, { from: '10.0.0.1' })).toEqual([]);
    expect(hear(offered, { port: 0 })).toEqual([]);
    expect(policy.counts).toEqual({ elsewhere: 4, malformed: 1 });
  });

  it('is not brought back by what comes late, also when it is forgotten already', () => {
    const { policy, hear } = listener();
    hear(offered, { sequence: 1 });
    expect(hear(withdrawn, { sequence: 3 })).toEqual(DELETED);
    expect(hear(offered, { sequence: 2 })).toEqual([]);
    expect(hear(offered, { sequence: 3 })).toEqual([]);
    for (let at = NOW + 1000; at <= NOW + FLOOD_LEASE + 2000; at += 1000) policy.handleDeadline(at as Instant);
    expect(policy.receiver.size).toBe(0);
    expect(hear(offered, { sequence: 2, now: NOW + FLOOD_LEASE + 3000 })).toEqual([]);
    expect(hear(offered, { sequence: 4, now: NOW + FLOOD_LEASE + 3000 })).toEqual(ADDED);
  });

  it('remembers a withdrawal of what it has not heard of', () => {
    const { hear } = listener();
    expect(hear(withdrawn, { sequence: 5 })).toEqual([]);
    expect(hear(offered, { sequence: 4 })).toEqual([]);
  });

  it('ends when its sender has begun anew, and the former run brings nothing back', () => {
    const { hear } = listener();
    hear(offered);
    const other = [{ prefix: service(0xbbbb_0000), weight: 1 }];
    expect(hear(other, { generation: 200 })).toEqual([...DELETED, 'addRule forward bbbb/256 -> 10.0.0.2:54325']);
    expect(hear(offered, { generation: 100, sequence: 99 })).toEqual([]);
    expect(hear(offered, { generation: 200, sequence: 2 })).toEqual(ADDED);
  });

  it('keeps apart what several hosts offer', () => {
    const { hear } = listener();
    hear(offered);
    expect(hear(offered, { from: '10.0.0.3' })).toEqual(['addRule forward aaaa/256 -> 10.0.0.3:54325']);
    expect(hear(withdrawn, { sequence: 2 })).toEqual(DELETED);
  });

  it('is never half of all names, nor what hosts talk to each other by', () => {
    const { policy, hear } = listener();
    for (const prefix of [
      service(0xaaaa_0000, FLOOD_PREFIX_BITS_MINIMUM - 1),
      CONTROLLER_PREFIX,
      ServicePrefix.of(FLOODING_SERVICE, 64),
    ]) {
      expect(hear([{ prefix, weight: 1 }])).toEqual([]);
    }
    expect(policy.receiver.counts.refused).toBe(3);
  });

  it('is bounded for each sender', () => {
    const { policy, hear } = listener();
    for (let number = 0; number <= FLOOD_ENTRIES_PER_SOURCE_MAXIMUM; number++) {
      const now = NOW + number * 100;
      hear([{ prefix: service(0xbbbb_0000 + number), weight: 1 }], { sequence: number + 1, now });
    }
    expect(policy.receiver.size).toBe(FLOOD_ENTRIES_PER_SOURCE_MAXIMUM);
    expect(policy.receiver.counts.refused).toBe(1);
  });

  it('is bounded in senders, of whom those that are silent are forgotten', () => {
    const { policy, hear } = listener();
    for (let number = 0; number <= FLOOD_SOURCES_MAXIMUM; number++) {
      hear(offered, { from: `10.1.${number >> 8}.${number & 255}` });
    }
    expect(policy.receiver.counts.tooMany).toBe(1);
    const later = NOW + FLOOD_SOURCE_MEMORY + 1;
    policy.handleDeadline(later as Instant);
    expect(hear(offered, { from: '10.9.0.1', now: later })).toHaveLength(1);
  });

  it('is bounded in messages, of one sender and of all', () => {
    const { policy, hear } = listener();
    for (let number = 1; number <= FLOOD_MESSAGES_PER_SOURCE_AND_SECOND + 5; number++)
      hear(offered, { sequence: number });
    expect(policy.receiver.counts.tooMany).toBe(5);
    for (let number = 0; number < FLOOD_MESSAGES_PER_SECOND; number++) {
      hear(offered, { from: `10.1.0.${number % 250}`, sequence: 1000 + number });
    }
    const { tooMany } = policy.receiver.counts;
    expect(tooMany).toBeGreaterThan(5);
    expect(hear(offered, { from: '10.8.0.1' })).toEqual([]);
    expect(hear(offered, { from: '10.8.0.1', now: NOW + 1000 })).toHaveLength(1);
  });

  it('is forgotten when this process no longer speaks for its host', () => {
    const { policy, hear } = listener();
    hear(offered);
    policy.stop();
    expect(told(policy)).toEqual(DELETED);
    expect(hear(offered, { sequence: 2 })).toEqual([]);
  });
});

function describeEntry({ prefix, weight }: FloodEntry): string {
  return `${prefix.base.toString().slice(0, 8)} ${weight}`;
}
