import { describe, expect, it } from 'vitest';
import { RECEIVE_BUFFER_DEFAULT, RECEIVE_BUFFER_MAXIMUM, USER_TIMEOUT_DEFAULT } from '../../../lib/limits';
import { TransportSignal } from '../../../lib/transport/transport';
import { ms, WirePeer } from '../wire-peer';

const NARROW = { negotiation: { localWindow: 10_000 }, stream: { receiveBuffer: 10_000 } };

describe("the peer's window", () => {
  it('is never overrun', () => {
    const peer = new WirePeer({ negotiation: { peerWindow: 3500 } });
    peer.write(10_000);
    expect(peer.takeText()).toEqual(['0+1000 A 0', '1000+1000 A 0', '2000+1000 A 0']);
    peer.ack(3000, [], 2000);
    expect(peer.takeText()).toEqual(['3000+1000 A 0', '4000+1000 A 0']);
  });

  it('is scaled by what the peer announced', () => {
    const peer = new WirePeer({ negotiation: { peerWindowShift: 3, peerWindow: 0 } });
    peer.write(9000);
    expect(peer.take()).toEqual([]);
    peer.ack(0, [], 500);
    expect(peer.take()).toHaveLength(4);
  });

  it('is taken from the newest segment only (SND.WL1, SND.WL2)', () => {
    const peer = new WirePeer({ negotiation: { peerWindow: 2000 } });
    peer.write(10_000);
    peer.ack(2000, [], 1000);
    peer.take();
    peer.inject({ ack: 1000, window: 60_000 });
    expect(peer.take()).toEqual([]);
  });

  it('is probed when it is closed, ever more rarely, and never given up while the peer answers', () => {
    const peer = new WirePeer({ negotiation: { peerWindow: 0 } });
    peer.write(500);
    expect(peer.take()).toEqual([]);
    const times: number[] = [];
    for (let turn = 0; turn < 400 && times.length < 12; turn++) {
      peer.advance(1000);
      for (const probe of peer.take()) {
        expect(probe).toMatchObject({ seq: -1, length: 0 });
        times.push(probe.at - 10_000);
        peer.ack(0, [], 0);
      }
    }
    const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
    expect(gaps).toEqual(
      [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000].slice(0, gaps.length),
    );
    expect(peer.now - 10_000).toBeGreaterThan(USER_TIMEOUT_DEFAULT);
    expect(peer.has(TransportSignal.timedOut)).toBe(false);
    peer.ack(0, [], 1000);
    expect(peer.takeText()).toEqual(['0+500 PA 0']);
  });

  it('closed by a peer that does not answer ends at the user timeout', () => {
    const peer = new WirePeer({ negotiation: { peerWindow: 0 } });
    peer.do((transport) => transport.setUserTimeout(ms(5000)));
    peer.write(500);
    peer.advance(4999);
    expect(peer.has(TransportSignal.timedOut)).toBe(false);
    peer.advance(1);
    peer.poll();
    expect(peer.has(TransportSignal.timedOut)).toBe(true);
  });

  it('may shrink: nothing is sent beyond it, and what is out is still retransmitted', () => {
    const peer = new WirePeer();
    peer.write(5000);
    peer.take();
    peer.ack(1000, [], 0);
    peer.write(1000);
    expect(peer.take()).toEqual([]);
    peer.advance(3000);
    expect(peer.take().every(({ seq }) => seq >= 1000 && seq < 5000)).toBe(true);
    peer.ack(5000, [], 5000);
    expect(peer.takeText()).toEqual(['5000+1000 PA 0']);
  });

  it('too small for a segment is not used at once, but at the persist timeout (silly window)', () => {
    const peer = new WirePeer({ negotiation: { peerWindow: 3000 } });
    peer.write(10_000);
    peer.ack(3000, [], 200);
    expect(peer.take()).toHaveLength(3);
    peer.advance(199);
    expect(peer.take()).toEqual([]);
    peer.advance(50);
    expect(peer.takeText()).toEqual(['3000+200 A 0']);
  });
});

describe('our window', () => {
  it('says what is free, and closes while nobody reads', () => {
    const peer = new WirePeer(NARROW);
    peer.inject({ data: 4000, segments: 4 });
    expect(peer.take()).toMatchObject([{ ack: 4000, window: 6000 }]);
    peer.inject({ data: 6000, segments: 6 });
    expect(peer.take()).toMatchObject([{ ack: 10_000, window: 0 }]);
    peer.inject({ seq: 10_000, data: 1 });
    expect(peer.take()).toMatchObject([{ ack: 10_000, window: 0 }]);
    expect(peer.transport.readableBytes).toBe(10_000);
  });

  it('answers a zero-window probe', () => {
    const peer = new WirePeer(NARROW);
    peer.inject({ data: 10_000, segments: 10 });
    peer.take();
    peer.inject({ seq: 9999 });
    expect(peer.take()).toMatchObject([{ ack: 10_000, window: 0 }]);
  });

  it('is announced when reading has opened it', () => {
    const peer = new WirePeer(NARROW);
    peer.inject({ data: 10_000, segments: 10 });
    peer.take();
    expect(peer.readAll().length).toBe(10_000);
    expect(peer.take()).toMatchObject([{ ack: 10_000, window: 10_000 }]);
  });

  it('does not open in small steps (silly window)', () => {
    const peer = new WirePeer(NARROW);
    for (let count = 0; count < 10; count++) peer.inject({ data: 1000 });
    peer.take();
    // Chunks of 1,000 were gathered: read until the first one is out.
    peer.do((transport, now) => transport.read(now));
    for (const { window } of peer.take()) expect(window).toBeGreaterThanOrEqual(1000);
  });

  it('never moves its right edge back', () => {
    const peer = new WirePeer(NARROW);
    let edge = 10_000;
    for (let count = 0; count < 30; count++) {
      peer.inject({ data: 700 });
      if (count % 4 === 3) peer.readAll();
      for (const { ack, window } of peer.take()) {
        expect(ack + window).toBeGreaterThanOrEqual(edge);
        edge = ack + window;
      }
    }
    expect(edge).toBeGreaterThan(20_000);
  });

  it('grows with what a peer fills and the application reads in a round trip', () => {
    const peer = new WirePeer({
      stream: { receiveBuffer: undefined },
      negotiation: { localWindowShift: 7, localWindow: 65_535 },
    });
    let edge = 65_535;
    for (let round = 0; round < 12; round++) {
      while (peer.next < edge) peer.inject({ data: Math.min(60_000, edge - peer.next), segments: 40 });
      peer.advance(20);
      peer.readAll();
      const last = peer.take().at(-1)!;
      edge = last.ack + last.window * 128;
    }
    expect(edge - peer.next).toBeGreaterThan(2 * RECEIVE_BUFFER_DEFAULT);
    expect(edge - peer.next).toBeLessThanOrEqual(RECEIVE_BUFFER_MAXIMUM);
  });

  it('stays as the application asked', () => {
    const peer = new WirePeer(NARROW);
    for (let round = 0; round < 20; round++) {
      peer.inject({ data: 10_000, segments: 10 });
      peer.readAll();
      for (const { window } of peer.take()) expect(window).toBeLessThanOrEqual(10_000);
    }
  });
});

describe('small segments (Nagle)', () => {
  it('one may be out, the next waits for its acknowledgment', () => {
    const peer = new WirePeer();
    peer.write('a');
    peer.write('b');
    peer.write('c');
    expect(peer.takeText()).toEqual(['0+1 PA 0']);
    peer.ack(1);
    expect(peer.takeText()).toEqual(['1+2 PA 0']);
  });

  it('a full segment does not wait, nor the small one behind it (Minshall)', () => {
    const peer = new WirePeer();
    peer.write(2500);
    expect(peer.takeText()).toEqual(['0+1000 A 0', '1000+1000 A 0', '2000+500 PA 0']);
    peer.write(2500);
    expect(peer.takeText()).toEqual(['2500+1000 A 0', '3500+1000 A 0']);
  });

  it('go at once with noDelay', () => {
    const peer = new WirePeer();
    peer.do((transport) => transport.setNoDelay(true));
    peer.write('a');
    peer.write('b');
    expect(peer.takeText()).toEqual(['0+1 PA 0', '1+1 PA 0']);
  });

  it('go at once when noDelay is set while they wait', () => {
    const peer = new WirePeer();
    peer.write('a');
    peer.write('b');
    peer.do((transport) => transport.setNoDelay(true));
    expect(peer.takeText()).toEqual(['0+1 PA 0', '1+1 PA 0']);
  });

  it('go at once when the stream ends with them', () => {
    const peer = new WirePeer();
    peer.write('a');
    peer.write('b');
    peer.shutdown();
    expect(peer.takeText()).toEqual(['0+1 PA 0', '1+1 FPA 0']);
  });
});

describe('the send buffer', () => {
  it('takes what it has room for, and says when it has room again', () => {
    const peer = new WirePeer({ stream: { sendBuffer: 8000 } });
    expect(peer.write(10_000)).toBe(8000);
    expect(peer.write(1)).toBe(0);
    expect(peer.has(TransportSignal.writable)).toBe(false);
    peer.ack(1000);
    expect(peer.has(TransportSignal.writable)).toBe(false);
    peer.ack(4000);
    expect(peer.has(TransportSignal.writable)).toBe(true);
    expect(peer.write(10_000)).toBe(4000);
    expect(peer.transport.bufferedBytes).toBe(8000);
  });

  it('copies: the caller may change its bytes at once', () => {
    const peer = new WirePeer();
    const bytes = Buffer.from('first');
    peer.do((transport, now) => {
      transport.write(bytes, 0, now);
      bytes.fill('x');
    });
    expect(peer.take()[0]!.payload.toString()).toBe('first');
  });
});
