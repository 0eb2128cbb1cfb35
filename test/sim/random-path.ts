// Paths as bad as a story may have them: each property is there or not, and as strong as chance says.

import { BurstLoss } from '../../lib/sim/elements/burst-loss';
import { Corruption } from '../../lib/sim/elements/corruption';
import { Delay } from '../../lib/sim/elements/delay';
import { Duplication } from '../../lib/sim/elements/duplication';
import { Jitter } from '../../lib/sim/elements/jitter';
import { Mtu } from '../../lib/sim/elements/mtu';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import { Rate } from '../../lib/sim/elements/rate';
import { Reordering } from '../../lib/sim/elements/reordering';
import { TailDropQueue } from '../../lib/sim/elements/tail-drop-queue';
import type { NetworkElement } from '../../lib/sim/network-element';
import type { Path } from '../../lib/sim/path';
import type { Chance } from './chance';

/** Nothing is lost, reordered or damaged: what was sent arrives, in time. */
export function cleanDirection(chance: Chance): NetworkElement[] {
  return [new Delay(chance.duration(0, 50))];
}

export function badDirection(chance: Chance): NetworkElement[] {
  const kinds: readonly (() => NetworkElement)[] = [
    () => new Rate(chance.magnitude(500_000, 100_000_000), new TailDropQueue({ packets: chance.integer(8, 200) })),
    () => new Delay(chance.duration(0, 150)),
    () => new Jitter(chance.duration(0, 30)),
    () => loss(chance),
    () => new Reordering(chance.fraction(0, 0.2), chance.duration(0, 60)),
    () => new Duplication(chance.fraction(0, 0.2), chance.duration(0, 40)),
    () => new Corruption(chance.fraction(0, 0.05)),
    () => new Mtu(chance.integer(1280, 1500), chance.happens(0.5)),
  ];
  return kinds.filter(() => chance.happens(0.6)).map((make) => make());
}

export function badPath(chance: Chance): Path {
  return { forward: badDirection(chance), backward: badDirection(chance) };
}

/** 0 to 20 %, each packet by itself or in bursts. */
function loss(chance: Chance): NetworkElement {
  const share = chance.fraction(0, 0.2);
  return chance.happens(0.5) ? new RandomLoss(share) : BurstLoss.of(share, chance.fraction(1, 1.5));
}
