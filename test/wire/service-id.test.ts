import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const DIGITS = '0123456789abcdef'.repeat(4);
const anyID = fc
  .array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 8, maxLength: 8 })
  .map((words) => ServiceID.fromWords(words));
const anyBits = fc.integer({ min: 0, max: 256 });
const parameters = { seed: 20120425, numRuns: 2000 };

describe('ServiceID', () => {
  it('is the same from digits, bytes and words', () => {
    const id = ServiceID.fromHex(DIGITS)!;
    expect(id.toString()).toBe(DIGITS);
    expect(Buffer.from(id.toBytes()).toString('hex')).toBe(DIGITS);
    expect(ServiceID.fromBytes(Buffer.from(`ffff${DIGITS}`, 'hex'), 2).equals(id)).toBe(true);
    expect(ServiceID.fromWords(id.words).equals(id)).toBe(true);
    expect(id.words[0]).toBe(0x01234567);
  });

  it.each(['', DIGITS.slice(1), `${DIGITS}0`, `g${DIGITS.slice(1)}`, ` ${DIGITS.slice(1)}`])('is not %j', (text) => {
    expect(ServiceID.fromHex(text)).toBeUndefined();
  });

  it('does not share what it was made of', () => {
    const words = new Uint32Array(8);
    const bytes = new Uint8Array(32);
    const ids = [ServiceID.fromWords(words), ServiceID.fromBytes(bytes)];
    words.fill(1);
    bytes.fill(1);
    for (const id of ids) expect(id.isZero).toBe(true);
    expect(ServiceID.fromWords(words).isZero).toBe(false);
  });
});

describe('ServicePrefix', () => {
  it('holds those whose first bits agree, as their binary digits do', () => {
    const flipped = fc.tuple(anyID, anyBits, fc.integer({ min: 0, max: 255 }), fc.boolean());
    fc.assert(
      fc.property(flipped, ([id, bits, bit, flip]) => {
        const words = Uint32Array.from(id.words);
        if (flip) words[bit >>> 5]! ^= 0x80000000 >>> (bit & 31);
        const other = ServiceID.fromWords(words);
        const prefix = ServicePrefix.of(id, bits);
        expect(prefix.contains(other)).toBe(binary(other).slice(0, bits) === binary(id).slice(0, bits));
        expect(binary(prefix.base)).toBe(binary(id).slice(0, bits).padEnd(256, '0'));
      }),
      parameters,
    );
  });

  it('holds longer prefixes of those it holds', () => {
    fc.assert(
      fc.property(anyID, anyBits, anyBits, (id, a, b) => {
        expect(ServicePrefix.of(id, a).containsPrefix(ServicePrefix.of(id, b))).toBe(b >= a);
      }),
      parameters,
    );
  });

  it('is equal by value, and written as digits and bits', () => {
    const id = ServiceID.fromHex(DIGITS)!;
    expect(ServicePrefix.of(id, 8).equals(ServicePrefix.of(ServiceID.fromHex(`01${'f'.repeat(62)}`)!, 8))).toBe(true);
    expect(ServicePrefix.of(id, 8).equals(ServicePrefix.of(id, 9))).toBe(false);
    expect(ServicePrefix.of(id, 8).toString()).toBe(`01${'0'.repeat(62)}/8`);
    expect(ServicePrefix.of(id).toString()).toBe(`${DIGITS}/256`);
    expect(ServicePrefix.any.contains(id)).toBe(true);
  });

  it.each([-1, 257, 1.5, Number.NaN])('has no %d bits', (bits) => {
    expect(() => ServicePrefix.of(ServiceID.zero, bits)).toThrow(RangeError);
  });
});

function binary(id: ServiceID): string {
  return Array.from(id.words, (word) => word.toString(2).padStart(32, '0')).join('');
}
