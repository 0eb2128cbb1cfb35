// The one place that loads the addon. It is optional: whoever needs it asks here, and without it does the
// same work in TypeScript. Loading never throws; why there is no addon is kept, for one sentence to the user.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { NativeBinding } from './native-binding';

/** The addon, or `undefined` where it is missing, does not load, or is switched off by SERVAL_NATIVE=0. */
export function loadBinding(): NativeBinding | undefined {
  loaded ??= load();
  return loaded.binding;
}

/** Why there is no addon; `undefined` when there is. */
export function bindingMissingReason(): string | undefined {
  loaded ??= load();
  return loaded.reason;
}

interface Loaded {
  readonly binding?: NativeBinding;
  readonly reason?: string;
}

let loaded: Loaded | undefined;

function load(): Loaded {
  if (process.env['SERVAL_NATIVE'] === '0') return { reason: 'it is switched off by SERVAL_NATIVE=0' };
  if (process.platform !== 'linux') return { reason: `there is none for ${process.platform}` };
  try {
    const nodeGypBuild = createRequire(__filename)('node-gyp-build') as (root: string) => NativeBinding;
    return { binding: nodeGypBuild(PACKAGE_ROOT) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** From lib/native and from dist/native alike. */
const PACKAGE_ROOT = join(__dirname, '..', '..');
