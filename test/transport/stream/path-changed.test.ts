import { describe, expect, it } from 'vitest';
import { ETHERNET, Pipe } from '../pipe';
import { THOUSAND, WirePeer } from '../wire-peer';

describe('another path (§4.4)', () => {
  it('sends what was under way again at once, and blames no loss on the old path', () => {
    const peer = new WirePeer();
    peer.write(5000);
    peer.take();
    peer.advance(5000);
    peer.take();
    peer.do((transport, now) => transport.pathChanged(peer.flow, THOUSAND, now));
    expect(peer.take().map(({ seq }) => seq)).toEqual([0, 1000, 2000, 3000, 4000]);
    expect(peer.subflow.control.slowStartThreshold).toBe(Number.POSITIVE_INFINITY);
    expect(peer.subflow.control.window).toBe(10_000);
    expect(peer.subflow.backoff).toBe(0);
  });

  it('takes no round trip from what left on the old path', () => {
    const peer = new WirePeer();
    peer.write(2000);
    peer.advance(900);
    peer.do((transport, now) => transport.pathChanged(peer.flow, THOUSAND, now));
    peer.advance(10);
    peer.ack(2000);
    expect(peer.subflow.roundTripTime).toBeUndefined();
    peer.write(1000);
    peer.advance(30);
    peer.ack(3000);
    expect(peer.subflow.roundTripTime).toBe(30);
  });

  it('searches its packet size anew', () => {
    const peer = new WirePeer({ size: { base: 1020, maximum: 1420 }, negotiation: { peerMaximumSegment: 1400 } });
    peer.write(2000);
    peer.ack(1400);
    peer.ack(2000);
    expect(peer.subflow.segmentSize).toBe(1400);
    peer.do((transport, now) => transport.pathChanged(peer.flow, { base: 1020, maximum: 1320 }, now));
    expect(peer.subflow.segmentSize).toBe(1000);
    peer.take();
    peer.write(5000);
    expect(peer.take()[0]).toMatchObject({ isProbe: true, length: 1300 });
  });

  it('asks a closed window again at once', () => {
    const peer = new WirePeer({ negotiation: { peerWindow: 0 } });
    peer.write(100);
    peer.advance(4000);
    peer.take();
    peer.do((transport, now) => transport.pathChanged(peer.flow, THOUSAND, now));
    peer.advance(1);
    expect(peer.takeText()).toEqual(['-1+0 A 0']);
  });

  it.each([0, 50, 1000, 20_000])(
    'carries a transfer over a gap of %i ms, exact, and goes on within a round trip',
    (gap) => {
      const pipe = new Pipe({ seed: gap + 1, forth: { delay: 20, rate: 50, loss: 0.005 } });
      pipe.a.send(1_500_000, true);
      pipe.run(200);
      pipe.forth.drop = () => true;
      pipe.back.drop = () => true;
      pipe.run(gap);
      delete pipe.forth.drop;
      delete pipe.back.drop;
      const before = pipe.b.bytesRead;
      for (const end of [pipe.a, pipe.b]) end.do((transport, now) => transport.pathChanged(end.flow, ETHERNET, now));
      pipe.run(100);
      expect(pipe.b.bytesRead).toBeGreaterThan(before);
      expect(pipe.runUntil(() => pipe.a.transport.finAcknowledged, 60_000)).toBe(true);
      expect([pipe.b.bytesRead, pipe.b.bytesWrong]).toEqual([1_500_000, 0]);
    },
  );
});
