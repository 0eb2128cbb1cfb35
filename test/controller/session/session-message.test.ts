import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLine } from '../../../lib/controller/session/message-fields';
import {
  SESSION_LINE_MAXIMUM,
  SESSION_NAME_MAXIMUM,
  SESSION_PATH_MAXIMUM,
} from '../../../lib/controller/session/session-limits';
import {
  type DownstreamMessage,
  parseDownstreamMessage,
  parseUpstreamMessage,
  type UpstreamMessage,
} from '../../../lib/controller/session/session-message';
import { milliseconds } from '../../../lib/time/instant';
import { ServiceID, ServicePrefix } from '../../../lib/wire/service-id';

const prefix = ServicePrefix.of(ServiceID.fromHex('ab'.repeat(32))!, 64);
const identity = '0123456789abcdef'.repeat(2);
const source = { ip: '2001:db8:ffff:ffff:ffff:ffff:192.168.100.1', port: 65_535 };
const name = 'n'.repeat(SESSION_NAME_MAXIMUM);

const fromBelow: DownstreamMessage[] = [
  { type: 'hello', version: 1, identity, session: 0x7fffffff, port: 54325, source, name },
  { type: 'hello', version: 1, identity, session: 1, port: 0, source: { ip: '', port: 0 } },
  { type: 'register', id: 0x7fffffff, prefix, protocol: 17, weight: 0x7fffffff },
  { type: 'register', id: 1, prefix, protocol: 6, weight: 1, picker: 'rendezvous-service' },
  { type: 'unregister', prefix, protocol: 6 },
  { type: 'synced' },
  { type: 'heartbeat', count: 7 },
  { type: 'bye' },
];

const welcome = {
  type: 'welcome',
  version: 1,
  identity,
  lease: milliseconds(3000),
  heartbeat: milliseconds(1000),
  port: 54325,
  path: new Array<string>(SESSION_PATH_MAXIMUM).fill(identity),
} as const;
const fromAbove: UpstreamMessage[] = [
  welcome,
  { type: 'registered', id: 0 },
  { type: 'refused', reason: 'no' },
  { type: 'refused', id: 3, reason: 'no' },
  { type: 'heartbeat', count: 0 },
  { type: 'bye' },
];

describe('messages of a controller session', () => {
  it.each(fromBelow)('from below: $type there and back', (message) => {
    const line = formatLine(message);
    expect(line.length).toBeLessThanOrEqual(SESSION_LINE_MAXIMUM);
    expect(parseDownstreamMessage(line)).toEqual(message);
    expect(parseDownstreamMessage(formatLine({ ...message, news: true }))).toEqual(message);
  });

  it.each(fromAbove)('from above: $type there and back', (message) => {
    const line = formatLine(message);
    expect(line.length).toBeLessThanOrEqual(SESSION_LINE_MAXIMUM);
    expect(parseUpstreamMessage(line)).toEqual(message);
  });

  it.each([
    { version: -1 },
    { identity: identity.slice(1) },
    { identity: 'X'.repeat(32) },
    { session: 1.5 },
    { port: 65_536 },
    { source: null },
    { source: { ip: 7, port: 1 } },
    { source: { ip: 'x'.repeat(46), port: 1 } },
    { name: `${name}n` },
    { name: 5 },
  ])('takes no hello with %j', (wrong) => {
    expect(parseDownstreamMessage(formatLine({ ...fromBelow[0], ...wrong }))).toBeUndefined();
  });

  it.each([
    { prefix: `${'00'.repeat(32)}/0` },
    { prefix: `${'ab'.repeat(32)}/64` },
    { protocol: 1 },
    { weight: 0 },
    { weight: 2 ** 31 },
    { id: undefined },
  ])('takes no registration with %j', (wrong) => {
    expect(parseDownstreamMessage(formatLine({ ...fromBelow[2], ...wrong }))).toBeUndefined();
  });

  it.each([{ picker: 'best' }, { picker: 7 }, { picker: null }, { picker: 'toString' }])(
    'takes a registration with %j for one without a wish: a newer host may know more pickers',
    (unknown) => {
      expect(parseDownstreamMessage(formatLine({ ...fromBelow[2], ...unknown }))).toEqual(fromBelow[2]);
    },
  );

  it.each([
    { lease: 0 },
    { heartbeat: 0 },
    { heartbeat: 4000 },
    { path: 'none' },
    { path: ['none'] },
    { path: [...welcome.path, identity] },
    { identity: 7 },
    { port: -1 },
  ])('takes no welcome with %j', (wrong) => {
    expect(parseUpstreamMessage(formatLine({ ...welcome, ...wrong }))).toBeUndefined();
  });

  it('never throws for any text', () => {
    const texts = fc.oneof(fc.string(), fc.json(), fc.constantFrom(...[...fromBelow, ...fromAbove].map(formatLine)));
    fc.assert(
      fc.property(texts, fc.nat(200), (text, cut) => {
        for (const line of [text, text.slice(0, cut)]) {
          parseDownstreamMessage(line);
          parseUpstreamMessage(line);
        }
      }),
      { seed: 20120425, numRuns: 500 },
    );
  });
});
