import { describe, expect, it } from 'vitest';
import { readInt32, readUint16, readUint32, writeUint16, writeUint32 } from '../../lib/wire/big-endian';
import { FLOW_ID_UNKNOWN, FlowNonce, flowID } from '../../lib/wire/flow-id';
import { advance, distance, isAtOrBefore, isBefore } from '../../lib/wire/serial-number';
import { createWireErrorCounters, isWireError, WIRE_ERRORS } from '../../lib/wire/wire-error';
import { bytesHex, hexBytes } from './bytes';

describe('serial numbers', () => {
  it('compare on the circle (RFC 1982)', () => {
    expect(isBefore(1, 2)).toBe(true);
    expect(isBefore(2, 1)).toBe(false);
    expect(isBefore(7, 7)).toBe(false);
    expect(isAtOrBefore(7, 7)).toBe(true);
    expect(isBefore(0xffffffff, 0)).toBe(true);
    expect(isBefore(0, 0xffffffff)).toBe(false);
    expect(isBefore(0, 0x7fffffff)).toBe(true);
    expect(isBefore(0x80000001, 0)).toBe(true);
    expect(isAtOrBefore(0xfffffff0, 0x10)).toBe(true);
  });

  it('advance over the end and back', () => {
    expect(advance(0xfffffffe, 3)).toBe(1);
    expect(advance(1, -3)).toBe(0xfffffffe);
    expect(distance(0xfffffffe, 1)).toBe(3);
    expect(distance(1, 0xfffffffe)).toBe(-3);
  });
});

describe('flowIDs and nonces', () => {
  it('are unsigned', () => {
    expect(flowID(-1)).toBe(0xffffffff);
    expect(FLOW_ID_UNKNOWN).toBe(0);
    expect(FlowNonce.of(-1, 0x1_0000_0001)).toEqual(FlowNonce.of(0xffffffff, 1));
    expect(FlowNonce.of(1, 0xabcdef).toString()).toBe('0000000100abcdef');
  });

  it('are equal in both halves or not at all', () => {
    const nonce = FlowNonce.of(0x80000000, 5);
    expect(nonce.equals(FlowNonce.of(0x80000000, 5))).toBe(true);
    expect(nonce.equals(FlowNonce.of(0, 5))).toBe(false);
    expect(nonce.equals(FlowNonce.of(0x80000000, 4))).toBe(false);
    expect(nonce.equals(FlowNonce.zero)).toBe(false);
  });
});

describe('network byte order', () => {
  it('is read and written', () => {
    const bytes = hexBytes('ff fedcba98 7654');
    expect(readUint32(bytes, 1)).toBe(0xfedcba98);
    expect(readInt32(bytes, 1)).toBe(0xfedcba98 | 0);
    expect(readUint16(bytes, 5)).toBe(0x7654);
    const copy = new Uint8Array(7).fill(0xff);
    writeUint32(copy, 1, 0xfedcba98 | 0);
    writeUint16(copy, 5, 0x97654);
    expect(bytesHex(copy)).toBe(bytesHex(bytes));
  });
});

describe('wire errors', () => {
  it('are names, each with a counter', () => {
    const counters = createWireErrorCounters();
    for (const name of WIRE_ERRORS) {
      expect(isWireError(name)).toBe(true);
      expect(counters[name]).toBe(0);
    }
    expect(isWireError({})).toBe(false);
    expect(isWireError(undefined)).toBe(false);
  });
});
