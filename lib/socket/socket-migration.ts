// `migrate` of the sockets: checks what is asked for, and keeps the promise until the flow is there or stays (§4.4).

import type { EventEmitter } from 'node:events';
import type { StreamHandle } from '../driver/handles';
import { ErrorCode } from '../errors';
import { NetworkAddress } from '../wire/network-address';
import { checkObject } from './argument-checks';
import { invalidArgumentType, invalidArgumentValue, missingArgument } from './node-error';
import { type FailedService, namedError, operationError } from './operation-error';
import type { SocketReactions } from './socket-observer';

/** Where to go: an interface of this host by its name, or one of its addresses. */
export interface MigrateOptions {
  readonly interface?: string | undefined;
  readonly address?: string | undefined;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Few sockets ever move, and those soon are there. */
const waiting = new WeakMap<EventEmitter, Waiting[]>();

/** Throws for bad options; what the host or the peer refuses rejects. */
export function migrateSocket(
  socket: EventEmitter,
  handle: Pick<StreamHandle, 'migrate'> | undefined,
  options: MigrateOptions,
  service: FailedService | undefined,
): Promise<void> {
  const target = targetOf(options);
  if (handle === undefined) return Promise.reject(namedError(ErrorCode.notConnected, 'migrate', service));
  const answer = handle.migrate(target);
  if (answer === 'settled') return Promise.resolve();
  if (answer !== undefined) return Promise.reject(operationError(answer, 'migrate', service));
  return new Promise((resolve, reject) => {
    waiting.set(socket, [...(waiting.get(socket) ?? []), { resolve, reject }]);
  });
}

/** What a socket does with the calls of its handle that are about moves. */
export function migrationReactions<S extends EventEmitter>(
  serviceOf: (socket: S) => FailedService | undefined,
): Pick<SocketReactions<S>, 'migrated' | 'settled' | 'migrationFailed'> {
  return {
    migrated: (socket) => void socket.emit('migrate'),
    settled: (socket) => {
      for (const { resolve } of take(socket)) resolve();
    },
    migrationFailed: (socket, error) => handleMigrationFailed(socket, serviceOf(socket), error),
  };
}

/** The connection goes on where it was; or, without an error of the handle's, it is over. */
export function handleMigrationFailed(socket: EventEmitter, service: FailedService | undefined, error?: Error): void {
  const waiters = take(socket);
  if (waiters.length === 0) return;
  const over = namedError(ErrorCode.notConnected, 'migrate', service);
  const told = error === undefined ? over : operationError(error, 'migrate', service);
  for (const { reject } of waiters) reject(told);
}

function take(socket: EventEmitter): readonly Waiting[] {
  const waiters = waiting.get(socket) ?? [];
  waiting.delete(socket);
  return waiters;
}

/** Throws for bad options. */
export function targetOf(options: MigrateOptions): { interface?: string; address?: NetworkAddress } {
  checkObject(options, 'options');
  const { interface: name, address } = options;
  if (name === undefined && address === undefined) throw missingArgument('options.interface');
  if (address === undefined) {
    if (typeof name !== 'string') throw invalidArgumentType('options.interface', 'of type string', name);
    return { interface: name };
  }
  if (typeof address !== 'string') throw invalidArgumentType('options.address', 'of type string', address);
  const parsed = NetworkAddress.parse(address);
  if (parsed === undefined) throw invalidArgumentValue('options.address', address, 'is no IP address');
  return { address: parsed };
}
