// What a connection's owner says of several flows (§4.4): whether there are to be any, which interfaces are for reserve,
// and how the stream is spread over them.

/** What an application may say instead of true. */
export interface MultipathOptions {
  /** Names of interfaces whose flows carry data only while no other flow works. */
  readonly backup?: readonly string[] | undefined;
  readonly scheduler?: SchedulerName | undefined;
}

/** Each byte by one flow, that of the lowest round trip where it is of use; or by every one that works. */
export type SchedulerName = 'lowest-round-trip' | 'redundant';

export const SCHEDULER_NAMES: readonly SchedulerName[] = ['lowest-round-trip', 'redundant'];

export interface Multipath {
  /** Further flows are opened, those of the peer accepted, or neither. */
  readonly mode: 'open' | 'accept' | 'never';
  readonly backup: readonly string[];
  readonly isRedundant: boolean;
}

/** `mode`: what is done where several flows are wanted. */
export function multipathOf(options: boolean | MultipathOptions, mode: 'open' | 'accept'): Multipath {
  if (options === false) return NEVER;
  if (options === true) return mode === 'open' ? OPEN : ACCEPT;
  return { mode, backup: options.backup ?? [], isRedundant: options.scheduler === 'redundant' };
}

// Shared: most connections have one of these.
const NEVER: Multipath = { mode: 'never', backup: [], isRedundant: false };
const OPEN: Multipath = { mode: 'open', backup: [], isRedundant: false };
const ACCEPT: Multipath = { mode: 'accept', backup: [], isRedundant: false };
