import { describe, expect, it } from 'vitest';
import { serviceID } from '../../lib/socket/service-name';
import { SeededRandom } from '../../lib/time/seeded-random';
import {
  FLOOD_ENTRIES_MAXIMUM,
  FLOODING_SERVICE,
  type FloodMessage,
  parseFloodMessage,
  writeFloodMessage,
} from '../../lib/wire/flood-message';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const web = ServicePrefix.of(ServiceID.fromHex('ab'.repeat(32))!);
const message: FloodMessage = {
  generation: 0x0102_0304_0506,
  sequence: 7,
  lease: 15_000,
  port: 54_325,
  entries: [
    { prefix: web, weight: 1024 },
    { prefix: ServicePrefix.of(web.base, 64), weight: 0 },
  ],
};
const HEX =
  '0100000200000102030405060000000700003a98d4350000' +
  `${'ab'.repeat(32)}0100000000000400` +
  `${'ab'.repeat(8)}${'00'.repeat(24)}0040000000000000`;

describe('flooding messages', () => {
  it('are these bytes', () => {
    expect(Buffer.from(writeFloodMessage(message)).toString('hex')).toBe(HEX);
    expect(parseFloodMessage(Buffer.from(HEX, 'hex'))).toEqual(message);
  });

  it('go to the service of their name', () => {
    expect(FLOODING_SERVICE.toString()).toBe(serviceID('serval/flooding').toString());
  });

  it('fit a datagram of 1,200 bytes', () => {
    const entries = Array.from({ length: FLOOD_ENTRIES_MAXIMUM }, () => ({ prefix: web, weight: 1 }));
    const bytes = writeFloodMessage({ ...message, entries });
    expect(bytes.length).toBeLessThanOrEqual(1200);
    expect(parseFloodMessage(bytes)?.entries).toHaveLength(FLOOD_ENTRIES_MAXIMUM);
    // One more is never written, and never read.
    expect(parseFloodMessage(writeFloodMessage({ ...message, entries: [...entries, ...entries] }))).toBeUndefined();
  });

  it('are refused when cut, longer, of another version, or with a prefix that is too long', () => {
    const whole = Buffer.from(HEX, 'hex');
    for (let length = 0; length < whole.length; length++) {
      expect(parseFloodMessage(whole.subarray(0, length))).toBeUndefined();
    }
    expect(parseFloodMessage(Buffer.concat([whole, Buffer.alloc(1)]))).toBeUndefined();
    for (const [at, value] of [
      [0, 2],
      [3, 3],
      [57, 1],
    ]) {
      const changed = Buffer.from(whole);
      changed[at!] = value!;
      expect(parseFloodMessage(changed)).toBeUndefined();
    }
  });

  it('never throw, whatever comes', () => {
    const random = SeededRandom.of(29);
    for (let round = 0; round < 5000; round++) {
      const count = random.uint32() % 4;
      const length = random.uint32() % 3 === 0 ? random.uint32() % 1400 : 24 + count * 40;
      const bytes = Uint8Array.from({ length }, () => random.uint32());
      if (round % 2 === 0) bytes.set([1, 0, 0, count].slice(0, length));
      parseFloodMessage(bytes);
    }
  });
});
