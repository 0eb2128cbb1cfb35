// `remoteAddress`, `localPort` and their like: getters, but properties in the type, as `net.Socket`'s type has them.

import type { NetworkAddress } from '../wire/network-address';
import { type SocketAddress, socketAddress } from './socket-address';

/** Defines the three of each end on a class's prototype, and that no address was tried before. */
export function defineAddressProperties<S extends object>(
  prototype: S,
  ends: Readonly<Record<string, (socket: S) => NetworkAddress | undefined>>,
): void {
  for (const [end, addressOf] of Object.entries(ends)) {
    const define = (name: string, part: keyof SocketAddress): void => {
      const get = function (this: S) {
        const address = addressOf(this);
        return address === undefined ? undefined : socketAddress(address)[part];
      };
      Object.defineProperty(prototype, `${end}${name}`, { get, enumerable: true });
    };
    define('Address', 'address');
    define('Family', 'family');
    define('Port', 'port');
  }
  Object.defineProperty(prototype, 'autoSelectFamilyAttemptedAddresses', { get: () => [], enumerable: true });
}
