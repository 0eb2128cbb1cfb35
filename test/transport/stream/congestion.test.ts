import { describe, expect, it } from 'vitest';
import type { Instant } from '../../../lib/time/instant';
import type { CongestionControl } from '../../../lib/transport/stream/congestion/congestion-control';
import { Cubic } from '../../../lib/transport/stream/congestion/cubic';
import { HyStart } from '../../../lib/transport/stream/congestion/hystart';
import { NewReno } from '../../../lib/transport/stream/congestion/new-reno';
import { WirePeer } from '../wire-peer';

const at = (time: number): Instant => time as Instant;
const SEGMENT = 1000;

/** One round trip in which a whole window is acknowledged, in segments of two. */
class Rounds {
  now = 0;
  position = 0;

  constructor(
    readonly control: CongestionControl,
    private readonly roundTrip = 100,
  ) {}

  run(rounds: number, limited = true, roundTrip = this.roundTrip): void {
    for (let round = 0; round < rounds; round++) {
      const { window } = this.control;
      const next = this.position + window;
      for (let acknowledged = 0; acknowledged + 2 * SEGMENT <= window; acknowledged += 2 * SEGMENT) {
        this.control.handleAcknowledgment({
          now: at(this.now + (this.roundTrip * acknowledged) / window),
          delivered: 2 * SEGMENT,
          roundTrip,
          smoothedRoundTrip: roundTrip,
          acknowledged: this.position + acknowledged + 2 * SEGMENT,
          next: next + acknowledged,
          limited,
        });
      }
      this.position += window;
      this.now += this.roundTrip;
    }
  }

  lose(): void {
    this.control.handleLoss(this.control.window, at(this.now));
    this.control.handleRecoveryEnd(at(this.now));
  }
}

const both = [
  ['CUBIC', () => new Cubic(SEGMENT)],
  ['NewReno', () => new NewReno(SEGMENT)],
] as const;

describe.each(both)('%s', (_, make) => {
  it('starts with ten segments (RFC 6928)', () => {
    expect(make().window).toBe(10 * SEGMENT);
  });

  it('doubles in slow start', () => {
    const rounds = new Rounds(make());
    rounds.run(3);
    expect(rounds.control.window).toBeCloseTo(80 * SEGMENT, -4);
  });

  it('does not grow while something else is the limit (RFC 7661)', () => {
    const rounds = new Rounds(make());
    rounds.run(10, false);
    expect(rounds.control.window).toBe(10 * SEGMENT);
  });

  it('goes down to one segment at a timeout, and up again to the threshold', () => {
    const rounds = new Rounds(make());
    rounds.run(3);
    const before = rounds.control.window;
    rounds.control.handleTimeout(before, true, at(rounds.now));
    expect(rounds.control.window).toBe(SEGMENT);
    expect(rounds.control.slowStartThreshold).toBeLessThan(before);
    expect(rounds.control.slowStartThreshold).toBeGreaterThan(before / 3);
    rounds.control.undo(at(rounds.now));
    expect(rounds.control.window).toBe(before);
  });

  it('never goes below two segments at a loss', () => {
    const rounds = new Rounds(make());
    for (let loss = 0; loss < 30; loss++) rounds.lose();
    expect(rounds.control.window).toBeGreaterThanOrEqual(2 * SEGMENT);
  });

  it('starts anew after silence, and on another path', () => {
    const rounds = new Rounds(make());
    rounds.run(3);
    rounds.control.handleIdle(at(rounds.now));
    expect(rounds.control.window).toBe(10 * SEGMENT);
    expect(Number.isFinite(rounds.control.slowStartThreshold)).toBe(false);
    rounds.lose();
    rounds.control.restart(at(rounds.now));
    expect(rounds.control.window).toBe(10 * SEGMENT);
    expect(rounds.control.slowStartThreshold).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('NewReno', () => {
  it('halves at a loss and adds one segment a round trip', () => {
    const rounds = new Rounds(new NewReno(SEGMENT));
    rounds.run(3);
    const before = rounds.control.window;
    rounds.lose();
    expect(rounds.control.window).toBeCloseTo(before / 2, -1);
    const after = rounds.control.window;
    rounds.run(10);
    expect((rounds.control.window - after) / SEGMENT).toBeCloseTo(10, -0.5);
  });
});

describe('CUBIC (RFC 9438)', () => {
  it('comes back to the window before the loss after K = cbrt(W * 0.3 / 0.4) seconds', () => {
    const rounds = new Rounds(new Cubic(SEGMENT));
    rounds.run(5);
    const before = rounds.control.window;
    rounds.lose();
    expect(rounds.control.window).toBeCloseTo(0.7 * before, -2);
    const seconds = Math.cbrt(((before / SEGMENT) * 0.3) / 0.4);
    rounds.run(Math.floor((seconds * 10) / 2));
    const middle = rounds.control.window;
    expect(middle).toBeGreaterThan(0.9 * before);
    expect(middle).toBeLessThan(before);
    rounds.run(Math.ceil((seconds * 10) / 2));
    expect(rounds.control.window / before).toBeCloseTo(1, 1);
    rounds.run(Math.ceil(seconds * 10));
    expect(rounds.control.window).toBeGreaterThan(1.2 * before);
  });

  it('gives room to others when it loses before it is back (fast convergence)', () => {
    const rounds = new Rounds(new Cubic(SEGMENT));
    rounds.run(5);
    rounds.lose();
    const plateau = (): number => {
      const copy = new Rounds(rounds.control);
      copy.now = rounds.now;
      return copy.control.window;
    };
    const first = plateau();
    rounds.lose();
    rounds.run(30);
    expect(rounds.control.window).toBeLessThan(first * 1.1);
  });

  it('grows as fast as NewReno from the window before the loss on, not from where fast convergence ends (4.3)', () => {
    const rounds = new Rounds(new Cubic(SEGMENT), 1);
    rounds.run(3);
    rounds.lose();
    rounds.run(10);
    const before = rounds.control.window;
    rounds.lose();
    const segmentsARound = (from: number, to: number): number => {
      while (rounds.control.window < from * before) rounds.run(1);
      const [window, now] = [rounds.control.window, rounds.now];
      while (rounds.control.window < to * before) rounds.run(1);
      return (rounds.control.window - window) / SEGMENT / (rounds.now - now);
    };
    expect(segmentsARound(0.88, 0.97)).toBeCloseTo((3 * 0.3) / 1.7, 1);
    expect(segmentsARound(1.03, 1.12)).toBeCloseTo(1, 1);
  });

  it('is no slower than NewReno where the round trip is short', () => {
    const cubic = new Rounds(new Cubic(SEGMENT), 5);
    const reno = new Rounds(new NewReno(SEGMENT), 5);
    for (const rounds of [cubic, reno]) {
      rounds.run(3, true);
      rounds.lose();
      rounds.run(100);
    }
    expect(cubic.control.window).toBeGreaterThan(0.8 * reno.control.window);
  });
});

describe('HyStart++ (RFC 9406)', () => {
  function round(hystart: HyStart, number: number, roundTrip: number): number {
    let part = 1;
    for (let sample = 0; sample < 10; sample++) {
      part = hystart.handleAcknowledgment({
        now: at(number * 100),
        delivered: 2000,
        roundTrip,
        smoothedRoundTrip: roundTrip,
        acknowledged: number * 20_000 + sample * 2000,
        next: (number + 1) * 20_000,
        limited: true,
      });
      if (part === 0) return 0;
    }
    return part;
  }

  it('grows freely while the round trip does not', () => {
    const hystart = new HyStart();
    for (let number = 0; number < 20; number++) expect(round(hystart, number, 100)).toBe(1);
  });

  it('slows down when it does, and ends slow start after five rounds', () => {
    const hystart = new HyStart();
    round(hystart, 0, 100);
    round(hystart, 1, 100);
    expect(round(hystart, 2, 120)).toBe(1 / 4);
    for (let number = 3; number < 7; number++) expect(round(hystart, number, 125)).toBe(1 / 4);
    expect(round(hystart, 7, 125)).toBe(0);
  });

  it('resumes when the growth was noise', () => {
    const hystart = new HyStart();
    round(hystart, 0, 100);
    round(hystart, 1, 120);
    expect(round(hystart, 2, 100)).toBe(1);
  });
});

describe('bursts', () => {
  it('one turn lets out no more than its share, and says that there is more', () => {
    const peer = new WirePeer({ negotiation: { peerWindow: 3_000_000 } });
    peer.do((_, now) => {
      peer.subflow.control.handleAcknowledgment({
        now,
        delivered: 2_000_000,
        roundTrip: 100,
        smoothedRoundTrip: 100,
        acknowledged: 1,
        next: 2,
        limited: true,
      });
    });
    peer.transport.write(Buffer.alloc(1_000_000), 0, peer.instant);
    let rows = 0;
    let more = true;
    while (more) {
      const before = peer.take().length;
      expect(before).toBe(0);
      more = peer.transport.pollTransmit(peer.flow, peer, peer.instant);
      rows++;
    }
    expect(rows).toBeGreaterThan(3);
  });

  it('leaves trains, not packets', () => {
    const peer = new WirePeer({ negotiation: { peerWindow: 3_000_000 } });
    peer.write(10_000);
    expect(peer.take()).toHaveLength(10);
    expect(peer.rows).toBe(1);
  });
});
