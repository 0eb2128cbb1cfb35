// The ways to choose an instance, by the names that options and commands have for them (docs/choosing-instances.md).

import type { TargetPicker } from '../target-selection';
import { leastLoaded } from './least-loaded';
import { powerOfTwoChoices } from './power-of-two';
import { rendezvousByClient, rendezvousByService } from './rendezvous';
import { weightedRandom } from './weighted-random';

const PICKERS = {
  random: weightedRandom,
  rendezvous: rendezvousByClient,
  'rendezvous-service': rendezvousByService,
  'least-loaded': leastLoaded,
  'power-of-two': powerOfTwoChoices,
} as const;

export type PickerName = keyof typeof PICKERS;

export const PICKER_NAMES = Object.keys(PICKERS) as readonly PickerName[];

export function isPickerName(name: unknown): name is PickerName {
  return typeof name === 'string' && Object.hasOwn(PICKERS, name);
}

/** A small number for it; 0 for none. */
export function pickerNumber(name: PickerName | undefined): number {
  return name === undefined ? 0 : PICKER_NAMES.indexOf(name) + 1;
}

export function pickerNumbered(number: number): PickerName | undefined {
  return PICKER_NAMES[number - 1];
}

export function pickerNamed(name: PickerName): TargetPicker {
  return PICKERS[name];
}
