// The one host of a process on which `connect`, `createServer` and `createSocket` work when none is given:
// made on first use, and the same for every copy of this package that the process has loaded (`require` and
// `import`, or two installations of one major version). What a host is, is registered from above.

import type { SocketHost } from '../driver/handles';

/** Copies of the package share a host only within one major version. */
export const MAJOR_VERSION = 0;

interface HostSlot {
  factory?: () => SocketHost;
  host?: SocketHost | undefined;
}

const SLOTS = Symbol.for('serval.defaultHost');

/** How the default host is made. The first copy of the package that registers one is in charge. */
export function setDefaultHostFactory(factory: () => SocketHost): void {
  slot().factory ??= factory;
}

/** The default host, made now if there is none yet. */
export function defaultHost(): SocketHost {
  const shared = slot();
  if (shared.host === undefined) {
    if (shared.factory === undefined) throw new Error('no factory of hosts is registered: load serval by its name');
    shared.host = shared.factory();
  }
  return shared.host;
}

/** The default host if somebody used it already. */
export function existingDefaultHost(): SocketHost | undefined {
  return slot().host;
}

/** `host` was closed: the next use makes a new default host. */
export function forgetDefaultHost(host: SocketHost): void {
  const shared = slot();
  if (shared.host === host) shared.host = undefined;
}

function slot(): HostSlot {
  const place = globalThis as unknown as { [SLOTS]?: Map<number, HostSlot> };
  place[SLOTS] ??= new Map();
  let shared = place[SLOTS].get(MAJOR_VERSION);
  if (shared === undefined) {
    shared = {};
    place[SLOTS].set(MAJOR_VERSION, shared);
  }
  return shared;
}
