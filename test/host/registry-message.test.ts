import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatMessage,
  type HolderMessage,
  type MemberMessage,
  parseHolderMessage,
  parseMemberMessage,
} from '../../lib/host/registry-message';
import { REGISTRY_LINE_MAXIMUM } from '../../lib/limits';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const prefix = ServicePrefix.of(ServiceID.fromHex('ab'.repeat(32))!, 64);
const HEX = prefix.toString();

const fromMember: MemberMessage[] = [
  { type: 'hello', version: 1, pid: 7, ports: [] },
  {
    type: 'hello',
    version: 2,
    pid: 7,
    ports: [
      { family: 4, port: 1 },
      { family: 6, port: 65_535 },
    ],
  },
  { type: 'register', id: 0x7fffffff, prefix, protocol: 17, weight: 0x7fffffff },
  { type: 'register', id: 1, prefix, protocol: 6, weight: 1, picker: 'rendezvous-service' },
  { type: 'unregister', prefix, protocol: 6 },
  { type: 'alive' },
  { type: 'bye' },
];

const fromHolder: HolderMessage[] = [
  { type: 'welcome', pid: 7, ports: [{ family: 4, port: 9 }], service: [{ family: 6, port: 54325 }] },
  { type: 'registered', id: 0 },
  { type: 'refused', reason: 'no' },
  { type: 'refused', id: 3, reason: 'no' },
  { type: 'peerGone', ports: [{ family: 4, port: 9 }] },
  { type: 'ask' },
  { type: 'bye' },
];

describe('registry messages', () => {
  it.each(fromMember)('of a member: $type there and back', (message) => {
    const line = formatMessage(message);
    expect(line.length).toBeLessThanOrEqual(REGISTRY_LINE_MAXIMUM);
    expect(parseMemberMessage(line)).toEqual(message);
  });

  it.each(fromHolder)('of the holder: $type there and back', (message) => {
    expect(parseHolderMessage(formatMessage(message))).toEqual(message);
  });

  it.each([
    '',
    'null',
    '[]',
    '7',
    '"hello"',
    '{',
    '{}',
    '{"type":"welcome"}',
    '{"type":"__proto__"}',
    '{"type":"hello"}',
    '{"type":"hello","version":"1","pid":1,"ports":[]}',
    '{"type":"hello","version":1,"pid":-1,"ports":[]}',
    '{"type":"hello","version":1,"pid":1,"ports":{}}',
    '{"type":"hello","version":1,"pid":1,"ports":[{"family":4,"port":0}]}',
    '{"type":"hello","version":1,"pid":1,"ports":[{"family":4,"port":65536}]}',
    '{"type":"hello","version":1,"pid":1,"ports":[{"family":5,"port":1}]}',
    '{"type":"hello","version":1,"pid":1,"ports":[{"family":4,"port":1},{"family":4,"port":2}]}',
    '{"type":"hello","version":1,"pid":1,"ports":[null]}',
    `{"type":"register","prefix":"${HEX}","protocol":6,"weight":1}`,
    `{"type":"register","id":1.5,"prefix":"${HEX}","protocol":6,"weight":1}`,
    `{"type":"register","id":4294967296,"prefix":"${HEX}","protocol":6,"weight":1}`,
    `{"type":"register","id":1,"prefix":"${HEX}","protocol":7,"weight":1}`,
    `{"type":"register","id":1,"prefix":"${HEX}","protocol":6,"weight":0}`,
    `{"type":"register","id":1,"prefix":"${HEX}","protocol":6,"weight":1e400}`,
    `{"type":"register","id":1,"prefix":["${HEX}"],"protocol":6,"weight":1}`,
    `{"type":"unregister","prefix":"${HEX.toUpperCase()}","protocol":6}`,
    `{"type":"unregister","prefix":"${HEX.slice(1)}","protocol":6}`,
    `{"type":"unregister","prefix":"${'ab'.repeat(32)}/64","protocol":6}`,
    `{"type":"unregister","prefix":"${'00'.repeat(32)}/0","protocol":6}`,
    `{"type":"unregister","prefix":"${'00'.repeat(32)}/257","protocol":6}`,
    `{"type":"unregister","prefix":"${'00'.repeat(32)}/064","protocol":6}`,
  ])('of a member: %s is none', (line) => {
    expect(parseMemberMessage(line)).toBeUndefined();
  });

  it.each([
    '{"type":"hello","version":1,"pid":1,"ports":[]}',
    '{"type":"welcome","pid":1,"ports":[],"service":[]}',
    '{"type":"welcome","pid":1,"service":[{"family":4,"port":1}]}',
    '{"type":"registered"}',
    '{"type":"registered","id":-1}',
    '{"type":"refused"}',
    '{"type":"refused","id":"1","reason":"no"}',
    '{"type":"peerGone"}',
    '{"type":"peerGone","ports":[{"family":4}]}',
  ])('of the holder: %s is none', (line) => {
    expect(parseHolderMessage(line)).toBeUndefined();
  });

  it('are refused without an exception, whatever the bytes', () => {
    const near = fc.record({
      type: fc.constantFrom('hello', 'register', 'welcome', 'refused', 'peerGone'),
      ports: fc.anything(),
      id: fc.anything(),
      prefix: fc.anything(),
    });
    const lines = fc.oneof(
      fc.string(),
      fc.json(),
      near.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(lines, (line) => {
        parseMemberMessage(line);
        parseHolderMessage(line);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});
