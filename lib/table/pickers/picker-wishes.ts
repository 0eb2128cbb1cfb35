// What the instances of a service wish, of how one of them is to be chosen: the wish of most counts, and between wishes of
// as many instances that of the picker that stands first in the table of pickers - so that all who know the same
// instances choose alike, in whatever order they came. Who wishes nothing has no voice.

import { PICKER_NAMES, type PickerName, pickerNumbered } from './picker-names';

export class PickerWishes {
  private readonly voices = new Uint32Array(PICKER_NAMES.length + 1);

  clear(): void {
    this.voices.fill(0);
  }

  /** `pickerNumber` of what one of them wishes; -1 takes that back. */
  add(wish: number, times: 1 | -1 = 1): void {
    this.voices[wish]! += times;
  }

  /** `undefined` when nobody wishes anything. */
  get decided(): PickerName | undefined {
    let best = 0;
    for (let wish = 1, most = 0; wish < this.voices.length; wish++) {
      if (this.voices[wish]! <= most) continue;
      most = this.voices[wish]!;
      best = wish;
    }
    return pickerNumbered(best);
  }
}
