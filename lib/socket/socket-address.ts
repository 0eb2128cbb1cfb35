// Network addresses in the form that `node:net` gives them, for `socket.address()`, `remoteAddress` and logs.

import type { NetworkAddress } from '../wire/network-address';

export interface SocketAddress {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
}

export function socketAddress(address: NetworkAddress): SocketAddress {
  return { address: address.ip, family: address.family === 4 ? 'IPv4' : 'IPv6', port: address.port };
}
