// The `lookup` option of `net.connect`: called, its 'lookup' events emitted and its error honoured, because
// programs rely on that to refuse a host. Its answer is not used: resolving names is the service table's task.

import type { LookupAddress } from 'node:dns';
import type { EventEmitter } from 'node:events';
import type { ConnectOptions } from './connect-options';

type LookupOutcome = (error: Error | null) => void;

/** Calls `options.lookup` at once; `outcome` is called when it has answered, with its error or null. */
export function lookUpName(socket: EventEmitter, name: string, options: ConnectOptions, outcome: LookupOutcome): void {
  const family = familyNumber(options.family);
  const all = family !== 4 && family !== 6 && options.localAddress === undefined && options.autoSelectFamily !== false;
  const query = { family, hints: options.hints ?? 0, ...(all ? { all: true } : undefined) };
  options.lookup?.(name, query, (error, answer, answerFamily) => {
    if (!all) socket.emit('lookup', error, answer, answerFamily, name);
    else if (error) socket.emit('lookup', error, undefined, undefined, name);
    else emitAddresses(socket, name, answer, answerFamily);
    outcome(error ?? null);
  });
}

function emitAddresses(
  socket: EventEmitter,
  name: string,
  answer: string | LookupAddress[],
  family: number | undefined,
): void {
  const addresses = Array.isArray(answer) ? answer : [{ address: answer, family }];
  for (const entry of addresses) socket.emit('lookup', null, entry.address, entry.family, name);
}

function familyNumber(family: number | string | undefined): number {
  if (family === 'IPv4') return 4;
  if (family === 'IPv6') return 6;
  return Number(family ?? 0);
}
