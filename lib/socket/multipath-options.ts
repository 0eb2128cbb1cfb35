// `multipath` of `connect` and `listen` (§4.4): true, false, or what is wanted of several flows.

import type { MultipathOptions as StackOptions } from '../driver/handles';
import { invalidArgumentType } from './node-error';

export interface MultipathOptions {
  /** Names of interfaces of this host whose flows carry data only while no other flow works. */
  readonly backup?: string | readonly string[] | undefined;
}

/** Throws for what is neither. */
export function checkMultipath(value: unknown, name: string): void {
  if (value === undefined || typeof value === 'boolean') return;
  if (typeof value !== 'object' || value === null) throw invalidArgumentType(name, 'of type boolean or object', value);
  const { backup } = value as { backup?: unknown };
  const names: readonly unknown[] = Array.isArray(backup) ? backup : [backup ?? ''];
  for (const each of names) {
    if (typeof each !== 'string') throw invalidArgumentType(`${name}.backup`, 'names of interfaces', each);
  }
}

export function multipathOf(value: boolean | MultipathOptions | undefined): boolean | StackOptions | undefined {
  if (typeof value !== 'object') return value;
  const { backup = [] } = value;
  return { backup: typeof backup === 'string' ? [backup] : backup };
}
