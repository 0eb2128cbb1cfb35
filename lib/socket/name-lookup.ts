// The `lookup` option of `net.connect`: called, its 'lookup' events emitted and its error honoured, because
// programs rely on that to refuse a host. Its answer is not used: resolving names is the service table's task.

import type { LookupAddress } from 'node:dns';
import type { EventEmitter } from 'node:events';
import type { ConnectOptions } from './connect-options';

/** What is done to the socket whose name it is. */
interface LookedUp extends EventEmitter {
  readonly connecting: boolean;
  _unrefTimer(): void;
  destroy(error: Error): unknown;
}

/** Calls `options.lookup` at once; `found` is called when that has answered, the socket destroyed when it has failed. */
export function lookUpName(socket: LookedUp, name: string, options: ConnectOptions, found: () => void): void {
  const family = familyNumber(options.family);
  const all = family !== 4 && family !== 6 && options.localAddress === undefined && options.autoSelectFamily !== false;
  const query = { family, hints: options.hints ?? 0, ...(all ? { all: true } : undefined) };
  options.lookup?.(name, query, (error, answer, answerFamily) => {
    if (!all) socket.emit('lookup', error, answer, answerFamily, name);
    else if (error) socket.emit('lookup', error, undefined, undefined, name);
    else emitAddresses(socket, name, answer, answerFamily);
    if (!socket.connecting) return;
    socket._unrefTimer();
    if (!error) found();
    // Whoever called `connect` has had no time yet to listen for it.
    else process.nextTick(() => socket.connecting && socket.destroy(error));
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
