// Wire format §13: the original's registrations, in its own bytes.
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { parseServdMessage, SERVD_HOST, SERVD_ROUTER, writeServdMessage } from '../../lib/wire/servd-message';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const service = ServicePrefix.of(ServiceID.fromHex('00001f40'.padEnd(64, '0'))!);
const tail = '00001f40'.padEnd(64, '0');

/** d-servd-router #10, #20, and a refresh as #12. */
const REGISTER = `0000003002000000${'0000000000000000'}${tail}`;
const UNREGISTER = `0100003005000000${'0000000000000000'}${tail}`;
const REFRESH = `0000003003000000${'010000000a4d0101'}${tail}`;

describe('servd messages', () => {
  const messages = [
    [REGISTER, 2, { kind: 'register', isRepeated: false, formerAddress: undefined, prefix: service }],
    [UNREGISTER, 5, { kind: 'unregister', isRepeated: false, formerAddress: undefined, prefix: service }],
    [
      REFRESH,
      3,
      { kind: 'register', isRepeated: true, formerAddress: NetworkAddress.parse('10.77.1.1')!, prefix: service },
    ],
  ] as const;

  it.each(messages)('%s', (hex, number, message) => {
    expect(parseServdMessage(Buffer.from(hex, 'hex'))).toEqual(message);
    expect(Buffer.from(writeServdMessage(message, number)).toString('hex')).toBe(hex);
  });

  it('carries prefixes, whose length is 0 when it is that of a whole serviceID', () => {
    const prefix = ServicePrefix.of(ServiceID.fromHex('ab'.repeat(32))!, 12);
    const bytes = writeServdMessage({ kind: 'register', isRepeated: false, formerAddress: undefined, prefix }, 1);
    expect(bytes[9]).toBe(12);
    expect(parseServdMessage(bytes)!.prefix.equals(prefix)).toBe(true);
  });

  it('believes no former address that no host can have', () => {
    const bytes = Buffer.from(REFRESH, 'hex');
    bytes.writeUInt32BE(0xe0000001, 12);
    expect(parseServdMessage(bytes)?.formerAddress).toBeUndefined();
  });

  it('knows the serviceIDs of both sides as the captures have them', () => {
    expect(SERVD_ROUTER.toString()).toBe('00015b38'.padEnd(64, '0'));
    expect(SERVD_HOST.toString()).toBe('0000d903'.padEnd(64, '0'));
  });

  it('refuses other lengths, other types, and a length that is not that of the message', () => {
    const whole = Buffer.from(REGISTER, 'hex');
    for (let length = 0; length < whole.length; length++) {
      expect(parseServdMessage(whole.subarray(0, length))).toBeUndefined();
    }
    expect(parseServdMessage(Buffer.concat([whole, Buffer.alloc(1)]))).toBeUndefined();
    for (let type = 2; type < 256; type++) {
      expect(parseServdMessage(Buffer.concat([Buffer.of(type), whole.subarray(1)]))).toBeUndefined();
    }
    const wrong = Buffer.from(whole);
    wrong.writeUInt16LE(48, 2);
    expect(parseServdMessage(wrong)).toBeUndefined();
  });

  it('takes random bytes without throwing', () => {
    const random = SeededRandom.of(13);
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from({ length: 48 }, () => random.uint32());
      if (round % 2 === 0) bytes.set([(round % 4) >> 1, 0, 0, 48]);
      const message = parseServdMessage(bytes);
      if (round % 2 === 0) expect(message).toBeDefined();
    }
  });
});
