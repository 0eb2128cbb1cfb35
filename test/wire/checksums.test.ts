import { describe, expect, it } from 'vitest';
import {
  addToSum,
  addWordToSum,
  checksumOfSum,
  internetChecksum,
  sealInternetChecksum,
} from '../../lib/wire/internet-checksum';
import { NetworkAddress } from '../../lib/wire/network-address';
import { hasValidTransportChecksum, sealTransportChecksum } from '../../lib/wire/transport-checksum';
import { bytesHex, hexBytes } from './bytes';

describe('the Internet checksum', () => {
  it('is that of RFC 1071 3', () => {
    expect(addToSum(0, hexBytes('0001 f203 f4f5 f6f7'), 0, 8)).toBe(0xddf2);
    expect(internetChecksum(hexBytes('0001 f203 f4f5 f6f7'), 0, 8)).toBe(0x220d);
  });

  it('carries twice when the first carry brings another', () => {
    expect(addToSum(0, hexBytes('ffff ffff 0001'), 0, 6)).toBe(1);
    expect(addWordToSum(0xffff, 0xffff0001)).toBe(1);
  });

  it('pads an odd byte with zero on the right', () => {
    expect(internetChecksum(hexBytes('0001f2'), 0, 3)).toBe(internetChecksum(hexBytes('0001f200'), 0, 4));
    expect(internetChecksum(hexBytes('ff'), 0, 1)).toBe(0x00ff);
    expect(internetChecksum(new Uint8Array(0), 0, 0)).toBe(0xffff);
  });

  it('is right for the largest packets and beyond', () => {
    for (const length of [65_535, 65_536, 100_000, 1_000_001]) {
      const bytes = new Uint8Array(length + 1).fill(0xff, 1);
      const words = Math.floor(length / 2);
      const plain = (BigInt(words) * 0xffffn + (length % 2 === 1 ? 0xff00n : 0n)) % 0xffffn;
      expect(addToSum(0, bytes, 1, length) % 0xffff).toBe(Number(plain));
    }
  });

  it('can be summed in parts', () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, index) => index * 37);
    const parts = addToSum(addToSum(0, bytes, 0, 22), bytes, 22, 42);
    expect(checksumOfSum(parts)).toBe(internetChecksum(bytes, 0, 64));
    expect(addWordToSum(0, 0xfffffffe)).toBe(addToSum(0, hexBytes('fffffffe'), 0, 4));
  });

  it('seals a range to the checksum 0', () => {
    const bytes = hexBytes('00000002 00000003 0306ffff');
    sealInternetChecksum(bytes, 0, 12, 10);
    expect(bytesHex(bytes)).toBe('00000002000000030306fcf4');
    expect(internetChecksum(bytes, 0, 12)).toBe(0);
  });
});

describe('the transport checksum', () => {
  const a = NetworkAddress.parse('10.77.0.1')!;
  const b = NetworkAddress.parse('10.77.0.2')!;
  // The original's pure ACK, a-tcp #7.
  const ack = hexBytes('0000 0000 b295f8cb e256ec28 5010 10f8 105f 0000');

  it('agrees with the original', () => {
    expect(hasValidTransportChecksum(ack, 0, 20, 6, a, b)).toBe(true);
    const sealed = ack.slice();
    sealed[16] = sealed[17] = 0x55;
    sealTransportChecksum(sealed, 0, 20, 6, a, b);
    expect(bytesHex(sealed)).toBe(bytesHex(ack));
  });

  it('covers addresses, protocol, length and every byte, but not ports of the link', () => {
    expect(hasValidTransportChecksum(ack, 0, 20, 6, a.withPort(1), b.withPort(54325))).toBe(true);
    expect(hasValidTransportChecksum(ack, 0, 20, 6, a, NetworkAddress.parse('10.77.0.3')!)).toBe(false);
    expect(hasValidTransportChecksum(ack, 0, 20, 17, a, b)).toBe(false);
    const longer = hexBytes(`${bytesHex(ack)}0000`);
    expect(hasValidTransportChecksum(longer, 0, 22, 6, a, b)).toBe(false);
    for (let at = 0; at < 20; at++) {
      const changed = ack.slice();
      changed[at]! ^= 0x10;
      expect(hasValidTransportChecksum(changed, 0, 20, 6, a, b)).toBe(false);
    }
  });

  it('has the pseudo header of RFC 8200 8.1 over IPv6', () => {
    // Computed by hand: 2001:db8::1 and ::2, UDP, length 10, payload 0x0102.
    const source = NetworkAddress.parse('2001:db8::1')!;
    const destination = NetworkAddress.parse('2001:db8::2')!;
    const bytes = hexBytes('0000 0000 000a 0000 0102');
    const sum = 2 * (0x2001 + 0x0db8) + 1 + 2 + 17 + 10 + 10 + 0x0102;
    sealTransportChecksum(bytes, 0, 10, 17, source, destination);
    expect(bytesHex(bytes)).toBe(`00000000000a${(~sum & 0xffff).toString(16)}0102`);
    expect(hasValidTransportChecksum(bytes, 0, 10, 17, source, destination)).toBe(true);
    expect(hasValidTransportChecksum(bytes, 0, 10, 17, source, source)).toBe(false);
  });

  it('may be absent in UDP, and never is when we make one', () => {
    const none = hexBytes('0000 0000 000a 0000 0102');
    expect(hasValidTransportChecksum(none, 0, 10, 17, a, b)).toBe(true);
    // A payload that brings the sum to 0xffff, so that its complement is 0.
    const zero = NetworkAddress.parse('0.0.0.0')!;
    const bytes = hexBytes(`0000 0000 000a 0000 ${(0xffff - 17 - 10 - 10).toString(16)}`);
    sealTransportChecksum(bytes, 0, 10, 17, zero, zero);
    expect(bytesHex(bytes.subarray(6, 8))).toBe('ffff');
    expect(hasValidTransportChecksum(bytes, 0, 10, 17, zero, zero)).toBe(true);
  });

  it('is no special value in TCP', () => {
    const zero = ack.slice();
    zero[16] = zero[17] = 0;
    expect(hasValidTransportChecksum(zero, 0, 20, 6, a, b)).toBe(false);
  });

  it('leaves alone what has none', () => {
    for (const [protocol, length] of [
      [6, 19],
      [17, 7],
      [132, 40],
    ] as const) {
      const bytes = new Uint8Array(length).fill(7);
      sealTransportChecksum(bytes, 0, length, protocol, a, b);
      expect(bytes.every((byte) => byte === 7)).toBe(true);
      expect(hasValidTransportChecksum(bytes, 0, length, protocol, a, b)).toBe(true);
    }
  });
});
