import { describe, expect, it } from 'vitest';
import { ACKNOWLEDGMENT_DELAY } from '../../../lib/limits';
import { TransportSignal } from '../../../lib/transport/transport';
import { WirePeer } from '../wire-peer';

describe('acknowledgments', () => {
  it('delays that of a single segment, RFC 9293 3.8.6.3', () => {
    const peer = new WirePeer();
    peer.inject({ data: 1000 });
    expect(peer.takeText()).toEqual([]);
    peer.advance(ACKNOWLEDGMENT_DELAY - 1);
    expect(peer.takeText()).toEqual([]);
    peer.advance(1);
    expect(peer.takeText()).toEqual(['0+0 A 1000']);
  });

  it('acknowledges every second full segment at once, MUST-58', () => {
    const peer = new WirePeer();
    peer.inject({ data: 1000 });
    peer.inject({ data: 1000 });
    expect(peer.takeText()).toEqual(['0+0 A 2000']);
    peer.inject({ data: 1000 });
    expect(peer.takeText()).toEqual([]);
    peer.inject({ data: 1000 });
    expect(peer.takeText()).toEqual(['0+0 A 4000']);
  });

  it('acknowledges a train once, at the end of the turn', () => {
    const peer = new WirePeer();
    peer.injectAll([
      { data: 20_000, segments: 20 },
      { data: 5000, segments: 5 },
    ]);
    expect(peer.takeText()).toEqual(['0+0 A 25000']);
    peer.advance(1000);
    expect(peer.takeText()).toEqual([]);
  });

  it('lets data carry the acknowledgment', () => {
    const peer = new WirePeer();
    peer.inject({ data: 10 });
    peer.write('answer');
    expect(peer.takeText()).toEqual(['0+6 PA 10']);
    peer.ack(6);
    peer.advance(1000);
    expect(peer.takeText()).toEqual([]);
  });

  it('reports a gap at once, with SACK, newest block first', () => {
    const peer = new WirePeer();
    peer.inject({ seq: 1000, data: 1000 });
    expect(peer.take()).toMatchObject([{ ack: 0, length: 0, sack: [[1000, 2000]] }]);
    peer.inject({ seq: 5000, data: 1000 });
    expect(peer.take()).toMatchObject([
      {
        ack: 0,
        sack: [
          [5000, 6000],
          [1000, 2000],
        ],
      },
    ]);
    peer.inject({ seq: 3000, data: 1000 });
    expect(peer.take()).toMatchObject([
      {
        sack: [
          [3000, 4000],
          [5000, 6000],
          [1000, 2000],
        ],
      },
    ]);
    peer.inject({ seq: 2000, data: 1000 });
    expect(peer.take()).toMatchObject([
      {
        sack: [
          [1000, 4000],
          [5000, 6000],
        ],
      },
    ]);
  });

  it('acknowledges the filling of a gap at once', () => {
    const peer = new WirePeer();
    peer.inject({ seq: 1000, data: 1000 });
    peer.take();
    peer.inject({ seq: 0, data: 1000 });
    expect(peer.take()).toMatchObject([{ ack: 2000, sack: [] }]);
    expect(peer.readAll().length).toBe(2000);
  });

  it('never sends SACK to a peer that did not permit it', () => {
    const peer = new WirePeer({ negotiation: { selective: false } });
    peer.inject({ seq: 1000, data: 1000 });
    expect(peer.take()).toMatchObject([{ ack: 0, sack: [] }]);
  });

  it('keeps SACK off data segments: an acknowledgment goes first', () => {
    const peer = new WirePeer();
    peer.do((transport, now) => transport.write(Buffer.alloc(2000), 0, now));
    peer.take();
    peer.inject({ seq: 1000, data: 1000 });
    peer.do((transport, now) => transport.write(Buffer.alloc(2000), 0, now));
    const [first, ...data] = peer.take();
    expect(first).toMatchObject({ length: 0, sack: [[1000, 2000]] });
    expect(data.map(({ sack }) => sack)).toEqual([[], []]);
  });

  it('reports a duplicate once, as the first block (RFC 2883)', () => {
    const peer = new WirePeer();
    peer.inject({ data: 2000, segments: 2 });
    peer.take();
    peer.inject({ seq: 0, data: 1000 });
    expect(peer.take()).toMatchObject([{ ack: 2000, sack: [[0, 1000]] }]);
    peer.inject({ seq: 4000, data: 1000 });
    expect(peer.take()).toMatchObject([{ ack: 2000, sack: [[4000, 5000]] }]);
    peer.inject({ seq: 4000, data: 1000 });
    expect(peer.take()).toMatchObject([
      {
        ack: 2000,
        sack: [
          [4000, 5000],
          [4000, 5000],
        ],
      },
    ]);
  });

  it('delivers in order whatever the overlaps', () => {
    const peer = new WirePeer();
    const text = Buffer.from('abcdefghijklmnopqrstuvwxyz');
    const part = (from: number, to: number): { seq: number; data: Buffer } => ({
      seq: from,
      data: text.subarray(from, to),
    });
    peer.injectAll([part(10, 14), part(5, 12), part(20, 26), part(12, 22), part(3, 6), part(0, 4)]);
    expect(peer.readAll().toString()).toBe('abcdefghijklmnopqrstuvwxyz');
    expect(peer.has(TransportSignal.readable)).toBe(true);
  });
});
