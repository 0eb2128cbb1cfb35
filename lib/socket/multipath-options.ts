// `multipath` of `connect` and `listen` (§4.4): true, false, or what is wanted of several flows.

import { SCHEDULER_NAMES, type SchedulerName, type MultipathOptions as StackOptions } from '../driver/handles';
import { invalidArgumentType, invalidArgumentValue } from './node-error';

export interface MultipathOptions {
  /** Names of interfaces of this host whose flows carry data only while no other flow works. */
  readonly backup?: string | readonly string[] | undefined;
  /**
   * How what this end sends is spread: 'lowest-round-trip', the default, gives each byte to one flow, 'redundant' to all
   * that work, for the least delay and no more throughput than the best of them has.
   */
  readonly scheduler?: SchedulerName | undefined;
}

/** Throws for what is neither. */
export function checkMultipath(value: unknown, name: string): void {
  if (value === undefined || typeof value === 'boolean') return;
  if (typeof value !== 'object' || value === null) throw invalidArgumentType(name, 'of type boolean or object', value);
  const { backup, scheduler } = value as { backup?: unknown; scheduler?: unknown };
  const names: readonly unknown[] = Array.isArray(backup) ? backup : [backup ?? ''];
  for (const each of names) {
    if (typeof each !== 'string') throw invalidArgumentType(`${name}.backup`, 'names of interfaces', each);
  }
  if (scheduler !== undefined && !(SCHEDULER_NAMES as readonly unknown[]).includes(scheduler)) {
    throw invalidArgumentValue(`${name}.scheduler`, scheduler, `must be one of ${SCHEDULER_NAMES.join(', ')}`);
  }
}

export function multipathOf(value: boolean | MultipathOptions | undefined): boolean | StackOptions | undefined {
  if (typeof value !== 'object') return value;
  const { backup = [], scheduler } = value;
  return { backup: typeof backup === 'string' ? [backup] : backup, scheduler };
}
