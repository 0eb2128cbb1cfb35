// Power of two choices (Mitzenmacher 2001): of two instances drawn by weight the one to whom less was given. Two
// looks instead of one for each instance, and shares that stray far less than those of a single draw.

import type { Choice } from '../choice';
import type { TargetPicker, TargetSet } from '../target-selection';
import { isLessLoaded } from './least-loaded';
import { drawByWeight } from './weighted-random';

export const powerOfTwoChoices: TargetPicker = {
  name: 'power-of-two',
  pick: (targets, choice) => {
    const index = choice.attempt === 0 ? lessLoaded(targets, choice) : drawByWeight(targets, choice, choice.attempt);
    targets.countPick(index);
    return index;
  },
};

function lessLoaded(targets: TargetSet, choice: Choice): number {
  const first = drawByWeight(targets, choice, 0);
  const second = drawByWeight(targets, choice, 1);
  return isLessLoaded(targets, second, first) ? second : first;
}
