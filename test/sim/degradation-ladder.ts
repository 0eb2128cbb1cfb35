// Nine networks, each worse than the one before but for the satellite, as iroh's own tests have them (goal R5): of a home,
// of mobile carriers, of a satellite; and two that hardly are networks.

import { BurstLoss } from '../../lib/sim/elements/burst-loss';
import { Delay } from '../../lib/sim/elements/delay';
import { Fading } from '../../lib/sim/elements/fading';
import { Jitter } from '../../lib/sim/elements/jitter';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import { Rate } from '../../lib/sim/elements/rate';
import { TailDropQueue } from '../../lib/sim/elements/tail-drop-queue';
import type { NetworkElement } from '../../lib/sim/network-element';
import { milliseconds } from '../../lib/time/instant';

export interface Rung {
  readonly name: string;
  /** Mbit/s. */
  readonly rate: number;
  /** Milliseconds. */
  readonly roundTrip: number;
  /** Milliseconds at most, each way. */
  readonly jitter: number;
  /** Share that is lost, each way. */
  readonly loss: number;
  /** Packets in a row that are lost, on average. */
  readonly burst: number;
}

export const LADDER: readonly Rung[] = [
  { name: 'good wifi', rate: 100, roundTrip: 16, jitter: 0, loss: 0.001, burst: 1 },
  { name: 'congested wifi', rate: 25, roundTrip: 40, jitter: 12, loss: 0.01, burst: 6 },
  { name: 'weak 4G', rate: 8, roundTrip: 90, jitter: 15, loss: 0.02, burst: 8 },
  { name: 'slow 3G', rate: 3, roundTrip: 200, jitter: 30, loss: 0.03, burst: 10 },
  { name: 'congested cellular', rate: 1.5, roundTrip: 300, jitter: 40, loss: 0.05, burst: 12 },
  { name: 'very bad cellular', rate: 0.8, roundTrip: 450, jitter: 60, loss: 0.08, burst: 20 },
  { name: 'satellite', rate: 25, roundTrip: 600, jitter: 40, loss: 0.015, burst: 6 },
  { name: 'barely usable', rate: 0.5, roundTrip: 450, jitter: 80, loss: 0.12, burst: 25 },
  { name: 'absurd', rate: 0.256, roundTrip: 800, jitter: 150, loss: 0.25, burst: 40 },
];

/** Bytes that wait for the line: what it carries in one round trip, and some packets at least. */
export function queueBytes({ rate, roundTrip }: Rung): number {
  return Math.max((rate * 1e6 * roundTrip) / 8000, 16_000);
}

/** Milliseconds of a burst of loss: of so many full packets, one behind the other on the line. */
export function fadeOf({ rate, burst }: Rung): number {
  return (burst * 1500 * 8) / (rate * 1000);
}

/** What packets meet on such a line, in one direction. */
export function direction(rung: Rung): NetworkElement[] {
  const { rate, roundTrip, jitter } = rung;
  return [
    new Rate(rate * 1e6, new TailDropQueue({ bytes: queueBytes(rung) })),
    new Delay(milliseconds(roundTrip / 2)),
    new Jitter(milliseconds(jitter)),
    lossOf(rung),
  ];
}

/**
 * A burst lasts for a time, as on a radio link. SERVAL_BURSTS=packets has only packets end it, as netem does: a path that
 * nobody uses then never gets better, and who sends less and less often into it, as TCP must, may wait for minutes.
 */
function lossOf(rung: Rung): NetworkElement {
  const { loss, burst } = rung;
  if (burst === 1) return new RandomLoss(loss);
  if (process.env['SERVAL_BURSTS'] === 'packets') return BurstLoss.of(loss, burst);
  return new Fading(loss, milliseconds(fadeOf(rung)));
}
