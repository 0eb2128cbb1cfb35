// The addon for tests of it. Where it cannot be built they are skipped, and say so; SERVAL_REQUIRE_NATIVE=1
// (CI) makes that a failure.

import { describe, it } from 'vitest';
import { bindingMissingReason, loadBinding } from '../../lib/native/binding';
import type { NativeBinding } from '../../lib/native/native-binding';
import type { NetworkAddress } from '../../lib/wire/network-address';

/** Like `describe`, for tests that need the addon. */
export function describeWithAddon(name: string, define: (addon: NativeBinding) => void): void {
  const addon = loadBinding();
  if (addon !== undefined) {
    describe(name, () => define(addon));
  } else if (process.env['SERVAL_REQUIRE_NATIVE'] === '1') {
    it(name, () => {
      throw new Error(`the addon is required here: ${bindingMissingReason()}`);
    });
  } else {
    console.warn(`skipped: ${name}: no addon, ${bindingMissingReason()}`);
    describe.skip(`${name} (skipped: no addon)`, () => it('needs the addon', () => {}));
  }
}

/** Five integers, as addresses cross the border. */
export function wordsOf({ family, port, word0, word1, word2, word3 }: NetworkAddress): number[] {
  return [(family << 16) | port, word0, word1, word2, word3];
}
