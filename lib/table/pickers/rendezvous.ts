// Rendezvous hashing (Thaler and Ravishankar 1998) with weights: each key has its own order of the instances, and
// keeps to the first. When an instance goes only its own keys move, each to its next; when one comes it takes its
// share of keys and no others move. A connect that failed goes on to the next in its order.

import type { ServiceID } from '../../wire/service-id';
import type { Choice } from '../choice';
import { mixTwo, unitFraction } from '../mix-bits';
import type { TargetPicker, TargetSet } from '../target-selection';

/** Each client keeps to an instance. */
export const rendezvousByClient: TargetPicker = {
  name: 'rendezvous',
  usesIdentities: true,
  pick: (targets, choice) => pickByKey(targets, choice.client, choice),
};

/** Each service below the prefix keeps to an instance, whoever asks: the parts of a partitioned service (§6.2). */
export const rendezvousByService: TargetPicker = {
  name: 'rendezvous-service',
  usesIdentities: true,
  pick: (targets, choice, id) => pickByKey(targets, keyOf(id), choice),
};

/** Attempts that are told apart; a connect is given up before it has made more. */
const RANKS_MAXIMUM = 32;
const bestScores = new Float64Array(RANKS_MAXIMUM);
const bestIndexes = new Int32Array(RANKS_MAXIMUM);

function pickByKey(targets: TargetSet, key: number, choice: Choice): number {
  const rank = choice.attempt % Math.min(targets.size, RANKS_MAXIMUM);
  let kept = 0;
  for (let index = 0; index < targets.size; index++) {
    const score = scoreOf(key, targets.identity(index), targets.weight(index));
    if (kept > rank && score <= bestScores[rank]!) continue;
    kept = Math.min(kept + 1, rank + 1);
    insert(index, score, kept);
  }
  return bestIndexes[rank]!;
}

/** The highest of all with a probability that is the rule's share of the weights. Below 0 always. */
function scoreOf(key: number, identity: number, weight: number): number {
  const mixed = mixTwo(key, identity);
  return Math.log(unitFraction(mixed, mixTwo(mixed, key)) + SMALLEST) / weight;
}

/** Keeps the best `kept` in descending order. */
function insert(index: number, score: number, kept: number): void {
  let place = kept - 1;
  while (place > 0 && bestScores[place - 1]! < score) {
    bestScores[place] = bestScores[place - 1]!;
    bestIndexes[place] = bestIndexes[place - 1]!;
    place--;
  }
  bestScores[place] = score;
  bestIndexes[place] = index;
}

function keyOf({ words }: ServiceID): number {
  let key = 0;
  for (let index = 0; index < words.length; index++) key = mixTwo(key, words[index]!);
  return key;
}

/** Half of the smallest fraction: the logarithm of 0 would not be a number to compare. */
const SMALLEST = 2 ** -54;
