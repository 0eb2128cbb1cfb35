import { describe, expect, it } from 'vitest';
import { STREAM_REST_DELAY } from '../../../lib/limits';
import { NEVER } from '../../../lib/time/instant';
import { StreamTransport } from '../../../lib/transport/stream/stream-transport';
import { TransportSignal } from '../../../lib/transport/transport';
import { TcpFlag } from '../../../lib/wire/tcp-header';
import { Pipe } from '../pipe';
import { ms, THOUSAND, WirePeer } from '../wire-peer';

/** Both ends have sent and received 100 kB, a while ago. */
function rested(): Pipe {
  const pipe = new Pipe({ forth: { delay: 15 } });
  exchange(pipe);
  pipe.run(2 * STREAM_REST_DELAY);
  return pipe;
}

function exchange(pipe: Pipe): void {
  for (const end of [pipe.a, pipe.b]) {
    end.startReading();
    end.send(100_000);
  }
}

function isResting(pipe: Pipe): boolean {
  return pipe.a.transport.isResting && pipe.b.transport.isResting;
}

/** A peer that has answered 3,000 bytes with as many, and was silent then for `pause`. */
function answered(pause: number): WirePeer {
  const peer = new WirePeer();
  peer.write(3000);
  peer.advance(50);
  peer.inject({ ack: 3000, data: 3000, segments: 3 });
  peer.acknowledged = 3000;
  peer.readAll();
  peer.advance(pause);
  peer.take();
  return peer;
}

describe('a stream at rest', () => {
  it('is one that has carried nothing yet', () => {
    const pipe = new Pipe();
    pipe.run(1000);
    expect(isResting(pipe)).toBe(true);
    expect(pipe.a.transport.nextDeadline()).toBe(NEVER);
  });

  it('is one that has carried nothing for a while, and nothing wakes it', () => {
    const pipe = new Pipe({ forth: { delay: 15 } });
    exchange(pipe);
    pipe.run(STREAM_REST_DELAY / 2);
    expect(isResting(pipe)).toBe(false);
    pipe.run(STREAM_REST_DELAY);
    expect(isResting(pipe)).toBe(true);
    expect(pipe.a.transport.nextDeadline()).toBe(NEVER);
  });

  it('goes on where it was, as often as it rests', () => {
    const pipe = rested();
    for (let round = 2; round <= 4; round++) {
      exchange(pipe);
      pipe.run(2 * STREAM_REST_DELAY);
      expect(isResting(pipe)).toBe(true);
      for (const end of [pipe.a, pipe.b]) expect([end.bytesRead, end.bytesWrong]).toEqual([round * 100_000, 0]);
    }
  });

  it('keeps its counters', () => {
    const pipe = rested();
    const before = pipe.a.transport.statistics;
    expect(before).toMatchObject({ bytesReceived: 100_000, bytesAcknowledged: 100_000 });
    expect(before.segmentsSent).toBeGreaterThan(60);
    exchange(pipe);
    pipe.run(1000);
    expect(pipe.a.transport.statistics.segmentsSent).toBeGreaterThan(before.segmentsSent + 60);
  });

  it('keeps the round trip and the packet size; the window begins again, as after any silence', () => {
    const pipe = new Pipe({ forth: { delay: 15 } });
    exchange(pipe);
    pipe.run(1000);
    const { roundTripTime, segmentSize, congestionWindow } = pipe.a.subflow;
    pipe.run(2 * STREAM_REST_DELAY);
    expect(isResting(pipe)).toBe(true);
    expect(pipe.a.subflow.roundTripTime).toBe(roundTripTime);
    expect(pipe.a.subflow.segmentSize).toBe(segmentSize);
    expect(pipe.a.subflow.congestionWindow).toBeLessThan(congestionWindow);
  });

  it('answers what comes again, and what is out of the window', () => {
    const peer = answered(2 * STREAM_REST_DELAY);
    expect(peer.transport.isResting).toBe(true);
    peer.inject({ seq: 2000, data: 1000 });
    expect(peer.takeText()).toEqual(['3000+0 A 3000']);
    expect(peer.has(TransportSignal.readable)).toBe(true);
    expect(peer.readAll()).toHaveLength(0);
  });

  it('is reset by the very next sequence number only (RFC 5961 3.2)', () => {
    const peer = answered(2 * STREAM_REST_DELAY);
    peer.inject({ seq: 3001, flags: TcpFlag.rst });
    expect(peer.has(TransportSignal.reset)).toBe(false);
    peer.advance(2 * STREAM_REST_DELAY);
    peer.inject({ seq: 3000, flags: TcpFlag.rst });
    expect(peer.has(TransportSignal.reset)).toBe(true);
  });

  it('asks for a sign of life when it is time, and rests again', () => {
    const peer = answered(0);
    peer.do((transport, now) => transport.setKeepAlive(true, ms(60_000), now));
    peer.advance(59_999);
    expect(peer.transport.isResting).toBe(true);
    expect(peer.take()).toEqual([]);
    peer.advance(1);
    expect(peer.takeText()).toEqual(['2999+0 A 3000']);
    peer.inject({});
    peer.advance(2 * STREAM_REST_DELAY);
    expect(peer.transport.isResting).toBe(true);
    peer.advance(60_000);
    expect(peer.takeText()).toEqual(['2999+0 A 3000']);
  });

  it('counts the silence from what came last before it rested', () => {
    const peer = answered(0);
    peer.do((transport, now) => transport.setKeepAlive(true, ms(60_000), now));
    peer.advance(20_000);
    peer.inject({ data: 2000, segments: 2 });
    peer.readAll();
    peer.take();
    peer.advance(59_999);
    expect(peer.transport.isResting).toBe(true);
    expect(peer.take()).toEqual([]);
    peer.advance(1);
    expect(peer.take()).toHaveLength(1);
  });

  it('takes another path (§4.4)', () => {
    const peer = answered(2 * STREAM_REST_DELAY);
    peer.do((transport, now) => transport.pathChanged(peer.flow, THOUSAND, now));
    expect(peer.subflow.roundTripTime).toBeUndefined();
    peer.write(1000);
    expect(peer.takeText()).toEqual(['3000+1000 PA 3000']);
  });

  it('is none after its release', () => {
    const peer = answered(2 * STREAM_REST_DELAY);
    peer.transport.release();
    peer.inject({ data: 1000 });
    expect(peer.write(1000)).toBe(0);
    expect(peer.take()).toEqual([]);
    expect(peer.transport.nextDeadline()).toBe(NEVER);
  });
});

describe('a stream does not rest', () => {
  const LONG = 5 * STREAM_REST_DELAY;

  it('while bytes wait to be read', () => {
    const peer = answered(0);
    peer.inject({ data: 1000 });
    peer.advance(LONG);
    expect(peer.transport.isResting).toBe(false);
    expect(peer.readAll()).toHaveLength(1000);
    peer.advance(LONG);
    expect(peer.transport.isResting).toBe(true);
  });

  it('while bytes came behind a gap', () => {
    const peer = answered(0);
    peer.inject({ seq: 4000, data: 1000 });
    peer.advance(LONG);
    expect(peer.transport.isResting).toBe(false);
    peer.inject({ seq: 3000, data: 1000 });
    expect(peer.readAll()).toHaveLength(2000);
  });

  it('while bytes are not acknowledged', () => {
    const peer = answered(0);
    peer.write(1000);
    peer.advance(LONG);
    expect(peer.transport.isResting).toBe(false);
  });

  it('while the peer has no room for what waits', () => {
    const peer = answered(0);
    peer.inject({ window: 0 });
    peer.write(1000);
    for (let turn = 0; turn < 50; turn++) {
      peer.advance(1000);
      peer.inject({ window: 0 });
    }
    expect(peer.transport.isResting).toBe(false);
    peer.take();
    peer.ack(3000, [], 60_000);
    expect(peer.take().map((segment) => segment.length)).toEqual([1000]);
  });

  it('when one direction has ended', () => {
    const ours = answered(0);
    ours.shutdown();
    ours.ack(3001);
    ours.advance(LONG);
    expect(ours.transport.isResting).toBe(false);
    const theirs = answered(0);
    theirs.inject({ flags: TcpFlag.ack | TcpFlag.fin });
    theirs.advance(LONG);
    expect(theirs.transport.isResting).toBe(false);
    expect(theirs.transport.peerEnded).toBe(true);
  });
});

describe('before there is a flow', () => {
  it('nothing is taken; there is room when it is established, and the end follows', () => {
    const transport = new StreamTransport();
    const now = new WirePeer().instant;
    expect(transport.write(Buffer.alloc(10), 0, now)).toBe(0);
    expect(transport.takeSignals()).toBe(0);
    const { negotiation } = new WirePeer();
    transport.establish(negotiation, THOUSAND, now);
    expect(transport.takeSignals() & TransportSignal.writable).not.toBe(0);
    expect(transport.write(Buffer.alloc(10), 0, now)).toBe(10);
  });

  it('an end that was wanted earlier leaves with the flow', () => {
    const transport = new StreamTransport();
    const now = new WirePeer().instant;
    transport.shutdown(now);
    const { negotiation } = new WirePeer();
    transport.establish(negotiation, THOUSAND, now);
    expect(transport.isShutdown).toBe(true);
    expect(transport.takeSignals() & TransportSignal.transmit).not.toBe(0);
  });
});
