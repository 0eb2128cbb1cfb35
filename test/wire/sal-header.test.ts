import { describe, expect, it } from 'vitest';
import { flowID } from '../../lib/wire/flow-id';
import {
  isBareTcp,
  parseSalHeader,
  readDestinationFlowID,
  readSourceFlowID,
  sealSalHeader,
  writeBareSalHeader,
  writeSalHeader,
} from '../../lib/wire/sal-header';
import { bytesHex, hexBytes, written } from './bytes';

// A pure TCP ACK and a SAL FIN of the original (a-tcp #7 and #34).
const BARE = hexBytes('00000002 00000003 0306fcf4');
const FIN = hexBytes('00000003 00000002 0806eade 10140400 59f7f8ac bde10e34 dc24df01428cdc94');

describe('parseSalHeader', () => {
  it('reads a bare header', () => {
    expect(parseSalHeader(BARE, 0, 12)).toEqual({
      sourceFlowID: 2,
      destinationFlowID: 3,
      headerLength: 12,
      protocol: 6,
    });
  });

  it('reads a header with extensions, anywhere in a buffer', () => {
    const bytes = new Uint8Array(64);
    bytes.set(FIN, 9);
    expect(parseSalHeader(bytes, 9, 40)).toMatchObject({ headerLength: 32, sourceFlowID: 3 });
  });

  it('takes flowIDs as unsigned', () => {
    const bytes = new Uint8Array(12);
    writeBareSalHeader(bytes, 0, flowID(0xfffffffe), flowID(0x80000000), 6);
    expect(parseSalHeader(bytes, 0, 12)).toMatchObject({ sourceFlowID: 0xfffffffe, destinationFlowID: 0x80000000 });
  });

  it('refuses what is cut at any length', () => {
    for (let length = 0; length < FIN.length; length++) expect(parseSalHeader(FIN, 0, length)).toBe('truncated');
  });

  it('refuses a range outside of the buffer', () => {
    expect(parseSalHeader(BARE, 1, 12)).toBe('truncated');
    expect(parseSalHeader(BARE, -1, 12)).toBe('truncated');
    expect(parseSalHeader(BARE, 0, 13)).toBe('truncated');
  });

  it('refuses any single flipped bit', () => {
    for (let bit = 0; bit < FIN.length * 8; bit++) {
      const bytes = FIN.slice();
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      expect(['badCheck', 'truncated', 'badHeaderLength']).toContain(parseSalHeader(bytes, 0, bytes.length));
    }
  });

  it.each([0, 1, 2])('refuses a length of %i words, right check or not', (words) => {
    const bytes = BARE.slice();
    bytes[8] = words;
    sealSalHeader(bytes, 0);
    expect(parseSalHeader(bytes, 0, 12)).toBe('badHeaderLength');
  });
});

describe('writing', () => {
  it('writes a bare header with its check', () => {
    expect(written((bytes, at) => writeBareSalHeader(bytes, at, flowID(2), flowID(3), 6))).toBe(bytesHex(BARE));
  });

  it('agrees with sealing, for flowIDs of any size', () => {
    for (const [source, destination] of [
      [0xffffffff, 0xffffffff],
      [0xfffcf9fa, 0],
      [0x80000000, 0x7fffffff],
      [0, 0],
    ] as const) {
      const bytes = new Uint8Array(12);
      writeBareSalHeader(bytes, 0, flowID(source), flowID(destination), 17);
      const sealed = bytes.slice();
      sealSalHeader(sealed, 0);
      expect(bytesHex(bytes)).toBe(bytesHex(sealed));
      expect(readSourceFlowID(bytes, 0)).toBe(source);
      expect(readDestinationFlowID(bytes, 0)).toBe(destination);
    }
  });

  it('writes a header to be sealed behind its extensions', () => {
    const bytes = FIN.slice();
    const header = { sourceFlowID: flowID(3), destinationFlowID: flowID(2), headerLength: 32, protocol: 6 };
    expect(writeSalHeader(bytes, 0, header)).toBe(12);
    expect(bytesHex(bytes.subarray(10, 12))).toBe('0000');
    sealSalHeader(bytes, 0);
    expect(bytesHex(bytes)).toBe(bytesHex(FIN));
  });
});

describe('isBareTcp', () => {
  it('is for TCP without extensions alone', () => {
    expect(isBareTcp(BARE, 0)).toBe(true);
    expect(isBareTcp(FIN, 0)).toBe(false);
    expect(isBareTcp(hexBytes('00000002 00000003 0311fce9'), 0)).toBe(false);
  });
});
