// To whom least was given for what it can take: picks since the rules last changed, divided by the weight that the
// instance reports. An instance that reports less gets less from the next pick on. As each pick looks at every
// instance, shares are exact to one pick; power-of-two.ts is nearly as good for a constant price.

import type { TargetPicker, TargetSet } from '../target-selection';
import { drawByWeight } from './weighted-random';

export const leastLoaded: TargetPicker = {
  name: 'least-loaded',
  pick: (targets, choice) => {
    const { attempt } = choice;
    // A connect that failed is in no hurry to find the very best, but must not come to the same one again.
    const index =
      attempt === 0 ? leastOf(targets, choice.below(targets.size, 0)) : drawByWeight(targets, choice, attempt - 1);
    targets.countPick(index);
    return index;
  },
};

/** Whether `one` has the lower load once it has one pick more. */
export function isLessLoaded(targets: TargetSet, one: number, other: number): boolean {
  return (targets.picked(one) + 1) * targets.weight(other) < (targets.picked(other) + 1) * targets.weight(one);
}

/** Begins anywhere: where all have the same load the first of a row would always be the first to get something. */
function leastOf(targets: TargetSet, from: number): number {
  let best = from;
  for (let step = 1; step < targets.size; step++) {
    const index = (from + step) % targets.size;
    if (isLessLoaded(targets, index, best)) best = index;
  }
  return best;
}
