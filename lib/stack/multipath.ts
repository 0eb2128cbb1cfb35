// What a connection's owner says of several flows (§4.4): whether there are to be any, which interfaces are for reserve,
// and how the stream is spread over them.

/** What an application may say instead of true. */
export interface MultipathOptions {
  /** Names of interfaces whose flows carry data only while no other flow works. */
  readonly backup?: readonly string[] | undefined;
}

export interface Multipath {
  /** Further flows are opened, those of the peer accepted, or neither. */
  readonly mode: 'open' | 'accept' | 'never';
  readonly backup: readonly string[];
}

/** `mode`: what is done where several flows are wanted. */
export function multipathOf(options: boolean | MultipathOptions, mode: 'open' | 'accept'): Multipath {
  if (options === false) return NEVER;
  if (options === true) return mode === 'open' ? OPEN : ACCEPT;
  return { mode, backup: options.backup ?? [] };
}

// Shared: most connections have one of these.
const NEVER: Multipath = { mode: 'never', backup: [] };
const OPEN: Multipath = { mode: 'open', backup: [] };
const ACCEPT: Multipath = { mode: 'accept', backup: [] };
