// Weighted sampling, the paper's way (§4.2): each rule with probability weight / sum of weights. A connect that
// failed draws again from what it has not drawn yet.

import type { Choice } from '../choice';
import type { TargetPicker, TargetSet } from '../target-selection';

export const weightedRandom: TargetPicker = {
  name: 'random',
  pick: (targets, choice) => drawByWeight(targets, choice, choice.attempt),
};

/** The draw of that number, from 0, of draws that take no rule twice until all were taken. */
export function drawByWeight(targets: TargetSet, choice: Choice, number: number): number {
  const last = number % Math.min(targets.size, DRAWS_MAXIMUM);
  if (last === 0) return targets.indexAt(choice.below(targets.totalWeight, 0));
  let rest = targets.totalWeight;
  let index = 0;
  for (let draw = 0; draw <= last; draw++) {
    // Where that point of a row without those that were drawn stands in the whole row.
    let at = choice.below(rest, draw);
    for (let place = 0; place < draw && targets.start(drawn[place]!) <= at; place++)
      at += targets.weight(drawn[place]!);
    index = targets.indexAt(at);
    rest -= targets.weight(index);
    insertDrawn(index, draw);
  }
  return index;
}

/** A connect is given up before it has made more: then they may begin again. */
const DRAWS_MAXIMUM = 32;
/** What was drawn in this call, in ascending order. */
const drawn = new Int32Array(DRAWS_MAXIMUM);

function insertDrawn(index: number, count: number): void {
  let place = count;
  while (place > 0 && drawn[place - 1]! > index) {
    drawn[place] = drawn[place - 1]!;
    place--;
  }
  drawn[place] = index;
}
