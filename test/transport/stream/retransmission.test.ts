import { describe, expect, it } from 'vitest';
import { USER_TIMEOUT_DEFAULT } from '../../../lib/limits';
import { TransportSignal } from '../../../lib/transport/transport';
import { ms, WirePeer } from '../wire-peer';

const PLAIN = { negotiation: { selective: false } };

/** A peer that has measured a round trip of 100 ms, with everything sent so far acknowledged. */
function warm(options: ConstructorParameters<typeof WirePeer>[0] = {}): WirePeer {
  const peer = new WirePeer(options);
  for (let round = 0; round < 8; round++) {
    peer.write(1000);
    peer.advance(100);
    peer.ack(peer.acknowledged + 1000);
  }
  peer.take();
  return peer;
}

const times = (peer: WirePeer): number[] => peer.take().map(({ at }) => at - 10_000);

describe('the retransmission timeout (RFC 6298)', () => {
  it('is a second before the first sample, and doubles up to a minute', () => {
    const peer = new WirePeer(PLAIN);
    peer.write(500);
    peer.advance(USER_TIMEOUT_DEFAULT - 1);
    expect(times(peer)).toEqual([0, 1000, 3000, 7000, 15_000, 31_000, 63_000]);
  });

  it('ends the connection after the user timeout, R2 (MUST-20, MUST-23)', () => {
    const peer = new WirePeer(PLAIN);
    peer.write(500);
    peer.advance(USER_TIMEOUT_DEFAULT);
    expect(peer.has(TransportSignal.timedOut)).toBe(true);
    expect(peer.write(1)).toBe(0);
  });

  it('ends the connection after the user timeout that was set', () => {
    const peer = new WirePeer(PLAIN);
    peer.do((transport) => transport.setUserTimeout(ms(1500)));
    peer.write(500);
    peer.advance(1499);
    expect(peer.has(TransportSignal.timedOut)).toBe(false);
    peer.advance(1);
    peer.poll();
    expect(peer.has(TransportSignal.timedOut)).toBe(true);
  });

  it('counts the user timeout from the last progress', () => {
    const peer = new WirePeer();
    peer.do((transport) => transport.setUserTimeout(ms(1500)));
    peer.write(3000);
    for (const to of [1000, 2000]) {
      peer.advance(1400);
      peer.ack(to);
    }
    peer.advance(1400);
    expect(peer.has(TransportSignal.timedOut)).toBe(false);
  });

  it('is the smoothed round trip and 200 ms at least', () => {
    const peer = warm(PLAIN);
    const start = peer.now - 10_000;
    peer.write(1000);
    peer.advance(450);
    const [sent, again] = times(peer);
    expect(sent).toBe(start);
    expect(again! - start).toBeGreaterThanOrEqual(300);
    expect(again! - start).toBeLessThan(330);
  });

  it('takes no sample from what was sent twice (Karn)', () => {
    const peer = new WirePeer(PLAIN);
    peer.write(500);
    peer.advance(1500);
    peer.ack(500);
    expect(peer.subflow.roundTripTime).toBeUndefined();
    peer.write(500);
    peer.advance(80);
    peer.ack(1000);
    expect(peer.subflow.roundTripTime).toBe(80);
  });

  it('starts again when an acknowledgment brings progress', () => {
    const peer = new WirePeer(PLAIN);
    peer.write(2000);
    peer.advance(900);
    peer.ack(1000);
    peer.take();
    peer.advance(900);
    expect(peer.take()).toEqual([]);
  });

  it('sends one segment, then grows anew (loss window)', () => {
    const peer = warm(PLAIN);
    const base = peer.acknowledged;
    peer.write(10_000);
    expect(peer.take()).toHaveLength(10);
    peer.advance(350);
    expect(peer.takeText()).toEqual([`${base}+1000 A 0`]);
    peer.ack(base + 1000);
    expect(peer.take().map(({ seq }) => seq - base)).toEqual([1000, 2000]);
    expect(peer.subflow.control.window).toBe(2000);
  });

  it('that was too early is undone when the first transmission is acknowledged', () => {
    const peer = warm();
    const before = peer.subflow.control.window;
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.advance(100);
    peer.ack(base + 1000);
    while (peer.transport.statistics.timeouts === 0) peer.advance(5);
    // The answer to the first transmissions: no retransmission can have been answered by now.
    peer.ack(base + 10_000);
    expect(peer.transport.statistics.undone).toBe(1);
    expect(peer.subflow.control.window).toBeGreaterThanOrEqual(before);
  });
});

describe('fast retransmission with SACK', () => {
  it('sends what is missing when three segments behind it arrived', () => {
    const peer = warm();
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.take();
    peer.advance(100);
    peer.ack(base, [[base + 1000, base + 2000]]);
    expect(peer.take()).toEqual([]);
    peer.ack(base, [[base + 1000, base + 3000]]);
    expect(peer.take()).toEqual([]);
    peer.ack(base, [[base + 1000, base + 4000]]);
    expect(peer.takeText()).toEqual([`${base}+1000 A 0`]);
    expect(peer.subflow.recovery.state).toBe('recovery');
  });

  it('sends every gap, once', () => {
    const peer = warm();
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.take();
    peer.advance(100);
    peer.ack(base + 1000, [
      [base + 8000, base + 10_000],
      [base + 5000, base + 7000],
      [base + 2000, base + 4000],
    ]);
    const gaps = peer.take().map(({ seq, length }) => [seq - base, length]);
    peer.ack(base + 1000, [[base + 2000, base + 4000]]);
    gaps.push(...peer.take().map(({ seq, length }) => [seq - base, length]));
    expect(gaps.sort((a, b) => a[0]! - b[0]!)).toEqual([
      [1000, 1000],
      [4000, 1000],
      [7000, 1000],
    ]);
  });

  it('reduces by 0.7 once for all losses of a window (CUBIC)', () => {
    const peer = warm();
    const base = peer.acknowledged;
    const before = peer.subflow.control.window;
    peer.write(10_000);
    peer.advance(100);
    peer.ack(base, [[base + 3000, base + 6000]]);
    peer.ack(base + 1000, [[base + 3000, base + 8000]]);
    peer.advance(100);
    peer.ack(base + 10_000);
    expect(peer.subflow.recovery.state).toBe('open');
    expect(peer.subflow.control.window).toBeCloseTo(0.7 * Math.min(before, 10_000), -3);
  });

  it('sends a retransmission again when what was sent after it arrived', () => {
    const peer = warm();
    const base = peer.acknowledged;
    peer.write(20_000);
    peer.advance(100);
    peer.ack(base, [[base + 1000, base + 5000]]);
    expect(peer.take().filter(({ seq }) => seq === base)).toHaveLength(2);
    peer.advance(10);
    peer.ack(base, [[base + 1000, base + 10_000]]);
    const newest = Math.max(...peer.take().map(({ seq, length }) => seq + length));
    expect(newest).toBeGreaterThan(base + 10_000);
    peer.advance(110);
    peer.ack(base, [[base + 1000, newest]]);
    expect(peer.take().some(({ seq }) => seq === base)).toBe(true);
    expect(peer.transport.statistics.timeouts).toBe(0);
  });

  it('waits for reordering once it has seen some (RACK)', () => {
    const peer = warm();
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.advance(100);
    peer.ack(base, [[base + 1000, base + 2000]]);
    peer.ack(base + 2000);
    peer.take();
    peer.ack(base + 2000, [[base + 3000, base + 7000]]);
    expect(peer.take()).toEqual([]);
    peer.advance(24);
    expect(peer.take()).toEqual([]);
    peer.advance(2);
    expect(peer.take().map(({ seq }) => seq - base)).toContain(2000);
  });

  it('is undone when the peer says it had everything (DSACK)', () => {
    const peer = warm();
    const base = peer.acknowledged;
    const before = peer.subflow.control.window;
    peer.write(10_000);
    peer.advance(100);
    peer.ack(base, [[base + 1000, base + 5000]]);
    expect(peer.take().filter(({ seq }) => seq === base)).toHaveLength(2);
    peer.ack(base + 5000);
    peer.ack(base + 5000, [[base, base + 1000]]);
    expect(peer.transport.statistics.undone).toBe(1);
    expect(peer.subflow.congestionWindow).toBeGreaterThanOrEqual(before);
  });

  it('starts anew with a peer that forgets what it reported (RFC 2018 8)', () => {
    const peer = warm();
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.advance(100);
    peer.ack(base, [[base + 1000, base + 5000]]);
    peer.ack(base + 1000);
    peer.take();
    peer.advance(2000);
    const again = peer.take();
    expect(again.some(({ seq }) => seq === base + 1000)).toBe(true);
    for (let turn = 0; turn < 20; turn++) {
      peer.ack(Math.min(base + 10_000, peer.acknowledged + 1000));
      peer.advance(500);
    }
    expect(peer.transport.bufferedBytes).toBe(0);
  });

  it.each([
    ['backwards', [[5000, 3000]]],
    ['beyond what was sent', [[5000, 50_000]]],
    ['below what is acknowledged, and no duplicate', [[-70_000, -60_000]]],
  ])('takes no harm from blocks %s', (_, blocks) => {
    const peer = warm();
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.ack(
      base,
      blocks.map(([start, end]) => [base + start!, base + end!] as const),
    );
    expect(peer.subflow.scoreboard.selectedBytes).toBe(0);
    expect(peer.subflow.recovery.state).toBe('open');
    peer.ack(base + 10_000);
    expect(peer.transport.bufferedBytes).toBe(0);
  });
});

describe('recovery is paced by what arrives (PRR, RFC 6937)', () => {
  it.each([10, 30])('sends no more than was delivered when %i segments are lost', (lost) => {
    const peer = warm();
    peer.do((_, now) => {
      // A window of 60: grown as slow start grows it.
      const { control } = peer.subflow;
      const sample = { now, delivered: 60_000 - control.window, roundTrip: 100, smoothedRoundTrip: 100 };
      control.handleAcknowledgment({ ...sample, acknowledged: 1, next: 2, limited: true });
    });
    const base = peer.acknowledged;
    peer.write(60_000);
    expect(peer.take()).toHaveLength(60);
    peer.advance(100);
    let sent = 0;
    for (let arrived = lost + 1; arrived <= 60; arrived++) {
      peer.ack(base, [[base + lost * 1000, base + arrived * 1000]]);
      const burst = peer.take().length;
      expect(burst).toBeLessThanOrEqual(3);
      sent += burst;
    }
    expect(sent).toBeGreaterThanOrEqual(Math.min(lost, 10));
    expect(sent).toBeLessThanOrEqual(60 - lost + 1);
  });
});

describe('tail loss probe (RFC 8985 7)', () => {
  it('repeats the last segment when acknowledgments stop', () => {
    const peer = warm();
    const base = peer.acknowledged;
    peer.write(4000);
    peer.take();
    const start = peer.now;
    peer.advance(310);
    const [probe] = peer.take();
    expect(probe).toMatchObject({ seq: base + 3000, length: 1000 });
    expect(probe!.at - start).toBeCloseTo(200, -1);
    // Its SACK shows the gap, which is repaired without the timer.
    peer.ack(base, [[base + 3000, base + 4000]]);
    peer.advance(30);
    expect(peer.take().map(({ seq }) => seq - base)).toContain(0);
    expect(peer.transport.statistics.timeouts).toBe(0);
  });

  it('sends new data rather than old', () => {
    const peer = warm({ negotiation: { peerWindow: 60_000 } });
    const base = peer.acknowledged;
    const window = peer.subflow.control.window;
    peer.write(window + 5000);
    peer.take();
    peer.advance(260);
    expect(peer.take()[0]!.seq).toBeGreaterThanOrEqual(base + Math.floor(window / 1000) * 1000);
  });

  it('counts as a loss when it repaired one', () => {
    const peer = warm();
    const base = peer.acknowledged;
    const before = peer.subflow.control.window;
    peer.write(1000);
    peer.advance(290);
    peer.ack(base + 1000);
    peer.write(1000);
    peer.advance(100);
    peer.ack(base + 2000);
    expect(peer.subflow.control.window).toBeLessThan(before);
  });

  it('counts as nothing when the peer had the segment (DSACK)', () => {
    const peer = warm();
    const base = peer.acknowledged;
    const before = peer.subflow.control.window;
    peer.write(1000);
    peer.advance(290);
    peer.ack(base + 1000, [[base, base + 1000]]);
    peer.write(1000);
    peer.advance(100);
    peer.ack(base + 2000);
    expect(peer.subflow.control.window).toBeGreaterThanOrEqual(before);
  });
});

describe('a peer without SACK (NewReno, RFC 6582)', () => {
  it('has a segment sent again at the third duplicate', () => {
    const peer = warm(PLAIN);
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.take();
    peer.advance(100);
    for (let duplicate = 1; duplicate <= 2; duplicate++) peer.ack(base);
    expect(peer.take().filter(({ seq }) => seq === base)).toEqual([]);
    peer.ack(base);
    expect(peer.take().map(({ seq }) => seq - base)).toContain(0);
    expect(peer.subflow.recovery.state).toBe('recovery');
  });

  it('has the next gap sent by a partial acknowledgment', () => {
    const peer = warm(PLAIN);
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.advance(100);
    for (let duplicate = 0; duplicate < 3; duplicate++) peer.ack(base);
    peer.take();
    peer.ack(base + 4000);
    expect(peer.take().map(({ seq }) => seq - base)).toContain(4000);
    peer.ack(base + 10_000);
    expect(peer.subflow.recovery.state).toBe('open');
  });

  it('does not take a window update for a duplicate', () => {
    const peer = warm(PLAIN);
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.take();
    for (let update = 1; update <= 5; update++) peer.ack(base, [], 60_000 - update);
    expect(peer.take().filter(({ seq }) => seq === base)).toEqual([]);
  });

  it('does not take data for a duplicate', () => {
    const peer = warm(PLAIN);
    const base = peer.acknowledged;
    peer.write(10_000);
    peer.take();
    for (let count = 0; count < 5; count++) peer.inject({ ack: base, data: 100 });
    expect(peer.take().filter(({ seq, length }) => seq === base && length > 0)).toEqual([]);
  });
});
