// What comes over the border is checked there: misuse throws, nothing crashes.

import { afterEach, describe, expect, it } from 'vitest';
import type { NativeSocketLink } from '../../lib/native/native-binding';
import { NetworkAddress } from '../../lib/wire/network-address';
import { RECEIVED_ROW_INTS } from '../../lib/wire/received-batch';
import { TRANSMIT_ROW_INTS, TransmitBatch, TransmitField } from '../../lib/wire/transmit-batch';
import { appendTrain, pattern } from '../link/rows';
import { describeWithAddon } from './addon';

const rows = new Int32Array(256 * RECEIVED_ROW_INTS);
const slab = Buffer.alloc(70_000);
const ignore = (): void => {};
const handler = {
  received: ignore,
  settled: ignore,
  writable: ignore,
  unreachable: ignore,
  packetTooBig: ignore,
  closed: ignore,
};

/** Calls with arguments of any type. */
type Loose = (...args: unknown[]) => unknown;

describeWithAddon('the border', (addon) => {
  const SocketLink = addon.SocketLink as unknown as new (...args: unknown[]) => NativeSocketLink;
  const links: NativeSocketLink[] = [];
  const open = (): NativeSocketLink => {
    const link = new SocketLink({}, rows, slab, handler);
    expect(link.open()).toBeUndefined();
    links.push(link);
    return link;
  };
  afterEach(() => {
    for (const link of links.splice(0)) link.close();
  });

  describe('new SocketLink', () => {
    it.each([
      ['no arguments', []],
      ['options that are none', [1, rows, slab, handler]],
      ['rows of another type', [{}, new Uint32Array(6144), slab, handler]],
      ['no rows', [{}, undefined, slab, handler]],
      ['a slab of another type', [{}, rows, new Uint16Array(70_000), handler]],
      ['too few rows', [{}, new Int32Array(24), slab, handler]],
      ['too small a slab', [{}, rows, Buffer.alloc(65_535), handler]],
      ['no handler', [{}, rows, slab, null]],
      ['a handler without functions', [{}, rows, slab, { ...handler, writable: 1 }]],
      ['a port out of range', [{ port: 65_536 }, rows, slab, handler]],
      ['a negative port', [{ port: -1 }, rows, slab, handler]],
      ['a port that is a text', [{ port: '80' }, rows, slab, handler]],
      ['a fraction', [{ sendBuffer: 0.5 }, rows, slab, handler]],
      ['NaN', [{ heldMaximum: Number.NaN }, rows, slab, handler]],
      ['a flag that is a number', [{ segmentation: 1 }, rows, slab, handler]],
      ['a protocol out of range', [{ rawProtocol: 256 }, rows, slab, handler]],
    ])('throws for %s', (_what, args) => {
      expect(() => new SocketLink(...args)).toThrow(TypeError);
    });

    it('passes on what a getter of the options throws', () => {
      const options = {
        get port(): number {
          throw new RangeError('mine');
        },
      };
      expect(() => new SocketLink(options, rows, slab, handler)).toThrow(RangeError);
    });

    it('is a class', () => {
      expect(() => (addon.SocketLink as unknown as Loose)({}, rows, slab, handler)).toThrow(TypeError);
      expect(() => SocketLink.prototype.open.call({} as NativeSocketLink)).toThrow(TypeError);
      const borrowed = Object.create(SocketLink.prototype) as NativeSocketLink;
      expect(() => borrowed.open()).toThrow(TypeError);
    });
  });

  it('opens a link once', () => {
    const link = open();
    expect(() => link.open()).toThrow('once');
    link.close();
    link.close();
    expect(() => link.open()).toThrow('once');
  });

  it('answers when it is closed', () => {
    const link = open();
    link.close();
    expect(link.port()).toBe(0);
    link.ref();
    link.unref();
    link.forgetSources();
    link.injectSendError(11, 1, false);
  });

  it.each([
    ['setSlab', [new Uint8Array(100)]],
    ['setSlab', ['slab']],
    ['advance', [-1]],
    ['advance', [70_000]],
    ['advance', [slab.length - 65_536 + 1]],
    ['advance', ['0']],
    ['injectSendError', [11]],
    ['injectSendError', ['EAGAIN', 1]],
  ] as const)('%s(%s) throws', (method, args) => {
    const link = open();
    expect(() => (link[method] as Loose)(...args)).toThrow(TypeError);
  });

  describe('transmit', () => {
    const to = NetworkAddress.parse('127.0.0.1', 9)!;
    const valid = (): TransmitBatch => {
      const batch = new TransmitBatch(4);
      appendTrain(batch, { to, flow: 1, pieces: [pattern(3000)], segmentSize: 1000 });
      return batch;
    };
    const argumentsOf = (batch: TransmitBatch): unknown[] => [
      batch.rows,
      batch.count,
      batch.headers,
      batch.pieces,
      batch.pieceSpans,
      batch.pieceCount,
    ];

    it('takes a valid batch', () => {
      const link = open();
      const batch = valid();
      expect((link.transmit as unknown as Loose).apply(link, argumentsOf(batch))).toBe(true);
    });

    it.each([
      ['rows', 0, [undefined, new Uint8Array(100), []]],
      ['a count', 1, [-1, 1.5, '1', 5, Number.POSITIVE_INFINITY, undefined]],
      ['headers', 2, [undefined, new Int8Array(100), 'headers']],
      [
        'pieces',
        3,
        [undefined, [], {}, [undefined], ['text'], [new Float64Array(3000)], [new DataView(new ArrayBuffer(9000))]],
      ],
      [
        'spans',
        4,
        [undefined, new Int32Array(1), Int32Array.of(-1, 3000), Int32Array.of(0, 3006), Int32Array.of(3005, 1)],
      ],
      ['spans that overflow', 4, [Int32Array.of(0x7fffffff, 0x7fffffff)]],
      ['a piece count', 5, [-1, 2, 0.5, 'one']],
    ])('throws for wrong %s', (_what, position, values) => {
      const link = open();
      for (const value of values) {
        const args = argumentsOf(valid());
        args[position] = value;
        expect(() => (link.transmit as unknown as Loose).apply(link, args), String(value)).toThrow(TypeError);
      }
      expect(link.statistics()['packetsSent']).toBe(0);
    });

    it.each([
      ['a family', TransmitField.destinationFamilyPort, [0, 5 << 16, -1]],
      ['a source of the other family', TransmitField.sourceFamilyPort, [6 << 16, 1 << 16]],
      ['a header offset', TransmitField.headerOffset, [-1, new TransmitBatch(4).headers.length - 31, 0x7fffffff]],
      ['a header length', TransmitField.headerLength, [-1, 0, 31, 0x7fffffff]],
      ['a first piece', TransmitField.firstPiece, [-1, 1, 2, 0x7fffffff]],
      ['a number of pieces', TransmitField.pieceCount, [-1, 0, 2, 0x7fffffff]],
      ['a payload length', TransmitField.payloadLength, [-1, 0, 2999, 3001, 0x7fffffff]],
      ['a segment size', TransmitField.segmentSize, [-1, -0x80000000]],
    ])('throws for a row with %s out of range', (_what, field, values) => {
      const link = open();
      for (const value of values) {
        const batch = valid();
        batch.rows[field] = value;
        const call = (): unknown => (link.transmit as unknown as Loose).apply(link, argumentsOf(batch));
        expect(call, String(value)).toThrow(RangeError);
      }
      expect(link.statistics()['packetsSent']).toBe(0);
    });

    it('cuts to one byte, or not at all, if so asked', () => {
      for (const segmentSize of [0, 1, 0x7fffffff]) {
        const batch = valid();
        batch.rows[TransmitField.segmentSize] = segmentSize;
        const packets = (addon.cutTrains as unknown as Loose)(...argumentsOf(batch), false);
        expect(packets).toHaveLength(segmentSize === 1 ? 3000 : 1);
      }
    });

    it('survives random rows', () => {
      const batch = valid();
      let state = 1;
      const random = (): number => {
        state = (Math.imul(state, 1103515245) + 12345) | 0;
        return state;
      };
      for (let round = 0; round < 20_000; round++) {
        const copy = batch.rows.slice(0, TRANSMIT_ROW_INTS);
        for (let change = 0; change < 3; change++) {
          const field = (random() >>> 8) % TRANSMIT_ROW_INTS;
          copy[field] = (random() & 3) === 0 ? random() : (random() >>> 16) % 4000;
        }
        const args = [copy, 1, batch.headers, batch.pieces, batch.pieceSpans, batch.pieceCount, random() > 0];
        try {
          (addon.cutTrains as unknown as Loose)(...args);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    });
  });

  it.each([
    ['internetChecksum', ['text', 0]],
    ['internetChecksum', [Buffer.alloc(4), 5]],
    ['sealTransportChecksum', [Buffer.alloc(4), Int32Array.of(1), Int32Array.of(2)]],
    ['sealTransportChecksum', [Buffer.alloc(4), new Int32Array(5), new Int32Array(5)]],
    ['joinTrains', [1, new Int32Array(11), rows, slab, false]],
    ['joinTrains', [[1], new Int32Array(11), rows, slab, false]],
    ['joinTrains', [[Buffer.alloc(40)], new Int32Array(10), rows, slab, false]],
    ['joinTrains', [[Buffer.alloc(40)], new Int32Array(11), new Int32Array(0), slab, false]],
    ['joinTrains', [[Buffer.alloc(40)], new Int32Array(11), rows, Buffer.alloc(39), false]],
    ['pathMtu', []],
    ['pathMtu', [new Int32Array(5)]],
    ['InterfaceMonitor', [1]],
  ] as const)('%s refuses wrong arguments (%#)', (name, args) => {
    const called = (addon as unknown as Record<string, Loose>)[name]!;
    expect(() => (name === 'InterfaceMonitor' ? Reflect.construct(called, args) : called(...args))).toThrow(TypeError);
  });
});
