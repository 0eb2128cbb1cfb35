// `openFlow` of stream sockets: checks what is asked for, and keeps the promise until the flow is there or is not (§4.4).

import type { StreamHandle } from '../driver/handles';
import { ErrorCode } from '../errors';
import { NetworkAddress } from '../wire/network-address';
import { checkOptionalBoolean } from './argument-checks';
import { invalidArgumentType, invalidArgumentValue } from './node-error';
import { type FailedService, namedError, operationError } from './operation-error';
import { type MigrateOptions, targetOf } from './socket-migration';

/** From where: an interface of this host by its name, or one of its addresses. */
export interface OpenFlowOptions extends MigrateOptions {
  /** To which address of the peer. Without it to one that no flow goes to, or else to that of the first flow. */
  readonly remoteAddress?: string | undefined;
  /** Whether it carries data only while no other flow works. Default: as its interface. */
  readonly backup?: boolean | undefined;
}

/** Throws for bad options; what the host or the peer refuses rejects. */
export function openFlowOf(
  handle: Pick<StreamHandle, 'openFlow'> | undefined,
  options: OpenFlowOptions,
  service: FailedService | undefined,
): Promise<void> {
  const target = { ...targetOf(options), remote: remoteOf(options.remoteAddress), backup: options.backup };
  checkOptionalBoolean(options.backup, 'options.backup');
  if (handle?.openFlow === undefined) return Promise.reject(namedError(ErrorCode.notConnected, 'openFlow', service));
  return new Promise((resolve, reject) => {
    const settle = (error: Error | undefined): void => {
      if (error === undefined) resolve();
      else reject(operationError(error, 'openFlow', service));
    };
    const refusal = handle.openFlow!(target, settle);
    if (refusal !== undefined) settle(refusal);
  });
}

function remoteOf(address: unknown): NetworkAddress | undefined {
  if (address === undefined) return undefined;
  if (typeof address !== 'string') throw invalidArgumentType('options.remoteAddress', 'of type string', address);
  const parsed = NetworkAddress.parse(address);
  if (parsed === undefined) throw invalidArgumentValue('options.remoteAddress', address, 'is no IP address');
  return parsed;
}
