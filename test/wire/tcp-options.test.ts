import { describe, expect, it } from 'vitest';
import {
  sackOptionBytes,
  synOptionsBytes,
  TcpOptions,
  writeSackOption,
  writeSynOptions,
} from '../../lib/wire/tcp-options';
import { hexBytes, written } from './bytes';

describe('TcpOptions', () => {
  it('reads what the original sends in its SYN', () => {
    expect(parsed('020405a8 01030301')).toEqual({ maximumSegmentSize: 1448, windowScale: 1 });
  });

  it('reads SACK permitted and SACK blocks', () => {
    expect(parsed('01010402')).toEqual({ sackPermitted: true });
    expect(parsed('0101050a 00001000 ffffffff')).toEqual({ sack: [0x1000, 0xffffffff] });
    expect(parsed(`01010522 ${'0000000100000002'.repeat(4)}`)).toEqual({ sack: [1, 2, 1, 2, 1, 2, 1, 2] });
  });

  it('skips what it does not know, and stops at the end', () => {
    expect(parsed('080a0000000100000002 fd02 0303 07 00')).toEqual({ windowScale: 7 });
    expect(parsed('00 020405a8')).toEqual({});
    expect(parsed('')).toEqual({});
  });

  it('takes a window scale above 14 as 14 (RFC 7323 2.3)', () => {
    expect(parsed('03030f 00')).toEqual({ windowScale: 14 });
  });

  it.each([
    ['length 0', '0200'],
    ['length 1', '0201'],
    ['no length', '0101 02'],
    ['beyond the header', '020405'],
    ['MSS of 3', '0203 05'],
    ['window scale of 2', '0302'],
    ['SACK permitted of 3', '0403 00'],
    ['SACK without a block', '0502'],
    ['half a SACK block', '0506 00000001'],
    ['five SACK blocks', `052a${'00'.repeat(40)}`],
  ])('refuses %s', (_, text) => {
    const bytes = hexBytes(text);
    expect(new TcpOptions().parse(bytes, 0, bytes.length)).toBe('tcpOptionLength');
  });

  it('refuses a range outside of the buffer', () => {
    expect(new TcpOptions().parse(new Uint8Array(4), 2, 4)).toBe('tcpOptionLength');
    expect(new TcpOptions().parse(new Uint8Array(4), -2, 4)).toBe('tcpOptionLength');
  });

  it('forgets what it read before', () => {
    const options = new TcpOptions();
    const first = hexBytes('020405a8 01030301 0402 0101 0101050a0000000100000002');
    expect(options.parse(first, 0, first.length)).toBeUndefined();
    expect(values(options)).toEqual({ maximumSegmentSize: 1448, windowScale: 1, sackPermitted: true, sack: [1, 2] });
    expect(options.parse(first, 0, 0)).toBeUndefined();
    expect(values(options)).toEqual({});
  });
});

describe('writing', () => {
  it.each([
    [{ maximumSegmentSize: 1448, windowScale: 1 }, '020405a801030301'],
    [{ maximumSegmentSize: 1448 }, '020405a8'],
    [{ maximumSegmentSize: 1448, sackPermitted: true }, '020405a801010402'],
    [{ maximumSegmentSize: 9000, windowScale: 14, sackPermitted: true }, '020423280103030e01010402'],
  ])('writes the options of a SYN: %o', (options, expected) => {
    expect(written((bytes, at) => writeSynOptions(bytes, at, options))).toBe(expected);
    expect(synOptionsBytes(options)).toBe(expected.length / 2);
    expect(parsed(expected)).toEqual(options);
  });

  it('writes SACK blocks', () => {
    const edges = Uint32Array.of(0x1000, 0xffffffff, 3, 4);
    expect(written((bytes, at) => writeSackOption(bytes, at, edges, 0))).toBe('');
    expect(written((bytes, at) => writeSackOption(bytes, at, edges, 1))).toBe('0101050a00001000ffffffff');
    expect(written((bytes, at) => writeSackOption(bytes, at, edges, 2))).toBe(
      '0101051200001000ffffffff0000000300000004',
    );
    expect(sackOptionBytes(0)).toBe(0);
    expect(sackOptionBytes(2)).toBe(20);
    expect(() => writeSackOption(new Uint8Array(60), 0, new Uint32Array(10), 5)).toThrow(RangeError);
  });
});

function parsed(text: string): object {
  const bytes = hexBytes(text);
  const options = new TcpOptions();
  // Inside of a larger buffer, so that reading too far would be seen.
  const buffer = new Uint8Array(bytes.length + 8).fill(0xee);
  buffer.set(bytes, 4);
  expect(options.parse(buffer, 4, bytes.length)).toBeUndefined();
  return values(options);
}

/** What is there; options that are absent are left out. */
function values(options: TcpOptions): object {
  return {
    ...(options.maximumSegmentSize === undefined ? {} : { maximumSegmentSize: options.maximumSegmentSize }),
    ...(options.windowScale === undefined ? {} : { windowScale: options.windowScale }),
    ...(options.sackPermitted ? { sackPermitted: true } : {}),
    ...(options.sackCount === 0 ? {} : { sack: [...options.sackEdges.subarray(0, options.sackCount * 2)] }),
  };
}
