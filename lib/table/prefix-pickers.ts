// Which picker chooses for which services: that of the longest prefix for which one was set, else the table's own.

import type { ServicePrefix } from '../wire/service-id';
import { PrefixIndex } from './prefix-index';
import type { TargetPicker } from './target-selection';

interface SetPicker {
  readonly bits: number;
  readonly picker: TargetPicker;
}

export class PrefixPickers {
  private readonly pickers = new PrefixIndex<SetPicker>();

  constructor(private readonly fallback: TargetPicker) {}

  set(prefix: ServicePrefix, picker: TargetPicker | undefined): void {
    if (picker === undefined) this.pickers.delete(prefix);
    else this.pickers.insert(prefix, { bits: prefix.bits, picker });
  }

  /** For the rules of this prefix. */
  of(prefix: ServicePrefix): TargetPicker {
    if (this.pickers.size === 0) return this.fallback;
    return this.pickers.longestMatch(prefix.base, ({ bits }) => bits <= prefix.bits)?.picker ?? this.fallback;
  }
}
