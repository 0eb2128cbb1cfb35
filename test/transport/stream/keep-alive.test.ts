import { describe, expect, it } from 'vitest';
import { KEEP_ALIVE_INTERVAL, KEEP_ALIVE_PROBES } from '../../../lib/limits';
import { NEVER } from '../../../lib/time/instant';
import { TransportSignal } from '../../../lib/transport/transport';
import { TcpFlag } from '../../../lib/wire/tcp-header';
import { ms, WirePeer } from '../wire-peer';

function kept(delay: number): WirePeer {
  const peer = new WirePeer();
  peer.do((transport, now) => transport.setKeepAlive(true, ms(delay), now));
  return peer;
}

describe('keepalive (RFC 9293 3.8.4)', () => {
  it('is off by default', () => {
    expect(new WirePeer().transport.nextDeadline()).toBe(NEVER);
  });

  it('asks after the silence that was set, with an old sequence number and no data', () => {
    const peer = kept(5000);
    peer.advance(4999);
    expect(peer.take()).toEqual([]);
    peer.advance(1);
    expect(peer.takeText()).toEqual(['-1+0 A 0']);
  });

  it('is content with any answer', () => {
    const peer = kept(5000);
    for (let round = 0; round < 30; round++) {
      peer.advance(5000);
      expect(peer.take()).toHaveLength(1);
      peer.inject({});
    }
    expect(peer.has(TransportSignal.timedOut)).toBe(false);
  });

  it('starts anew with whatever the peer sends', () => {
    const peer = kept(5000);
    peer.advance(4000);
    peer.inject({ data: 2000, segments: 2 });
    peer.take();
    peer.advance(4999);
    expect(peer.take()).toEqual([]);
    peer.advance(1);
    expect(peer.take()).toHaveLength(1);
  });

  it('gives up after so many probes without an answer, and not before', () => {
    const peer = kept(100_000);
    peer.advance(100_000 + (KEEP_ALIVE_PROBES - 1) * KEEP_ALIVE_INTERVAL);
    expect(peer.take()).toHaveLength(KEEP_ALIVE_PROBES);
    expect(peer.has(TransportSignal.timedOut)).toBe(false);
    peer.advance(KEEP_ALIVE_INTERVAL);
    peer.poll();
    expect(peer.has(TransportSignal.timedOut)).toBe(true);
  });

  it('asks no more when both ends have said all', () => {
    for (const isOver of [false, true]) {
      const peer = kept(5000);
      peer.shutdown();
      peer.ack(1);
      if (isOver) peer.inject({ flags: TcpFlag.fin | TcpFlag.ack });
      peer.take();
      peer.advance(60_000);
      expect(peer.take().length > 0).toBe(!isOver);
    }
  });

  it('leaves the question to retransmission while data is out', () => {
    const peer = kept(300);
    peer.write(100);
    peer.take();
    peer.advance(3000);
    expect(peer.take().every(({ seq }) => seq === 0)).toBe(true);
  });

  it('waits two hours when no delay is given', () => {
    const peer = kept(0);
    peer.advance(7_199_999);
    expect(peer.take()).toEqual([]);
    peer.advance(1);
    expect(peer.take()).toHaveLength(1);
  });

  it('can be switched off', () => {
    const peer = kept(5000);
    peer.do((transport, now) => transport.setKeepAlive(false, ms(0), now));
    peer.advance(100_000);
    expect(peer.take()).toEqual([]);
  });
});

describe('release', () => {
  it('makes everything after it a no-op', () => {
    const peer = new WirePeer();
    peer.write(5000);
    peer.inject({ data: 100 });
    peer.transport.release();
    peer.take();
    expect(peer.write(10)).toBe(0);
    peer.inject({ data: 100 });
    peer.shutdown();
    peer.do((transport, now) => {
      transport.handleDeadline(now);
      transport.endOfStream(now);
      transport.release();
      expect(transport.read(now)).toBeUndefined();
    });
    expect(peer.take()).toEqual([]);
    expect(peer.transport.nextDeadline()).toBe(NEVER);
    expect(peer.transport.bufferedBytes).toBe(0);
  });
});
