import { describe, expect, it } from 'vitest';
import { COPIED_BYTES_MAXIMUM } from '../../lib/limits';
import { NetworkAddress } from '../../lib/wire/network-address';
import { COPY_OUT_BYTES, RECEIVED_ROW_INTS, ReceivedBatch, ReceivedField } from '../../lib/wire/received-batch';
import { TRANSMIT_ROW_INTS, TransmitBatch, TransmitField, TransmitFlag } from '../../lib/wire/transmit-batch';

const ipv4 = NetworkAddress.parse('192.0.2.1', 54325)!;
const ipv6 = NetworkAddress.parse('2001:db8::ffff:9', 65535)!;

describe('TransmitBatch', () => {
  it('gathers rows of header and pieces', () => {
    const batch = new TransmitBatch(2);
    expect(batch.isEmpty).toBe(true);
    batch.begin(ipv6, ipv4);
    batch.headers.fill(1, batch.headerEnd, batch.headerEnd + 32);
    batch.headerEnd += 32;
    batch.appendPiece(new Uint8Array(100), 10, 20);
    batch.appendPiece(new Uint8Array(100), 0, 30);
    batch.finish(25, TransmitFlag.train);
    batch.begin(ipv4, undefined);
    batch.headerEnd += 12;
    batch.finish(0, 0);
    const fields = (row: number): number[] => Object.values(TransmitField).map((field) => batch.field(row, field));
    const words = (address: NetworkAddress): number => (address.family << 16) | address.port;
    expect(fields(0)).toEqual([words(ipv6), ipv6.word0, words(ipv4), ipv4.word0, 0, 32, 0, 2, 50, 25, 1]);
    expect(fields(1)).toEqual([words(ipv4), ipv4.word0, 0, 0, 32, 12, 2, 0, 0, 0, 0]);
    expect([...batch.pieceSpans.subarray(0, 4)]).toEqual([10, 20, 0, 30]);
    expect(batch.payloadBytes).toBe(50);
    expect(batch.hasRoom()).toBe(false);
  });

  it('is as new after a reset', () => {
    const batch = new TransmitBatch(4);
    batch.begin(ipv4, ipv4);
    batch.headerEnd += 12;
    batch.appendPiece(new Uint8Array(1), 0, 1);
    batch.finish(0, 0);
    batch.reset();
    expect(batch.isEmpty).toBe(true);
    expect([batch.headerEnd, batch.pieceCount, batch.pieces.length, batch.payloadBytes]).toEqual([0, 0, 0, 0]);
    batch.begin(ipv4, undefined);
    batch.finish(0, 0);
    expect(batch.field(0, TransmitField.sourceFamilyPort)).toBe(0);
  });

  it('carries payload by copy as part of the header', () => {
    const batch = new TransmitBatch(2);
    const message = Uint8Array.of(1, 2, 3);
    batch.begin(ipv4, undefined);
    batch.headerEnd += 12;
    batch.appendCopy(message);
    batch.finish(0, 0);
    message.fill(9);
    expect(batch.payloadBytes).toBe(3);
    expect([batch.field(0, TransmitField.headerLength), batch.field(0, TransmitField.payloadLength)]).toEqual([15, 0]);
    expect([...batch.headers.subarray(12, 15)]).toEqual([1, 2, 3]);
  });

  it('takes so much by copy and no more, and has room for headers all the same', () => {
    const batch = new TransmitBatch(100);
    const message = new Uint8Array(8192);
    let rows = 0;
    for (; batch.hasRoom(message.length); rows++) {
      batch.begin(ipv4, undefined);
      batch.headerEnd += 12;
      batch.appendCopy(message);
      batch.finish(0, 0);
    }
    expect(rows).toBe(COPIED_BYTES_MAXIMUM / message.length);
    expect(batch.hasRoom(1)).toBe(false);
    for (; batch.hasRoom(); rows++) {
      batch.begin(ipv4, undefined);
      batch.headerEnd += 100;
      batch.finish(0, 0);
    }
    expect(rows).toBe(100);
    batch.reset();
    expect(batch.hasRoom(COPIED_BYTES_MAXIMUM)).toBe(true);
  });

  it('has rows as wide as its last field', () => {
    expect(TRANSMIT_ROW_INTS).toBeGreaterThan(Math.max(...Object.values(TransmitField)));
  });
});

describe('ReceivedBatch', () => {
  function batchFrom(address: NetworkAddress): ReceivedBatch {
    const batch = new ReceivedBatch(2, Buffer.alloc(10_000, 7));
    const words = [(address.family << 16) | address.port, address.word0, address.word1, address.word2, address.word3];
    batch.rows.set(words, RECEIVED_ROW_INTS + ReceivedField.sourceFamilyPort);
    batch.rows.set(words, RECEIVED_ROW_INTS + ReceivedField.localFamilyPort);
    return batch;
  }

  it.each([ipv4, ipv6])('gives addresses back: %s', (address) => {
    const batch = batchFrom(address);
    expect(batch.source(1).equals(address)).toBe(true);
    expect(batch.local(1).equals(address)).toBe(true);
    expect(batch.isFrom(1, address)).toBe(true);
    expect(batch.isFrom(1, address.withPort(1))).toBe(false);
    expect(batch.isFrom(1, address === ipv4 ? ipv6 : ipv4)).toBe(false);
    expect(batch.isFrom(0, address)).toBe(false);
  });

  it('gives the same object for the same address, however many others there are in between', () => {
    const batch = batchFrom(ipv4);
    expect(batch.source(1)).toBe(batch.local(1));
    for (let last = 0; last < 10_000; last++) {
      const address = NetworkAddress.fromWords(last % 2 === 0 ? 4 : 6, last, 0x0a000000 + (last >> 3), 0, 0, last & 3);
      expect(batchFrom(address).source(1).equals(address)).toBe(true);
    }
    expect(batch.source(1).equals(ipv4)).toBe(true);
  });

  it('gives flowIDs unsigned', () => {
    const batch = batchFrom(ipv4);
    batch.rows[ReceivedField.destinationFlowID] = 0xfffffffe;
    expect(batch.destinationFlowID(0)).toBe(0xfffffffe);
  });

  it('copies small payloads out and gives large ones away', () => {
    const batch = batchFrom(ipv4);
    const small = batch.take(0, COPY_OUT_BYTES);
    expect(batch.retainedEnd).toBe(0);
    const large = batch.take(100, COPY_OUT_BYTES + 1);
    expect(batch.retainedEnd).toBe(100 + COPY_OUT_BYTES + 1);
    batch.take(0, COPY_OUT_BYTES + 1);
    expect(batch.retainedEnd).toBe(100 + COPY_OUT_BYTES + 1);
    batch.slab.fill(9);
    expect(small[0]).toBe(7);
    expect(large[0]).toBe(9);
    batch.reset();
    expect(batch.retainedEnd).toBe(0);
  });
});
