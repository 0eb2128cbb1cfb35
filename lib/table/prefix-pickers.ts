// Which picker was set for which services: that of the longest prefix for which there is one.

import type { ServicePrefix } from '../wire/service-id';
import { PrefixIndex } from './prefix-index';
import type { TargetPicker } from './target-selection';

interface SetPicker {
  readonly bits: number;
  readonly picker: TargetPicker;
}

export class PrefixPickers {
  private readonly pickers = new PrefixIndex<SetPicker>();

  set(prefix: ServicePrefix, picker: TargetPicker | undefined): void {
    if (picker === undefined) this.pickers.delete(prefix);
    else this.pickers.insert(prefix, { bits: prefix.bits, picker });
  }

  /** For the rules of this prefix. */
  of(prefix: ServicePrefix): TargetPicker | undefined {
    if (this.pickers.size === 0) return undefined;
    return this.pickers.longestMatch(prefix.base, ({ bits }) => bits <= prefix.bits)?.picker;
  }
}
