import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetworkAddress } from '../../lib/wire/network-address';

const seed = 20120425;

describe('parsing', () => {
  it.each([
    ['0.0.0.0', 4, '0.0.0.0'],
    ['192.0.2.255', 4, '192.0.2.255'],
    ['::', 6, '::'],
    ['::1', 6, '::1'],
    ['2001:DB8:0:0:0:0:0:9', 6, '2001:db8::9'],
    ['2001:db8::', 6, '2001:db8::'],
    ['1:2:3:4:5:6:7::', 6, '1:2:3:4:5:6:7:0'],
    ['1:0:0:4:5:0:0:8', 6, '1::4:5:0:0:8'],
    ['::ffff:192.0.2.1', 6, '::ffff:192.0.2.1'],
    ['::192.0.2.1', 6, '::c000:201'],
    ['64:ff9b::192.0.2.33', 6, '64:ff9b::c000:221'],
  ])('reads %s', (text, family, canonical) => {
    const address = NetworkAddress.parse(text, 54325);
    expect(address?.family).toBe(family);
    expect(address?.ip).toBe(canonical);
    expect(address?.toString()).toBe(family === 4 ? `${canonical}:54325` : `[${canonical}]:54325`);
    expect(NetworkAddress.parse(text)?.toString()).toBe(canonical);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '1.2.3.4::',
    '::1.2.3.4:1',
    '::1.2.3',
    'fe80::1%eth0',
    '[::1]',
    'localhost',
  ])('refuses %j', (text) => {
    expect(NetworkAddress.parse(text)).toBeUndefined();
  });

  it('accepts what Node accepts, and writes it as the URL standard does', () => {
    const character = fc.constantFrom(...'0123456789af:.', '::', '25', '1.2');
    const text = fc.array(character, { maxLength: 18 }).map((parts) => parts.join(''));
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    const whole = fc
      .array(group, { minLength: 8, maxLength: 8 })
      .map((groups) => groups.map((g) => g.toString(16)).join(':'));
    fc.assert(
      fc.property(fc.oneof(text, whole), (candidate) => {
        const address = NetworkAddress.parse(candidate);
        expect(address?.family).toBe(isIPv4(candidate) ? 4 : isIPv6(candidate) ? 6 : undefined);
        if (address?.family !== 6 || address.ip.includes('.')) return;
        expect(`[${address.ip}]`).toBe(new URL(`http://[${candidate}]`).hostname);
      }),
      { seed, numRuns: 6000 },
    );
  });
});

describe('comparing', () => {
  const address = NetworkAddress.parse('192.0.2.1', 7)!;

  it('is by value, with the port or without', () => {
    expect(address.equals(NetworkAddress.parse('192.0.2.1', 7)!)).toBe(true);
    expect(address.equals(address.withPort(8))).toBe(false);
    expect(address.sameIp(address.withPort(8))).toBe(true);
    expect(address.withPort(7)).toBe(address);
    expect(address.sameIp(NetworkAddress.parse('192.0.2.2', 7)!)).toBe(false);
  });

  it('tells families apart, even with equal words', () => {
    expect(NetworkAddress.parse('0.0.0.0')!.sameIp(NetworkAddress.parse('::')!)).toBe(false);
  });

  it.each([0, 1, 2, 3])('looks at word %i of IPv6', (word) => {
    const words: [number, number, number, number] = [1, 2, 3, 4];
    const base = NetworkAddress.fromWords(6, 0, ...words);
    words[word] = 0x80000000;
    const other = NetworkAddress.fromWords(6, 0, ...words);
    expect(base.sameIp(other)).toBe(false);
    expect(other.sameIp(NetworkAddress.fromWords(6, 0, ...words))).toBe(true);
  });
});

describe('kinds of address', () => {
  it.each([
    ['0.0.0.0', 'isUnspecified'],
    ['::', 'isUnspecified'],
    ['127.1.2.3', 'isLoopback'],
    ['::1', 'isLoopback'],
    ['224.0.0.1', 'isMulticast'],
    ['239.255.255.255', 'isMulticast'],
    ['ff02::1', 'isMulticast'],
    ['192.0.2.1', 'none'],
    ['240.0.0.1', 'none'],
    ['2001:db8::1', 'none'],
    ['::ffff:127.0.0.1', 'none'],
  ])('%s: %s', (ip, kind) => {
    const address = NetworkAddress.parse(ip)!;
    for (const name of ['isUnspecified', 'isLoopback', 'isMulticast'] as const)
      expect(address[name]).toBe(name === kind);
  });
});
