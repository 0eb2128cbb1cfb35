// Sets of rules that packets share by weight, kept for the next packet: a service of a thousand instances has them
// gathered when its rules change, not with each packet. A set that was put out by another, or whose prefix has
// changed, is gathered again - what every packet would cost without this, so nobody gains by causing it.

import { TARGET_SETS_KEPT } from '../limits';
import { GatheredTargets, type TargetPicker } from './target-selection';

/** What of a query decides which rules of a prefix are usable. */
interface Usability {
  readonly protocol: 6 | 17;
  readonly reach: string;
}

export interface KeptSet {
  /** Of the prefix in the trie; NO_SLOT when its rules have changed. */
  slot: number;
  reach: string;
  /** Chooses among them. */
  picker: TargetPicker;
  readonly targets: GatheredTargets;
}

const NO_SLOT = -1;

export class KeptTargets {
  /** By slot and protocol, and made when first needed. */
  private readonly sets: (KeptSet | undefined)[] = new Array(TARGET_SETS_KEPT).fill(undefined);

  /** The set that was gathered for such packets to this prefix, if its rules are still the same. */
  find(slot: number, { protocol, reach }: Usability): KeptSet | undefined {
    const set = this.sets[placeOf(slot, protocol)];
    return set !== undefined && set.slot === slot && set.reach === reach ? set : undefined;
  }

  /** An empty set that is found from now on. */
  renew(slot: number, { protocol, reach }: Usability, picker: TargetPicker): KeptSet {
    const place = placeOf(slot, protocol);
    let set = this.sets[place];
    if (set === undefined) {
      set = { slot, reach, picker, targets: new GatheredTargets() };
      this.sets[place] = set;
    }
    set.slot = slot;
    set.reach = reach;
    set.picker = picker;
    set.targets.clear();
    return set;
  }

  /** The rules of the prefix change. */
  forget(slot: number): void {
    for (const protocol of [6, 17] as const) {
      const set = this.sets[placeOf(slot, protocol)];
      if (set?.slot === slot) set.slot = NO_SLOT;
    }
  }

  /** Other pickers choose from now on. */
  forgetAll(): void {
    for (const set of this.sets) if (set !== undefined) set.slot = NO_SLOT;
  }
}

function placeOf(slot: number, protocol: 6 | 17): number {
  return ((slot << 1) | (protocol === 6 ? 0 : 1)) & (TARGET_SETS_KEPT - 1);
}
