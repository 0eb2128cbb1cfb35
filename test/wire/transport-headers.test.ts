import { describe, expect, it } from 'vitest';
import { parseTcpHeader, TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { parseUdpHeader, writeUdpHeader } from '../../lib/wire/udp-header';
import { bytesHex, hexBytes, written } from './bytes';

describe('TCP header', () => {
  // The original's SYN-ACK, a-tcp #2, with two bytes of payload added.
  const bytes = hexBytes('0000 0000 e256e6a7 b295f8cb 7012 16a0 e47d 0000 020405a8 01030301 cafe');

  it('is read', () => {
    expect(parseTcpHeader(bytes, 0, bytes.length)).toEqual({
      sequence: 0xe256e6a7,
      acknowledgment: 0xb295f8cb,
      flags: TcpFlag.syn | TcpFlag.ack,
      window: 0x16a0,
      optionsOffset: 20,
      optionsLength: 8,
      payloadOffset: 28,
      payloadLength: 2,
    });
  });

  it('is written with ports, checksum and urgent pointer 0', () => {
    const fields = { sequence: 0xe256e6a7, acknowledgment: 0xb295f8cb, flags: 0x12, window: 0x16a0 };
    const expected = '00000000e256e6a7b295f8cb701216a000000000';
    expect(written((target, at) => writeTcpHeader(target, at, { ...fields, optionsLength: 8 }))).toBe(expected);
    expect(written((target, at) => writeTcpHeader(target, at, fields))).toBe(expected.replace('7012', '5012'));
  });

  it('is refused when cut', () => {
    for (let length = 0; length < 28; length++) {
      expect(parseTcpHeader(bytes.slice(0, length), 0, length)).toBe(length < 20 ? 'tcpTruncated' : 'tcpHeaderLength');
    }
    expect(parseTcpHeader(bytes, 0, bytes.length + 1)).toBe('tcpTruncated');
    expect(parseTcpHeader(bytes, -1, 28)).toBe('tcpTruncated');
  });

  it.each([0, 1, 4])('has no data offset of %i words', (words) => {
    const short = bytes.slice();
    short[12] = words << 4;
    expect(parseTcpHeader(short, 0, short.length)).toBe('tcpHeaderLength');
  });
});

describe('UDP header', () => {
  const bytes = hexBytes('d434 d435 000d 0000 68656c6c6f');

  it('is read and written', () => {
    expect(parseUdpHeader(bytes, 0, 13)).toEqual({
      sourcePort: 54324,
      destinationPort: 54325,
      payloadOffset: 8,
      payloadLength: 5,
    });
    expect(written((target, at) => writeUdpHeader(target, at, 5, 54324, 54325))).toBe(bytesHex(bytes.subarray(0, 8)));
    expect(written((target, at) => writeUdpHeader(target, at, 0))).toBe('0000000000080000');
  });

  it('ends where its length says', () => {
    expect(parseUdpHeader(hexBytes('0000 0000 000a 0000 6869 ffff'), 0, 12)).toMatchObject({ payloadLength: 2 });
  });

  it('is refused when cut or of impossible length', () => {
    for (let length = 0; length < 13; length++) {
      expect(parseUdpHeader(bytes, 0, length)).toBe(length < 8 ? 'udpTruncated' : 'udpLength');
    }
    expect(parseUdpHeader(hexBytes('0000 0000 0007 0000'), 0, 8)).toBe('udpLength');
    expect(parseUdpHeader(bytes, 6, 8)).toBe('udpTruncated');
  });
});
