// The control exchange as bytes: framing, messages, results. All of it comes from a stranger.

import { describe, expect, it } from 'vitest';
import { checkEndReport } from '../../lib/cli/perf/end-report';
import { encodeFrame, FrameReader } from '../../lib/cli/perf/frames';
import { checkMessage, type Message } from '../../lib/cli/perf/messages';
import { harmlessText } from '../../lib/cli/perf/perf-error';
import { PERF_MESSAGE_MAXIMUM } from '../../lib/cli/perf/perf-limits';
import { encodePreamble, PREAMBLE_BYTES, parsePreamble } from '../../lib/cli/perf/stream-preamble';
import { TestToken } from '../../lib/cli/perf/test-token';

const protocolError = expect.objectContaining({ code: 'PERF_PROTOCOL' });

describe('frames', () => {
  it('are four bytes of length and JSON', () => {
    expect(encodeFrame({ a: 1 }).toString('latin1')).toBe('\0\0\0\x07{"a":1}');
    expect(new FrameReader().read(Buffer.from('\0\0\0\x07{"a":1}', 'latin1'))).toEqual([{ a: 1 }]);
  });

  it('come back whole, wherever they are cut', () => {
    const values = [{ type: 'alive' }, { text: 'äöü', list: [1, 2] }, 7, null];
    const bytes = Buffer.concat(values.map(encodeFrame));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new FrameReader();
      expect([...reader.read(bytes.subarray(0, cut)), ...reader.read(bytes.subarray(cut))]).toEqual(values);
    }
    const reader = new FrameReader();
    expect([...bytes].flatMap((byte) => reader.read(Buffer.of(byte)))).toEqual(values);
  });

  it('are refused by their length, before anything of them has come', () => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(PERF_MESSAGE_MAXIMUM);
    expect(new FrameReader().read(length)).toEqual([]);
    length.writeUInt32BE(PERF_MESSAGE_MAXIMUM + 1);
    expect(() => new FrameReader().read(length)).toThrow(protocolError);
    expect(() => new FrameReader().read(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow(protocolError);
    expect(() => encodeFrame('x'.repeat(PERF_MESSAGE_MAXIMUM))).toThrow(RangeError);
  });

  it.each(['', '{', '{"a":1}}', '[[[', '\xff'])('%j is no JSON', (text) => {
    const bytes = Buffer.from(`1234${text}`, 'latin1');
    bytes.writeUInt32BE(text.length);
    expect(() => new FrameReader().read(bytes)).toThrow(protocolError);
  });

  it('as deep as a message can be are refused, and do no harm', () => {
    const text = '['.repeat(PERF_MESSAGE_MAXIMUM);
    const bytes = Buffer.from(`1234${text}`);
    bytes.writeUInt32BE(text.length);
    expect(() => new FrameReader().read(bytes)).toThrow(protocolError);
  });
});

describe('messages', () => {
  const accepted = { type: 'accepted', version: 1, token: 'ab'.repeat(16), instance: 'cd'.repeat(32) };
  const known: Message[] = [
    { type: 'request', version: 1, parameters: { streams: 1 } },
    accepted as Message,
    { type: 'error', code: 'PERF_BUSY', message: 'busy' },
    { type: 'running' },
    { type: 'alive' },
    { type: 'stop' },
    { type: 'results', report: {} },
  ];

  it.each(known)('$type', (message) => expect(checkMessage({ ...message, extra: true })).toEqual(message));

  it('of another version are refused with both versions', () => {
    const text = 'the other end speaks version 2 of the exchange, this one 1';
    const error = expect.objectContaining({ code: 'PERF_VERSION', message: text });
    expect(() => checkMessage({ type: 'request', version: 2, parameters: {} })).toThrow(error);
    expect(() => checkMessage({ ...accepted, version: 2 })).toThrow(error);
  });

  it.each([
    null,
    1,
    'alive',
    [],
    {},
    { type: 'toString' },
    { type: 'request' },
    { type: 'request', version: '1' },
    { ...accepted, token: 'ab' },
    { ...accepted, token: ['ab'.repeat(16)] },
    { ...accepted, instance: 'XY'.repeat(32) },
    { type: 'error', code: 'lower case', message: '' },
    { type: 'error', code: 'A'.repeat(300), message: '' },
  ])('%j is none', (value) => expect(() => checkMessage(value)).toThrow(protocolError));

  it("of the peer do not steer the user's terminal", () => {
    const message = checkMessage({
      type: 'error',
      code: 'PERF_BUSY',
      message: `\x1b[2J\r\nowned\u202e${'x'.repeat(500)}`,
    });
    expect(message).toEqual({ type: 'error', code: 'PERF_BUSY', message: `?[2J??owned?${'x'.repeat(188)}` });
    expect(harmlessText('a service, 10 µs: ok')).toBe('a service, 10 µs: ok');
  });
});

describe('results', () => {
  const processor = { user: 1, system: 0.5, elapsed: 10 };
  const stream = { bytes: 1000, seconds: 10 };

  it('are taken with what is known of them', () => {
    const streams = [stream, { ...stream, jitter: 0.1, datagrams: 3, outOfOrder: 1, duplicates: 0 }];
    const given = { streams: [{ ...streams[0], nonsense: 'x' }, streams[1]], processor };
    expect(checkEndReport(given, 2)).toEqual({ streams, processor });
  });

  it.each([
    null,
    {},
    { streams: [], processor },
    { streams: [stream, stream], processor },
    { streams: { length: 1, 0: stream }, processor },
    { streams: [{ bytes: 1 }], processor },
    { streams: [{ ...stream, bytes: -1 }], processor },
    { streams: [{ ...stream, bytes: 1e300 }], processor },
    { streams: [{ ...stream, jitter: 'much' }], processor },
    { streams: [stream] },
    { streams: [stream], processor: { ...processor, user: null } },
  ])('%j are none', (value) => expect(() => checkEndReport(value, 1)).toThrow(protocolError));
});

describe('the preamble of a stream', () => {
  it('says which stream of which test it is', () => {
    const token = TestToken.create(7);
    const bytes = encodePreamble({ token, index: 3 });
    expect(bytes).toHaveLength(PREAMBLE_BYTES);
    expect(bytes.subarray(0, 12).toString('hex')).toBe('535650530000000300000007');
    const parsed = parsePreamble(bytes)!;
    expect(parsed.index).toBe(3);
    expect(parsed.token.number).toBe(7);
    expect(parsed.token.equals(token)).toBe(true);
    expect(parsed.token.equals(TestToken.create(7))).toBe(false);
    expect(parsePreamble(Buffer.alloc(PREAMBLE_BYTES))).toBeUndefined();
  });
});
