// What datagrams of a test tell: their format, gaps and duplicates against a plain model, jitter, and the pace.

import { describe, expect, it } from 'vitest';
import {
  challengeOf,
  createChallenge,
  createDatagram,
  DATAGRAM_HEADER_BYTES,
  DatagramKind,
  hasToken,
  kindOf,
  sentAtOf,
  sequenceOf,
  stampDatagram,
  streamOf,
  testNumberOf,
} from '../../lib/cli/perf/datagram-format';
import { DatagramSender } from '../../lib/cli/perf/datagram-sender';
import { Jitter } from '../../lib/cli/perf/jitter';
import { Pacer } from '../../lib/cli/perf/pacer';
import { PERF_SEQUENCE_WINDOW } from '../../lib/cli/perf/perf-limits';
import { SequenceTracker } from '../../lib/cli/perf/sequence-tracker';
import { TestToken } from '../../lib/cli/perf/test-token';

describe('the format', () => {
  const token = TestToken.create(0x01020304);

  it('of data: header, token, sequence, time', () => {
    const bytes = createDatagram(DatagramKind.data, token, 5, 100);
    stampDatagram(bytes, 4_000_000_000, 1234.5);
    expect(bytes.subarray(0, 12).toString('hex')).toBe('535650440003000501020304');
    expect(bytes.subarray(24, 36).toString('hex')).toBe('ee6b280040934a0000000000');
    expect(kindOf(bytes)).toBe(DatagramKind.data);
    expect([streamOf(bytes), testNumberOf(bytes)]).toEqual([5, 0x01020304]);
    expect([sequenceOf(bytes), sentAtOf(bytes)]).toEqual([4_000_000_000, 1234.5]);
    expect(hasToken(bytes, token)).toBe(true);
    expect(hasToken(bytes, TestToken.create(0x01020304))).toBe(false);
  });

  it('of a challenge: as long as the hello that asked for it', () => {
    const hello = createChallenge(DatagramKind.hello, token, 0, undefined);
    const challenge = createChallenge(DatagramKind.challenge, token, 0, Buffer.from('12345678'));
    expect(challenge).toHaveLength(hello.length);
    expect(challengeOf(challenge).toString()).toBe('12345678');
    expect(challengeOf(hello)).toEqual(Buffer.alloc(8));
  });

  it('is nothing when it is short, of another kind, or of another program', () => {
    const bytes = createDatagram(DatagramKind.data, token, 0, DATAGRAM_HEADER_BYTES);
    for (let length = 0; length < bytes.length; length++) expect(kindOf(bytes.subarray(0, length))).toBeUndefined();
    bytes.writeUInt16BE(4, 4);
    expect(kindOf(bytes)).toBeUndefined();
    expect(kindOf(Buffer.alloc(100))).toBeUndefined();
  });
});

describe('the sequence', () => {
  it.each([
    ['in order', [0, 1, 2, 3], { received: 4, missing: 0, outOfOrder: 0, duplicates: 0 }],
    ['a gap', [0, 1, 4], { received: 3, missing: 2, outOfOrder: 0, duplicates: 0 }],
    ['a gap that is closed late', [0, 2, 1], { received: 3, missing: 0, outOfOrder: 1, duplicates: 0 }],
    ['the first lost', [2, 3], { received: 2, missing: 2, outOfOrder: 0, duplicates: 0 }],
    ['a duplicate', [0, 1, 1, 0], { received: 2, missing: 0, outOfOrder: 0, duplicates: 2 }],
  ])('%s', (_, numbers, expected) => {
    const tracker = new SequenceTracker();
    for (const number of numbers) tracker.handle(number);
    const { received, missing, outOfOrder, duplicates } = tracker;
    expect({ received, missing, outOfOrder, duplicates }).toEqual(expected);
  });

  it('a number that its place in the window had before is not a duplicate', () => {
    const tracker = new SequenceTracker();
    for (const number of [0, 1, 2, PERF_SEQUENCE_WINDOW + 2]) tracker.handle(number);
    // 1 is too old to be told from a late one; 3 is in the window, and new.
    for (const number of [3, 3]) tracker.handle(number);
    expect(tracker.duplicates).toBe(1);
    tracker.handle(1);
    expect(tracker).toMatchObject({ duplicates: 1, outOfOrder: 2 });
  });

  it('agrees with a set of all numbers, in random order with losses and repeats', () => {
    let state = 20_261_128;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const tracker = new SequenceTracker();
    const seen = new Set<number>();
    let [highest, outOfOrder, duplicates] = [-1, 0, 0];
    for (let count = 0; count < 200_000; count++) {
      const number = Math.max(Math.floor(count * 1.1) - random(1000), 0);
      tracker.handle(number);
      if (seen.has(number)) duplicates++;
      else if (number < highest) outOfOrder++;
      seen.add(number);
      highest = Math.max(highest, number);
    }
    const missing = highest + 1 - seen.size;
    expect(tracker).toMatchObject({ received: seen.size, missing, outOfOrder, duplicates });
  });

  it('takes the largest jump a stranger can make', () => {
    const tracker = new SequenceTracker();
    tracker.handle(0xffff_ffff);
    expect(tracker.handle(0)).toBe(true);
    expect(tracker).toMatchObject({ received: 2, missing: 0xffff_fffe });
  });
});

describe('a sender', () => {
  const options = { token: TestToken.create(1), stream: 0, length: 100, bytes: 250, rate: 1e9 };

  function senderWhose(outcomes: readonly (string | null)[]) {
    const sequences: number[] = [];
    const sender = new DatagramSender((bytes, sent) => {
      const code = outcomes[sequences.push(sequenceOf(bytes)) - 1] ?? null;
      process.nextTick(sent, code === null ? null : Object.assign(new Error(code), { code }));
    }, options);
    sender.start();
    return { sender, sequences };
  }

  it('sends whole datagrams until its bytes are sent, each with a number of its own', async () => {
    const { sender, sequences } = senderWhose([]);
    await sender.finished;
    expect(sequences).toEqual([0, 1, 2]);
    expect(sender.report()).toMatchObject({ bytes: 300, datagrams: 3, refused: 0 });
  });

  it('goes on when its host has no room, and does not count that as sent', async () => {
    const { sender, sequences } = senderWhose([null, 'ENOBUFS', null]);
    await sender.finished;
    expect(sequences).toEqual([0, 1, 2]);
    expect(sender.report()).toMatchObject({ bytes: 200, datagrams: 2, refused: 1 });
  });

  it.each([
    ['EMSGSIZE', 'EMSGSIZE', 'a datagram of 100 bytes is larger than the path takes'],
    ['EHOSTUNREACH', 'PERF_ENDED', 'the other end has gone'],
    ['ENETUNREACH', 'ENETUNREACH', 'ENETUNREACH'],
  ])('fails with %s', async (code, told, message) => {
    await expect(senderWhose([code]).sender.finished).rejects.toMatchObject({ code: told, message });
  });
});

describe('jitter', () => {
  it('is none when every datagram takes as long, whatever the clocks say', () => {
    const jitter = new Jitter();
    for (let count = 0; count < 100; count++) jitter.handle(count * 10, 5_000_000 + count * 10);
    expect(jitter.value).toBe(0);
  });

  it('is smoothed by 16: the example is worked by hand', () => {
    const jitter = new Jitter();
    jitter.handle(0, 100);
    jitter.handle(10, 126);
    expect(jitter.value).toBe(1);
    jitter.handle(20, 120);
    expect(jitter.value).toBe(1 + (16 - 1) / 16);
  });
});

describe('the pace', () => {
  it('is what the rate makes due', () => {
    const pacer = new Pacer(8_000_000, 1000, 1000);
    expect(pacer.due(1000)).toBe(0);
    expect(pacer.due(1010)).toBe(10_000);
    pacer.handleSent(4000);
    expect(pacer.due(1010)).toBe(6000);
    expect(pacer.delayUntil(6000, 1010)).toBe(0);
    expect(pacer.delayUntil(7000, 1010)).toBe(1);
  });

  it('does not make up for more than a tenth of a second', () => {
    const pacer = new Pacer(8_000_000, 0, 1000);
    expect(pacer.due(5000)).toBe(100_000);
    pacer.handleSent(100_000);
    expect(pacer.due(5000)).toBe(0);
    expect(pacer.due(5001)).toBe(1000);
  });

  it('lets one unit become due, however long that takes', () => {
    const pacer = new Pacer(8000, 0, 1000);
    expect(pacer.delayUntil(1000, 0)).toBe(1000);
    expect(pacer.due(1000)).toBe(1000);
    expect(pacer.due(5000)).toBe(1000);
  });
});
