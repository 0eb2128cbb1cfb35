import { describe, expect, it } from 'vitest';
import { Ipv4Fragment, parseIpv4Header, writeIpv4Header } from '../../lib/wire/ipv4-header';
import { NetworkAddress } from '../../lib/wire/network-address';
import { bytesHex, hexBytes, written } from './bytes';

// The header of the original's SYN, a-tcp #1.
const HEADER = '4500 0074 bdb5 0000 4090 a6ab 0a4d0001 0a4d00ff';
const source = NetworkAddress.parse('10.77.0.1')!;
const destination = NetworkAddress.parse('10.77.0.255')!;

function packet(): Uint8Array {
  const bytes = new Uint8Array(116);
  bytes.set(hexBytes(HEADER));
  return bytes;
}

describe('IPv4 header', () => {
  it('is read', () => {
    expect(parseIpv4Header(packet(), 0, 116)).toEqual({
      typeOfService: 0,
      identification: 0xbdb5,
      fragment: 0,
      timeToLive: 64,
      protocol: 144,
      source,
      destination,
      payloadOffset: 20,
      payloadLength: 96,
    });
  });

  it('is written', () => {
    const fields = { protocol: 144, source, destination, payloadLength: 96 };
    const exact = { ...fields, identification: 0xbdb5 };
    expect(written((bytes, at) => writeIpv4Header(bytes, at, exact))).toBe(bytesHex(hexBytes(HEADER)));
    const other = { ...fields, fragment: Ipv4Fragment.dont, timeToLive: 1, typeOfService: 0xb8 };
    const bytes = new Uint8Array(116);
    writeIpv4Header(bytes, 0, other);
    expect(parseIpv4Header(bytes, 0, 116)).toMatchObject({ ...other, identification: 0 });
  });

  it('skips options and ignores what is behind the packet', () => {
    const bytes = hexBytes('4600 001a 0000 0000 4090 0000 0a4d0001 0a4d0002 01010101 6869 ffffff');
    bytes.set(hexBytes(checksumOf(bytes, 24)), 10);
    expect(parseIpv4Header(bytes, 0, bytes.length)).toMatchObject({ payloadOffset: 24, payloadLength: 2 });
  });

  it.each([
    ['ipVersion', 0, '60'],
    ['ipHeaderLength', 0, '44'],
    ['ipTotalLength', 2, '0013'],
    ['ipTotalLength', 2, '0075'],
    ['ipChecksum', 8, '3f'],
  ])('is refused: %s', (reason, at, bytes) => {
    const bad = packet();
    bad.set(hexBytes(bytes), at);
    expect(parseIpv4Header(bad, 0, 116)).toBe(reason);
  });

  it('is refused when its options are cut', () => {
    const bytes = hexBytes('4f00 0014 0000 0000 4090 0000 0a4d0001 0a4d0002');
    expect(parseIpv4Header(bytes, 0, 20)).toBe('ipHeaderLength');
  });
});

/** By another way than the code under test: as one large number modulo 65,535. */
function checksumOf(bytes: Uint8Array, length: number): string {
  const sum = BigInt(`0x${bytesHex(bytes.subarray(0, length))}`) % 0xffffn;
  return (0xffff - Number(sum)).toString(16).padStart(4, '0');
}
