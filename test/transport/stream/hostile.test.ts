import { describe, expect, it } from 'vitest';
import { CHALLENGE_ACKS_MAXIMUM, RECEIVE_BUFFER_MAXIMUM } from '../../../lib/limits';
import { SeededRandom } from '../../../lib/time/seeded-random';
import { TransportSignal } from '../../../lib/transport/transport';
import { type Injected, WirePeer } from '../wire-peer';

describe('a hostile peer', () => {
  it.each(Array.from({ length: 30 }, (_, index) => index + 1))(
    'never makes a stream throw or hold too much, seed %i',
    (seed) => {
      const random = SeededRandom.of(seed);
      const below = (bound: number): number => Math.floor(random.fraction() * bound);
      const near = (center: number, spread: number): number => center + below(2 * spread) - spread;
      const peer = new WirePeer({ stream: { receiveBuffer: 60_000 } });
      for (let step = 0; step < 400; step++) {
        const action = below(10);
        if (action < 6) {
          const segment: Injected = {
            seq: random.fraction() < 0.7 ? near(peer.next, 3000) : near(0, 2 ** 31),
            ack: random.fraction() < 0.8 ? near(peer.subflow.scoreboard.acknowledged, 5000) : near(0, 2 ** 31),
            window: below(65_536),
            data: random.fraction() < 0.7 ? below(3000) : 0,
            segments: 1 + below(5),
            flags: random.fraction() < 0.9 ? 16 : below(256) & ~4,
            sack: Array.from({ length: below(5) }, () => {
              const start = near(peer.subflow.scoreboard.acknowledged, 10_000);
              return [start, start + near(1000, 3000)] as const;
            }),
          };
          peer.inject(segment);
        } else if (action < 8) peer.write(below(5000));
        else if (action === 8) peer.advance(below(3000));
        else peer.do((transport, now) => transport.packetTooBig(peer.flow, below(3000), now));
        const { scoreboard } = peer.subflow;
        expect(scoreboard.inFlight).toBeGreaterThanOrEqual(0);
        expect(scoreboard.selectedBytes).toBeGreaterThanOrEqual(0);
        expect(scoreboard.acknowledged).toBeLessThanOrEqual(scoreboard.next);
        expect(peer.transport.readableBytes).toBeLessThanOrEqual(60_000);
        expect(peer.subflow.congestionWindow).toBeGreaterThan(0);
        if (peer.has(TransportSignal.timedOut)) return;
      }
    },
  );

  it('cannot fill memory with tiny segments', () => {
    const peer = new WirePeer({ stream: { receiveBuffer: undefined }, negotiation: { localWindowShift: 7 } });
    for (let count = 0; count < 5000; count++) peer.inject({ seq: 1 + count * 2, data: 1 });
    expect(peer.transport.statistics.droppedBytes).toBeGreaterThan(4000);
    expect(peer.transport.readableBytes).toBe(0);
  });

  it('cannot make a stream hold more than the bound by reading nothing', () => {
    const peer = new WirePeer({ stream: { receiveBuffer: undefined }, negotiation: { localWindowShift: 7 } });
    for (let count = 0; count < 200; count++)
      peer.inject({ data: 60_000, segments: 41, seq: peer.transport.readableBytes });
    expect(peer.transport.readableBytes).toBeLessThanOrEqual(RECEIVE_BUFFER_MAXIMUM);
  });

  it('gets few answers to nonsense without data', () => {
    const peer = new WirePeer();
    for (let count = 0; count < 1000; count++) peer.inject({ seq: -5000, ack: 1 << 20 });
    expect(peer.take().length).toBeLessThanOrEqual(CHALLENGE_ACKS_MAXIMUM);
  });

  it('cannot open the window by acknowledging what was never sent', () => {
    const peer = new WirePeer();
    peer.write(50_000);
    const before = peer.subflow.control.window;
    for (let count = 1; count < 100; count++) peer.inject({ ack: 50_000 + count });
    expect(peer.subflow.control.window).toBe(before);
  });

  it('cannot open the window by acknowledging a segment byte by byte', () => {
    const peer = new WirePeer();
    peer.write(50_000);
    const before = peer.subflow.control.window;
    for (let byte = 1; byte <= 1000; byte++) peer.ack(byte);
    expect(peer.subflow.control.window - before).toBeLessThanOrEqual(1000);
  });
});
