// The addresses of this host as node:os tells them, for hosts without the addon. Node does not tell MTUs, and
// an interface's index only where it has a link-local IPv6 address.

import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { NetworkInterface } from '../sal/link-properties';
import { NetworkAddress } from '../wire/network-address';

/** One entry for each address of the interfaces that are up and running. */
export function systemInterfaces(): NetworkInterface[] {
  const result: NetworkInterface[] = [];
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    const index = addresses.map(scopeOf).find((scope) => scope > 0) ?? 0;
    for (const information of addresses) {
      const networkInterface = describe(name, index, information);
      if (networkInterface !== undefined) result.push(networkInterface);
    }
  }
  return result;
}

function describe(name: string, index: number, information: NetworkInterfaceInfo): NetworkInterface | undefined {
  const address = NetworkAddress.parse(information.address);
  if (address === undefined) return undefined;
  const prefixBits = Number(information.cidr?.split('/')[1] ?? (address.family === 4 ? 32 : 128));
  const broadcast = information.internal ? undefined : broadcastOf(address, prefixBits);
  return {
    name,
    index,
    address,
    prefixBits,
    ...(broadcast !== undefined && { broadcast }),
    mtu: information.internal ? LOOPBACK_MTU : ETHERNET_MTU,
    isLoopback: information.internal,
  };
}

/** The last address of an IPv4 subnet; one of one or two addresses has none. */
function broadcastOf(address: NetworkAddress, prefixBits: number): NetworkAddress | undefined {
  if (address.family !== 4 || prefixBits < 1 || prefixBits > 30) return undefined;
  return NetworkAddress.fromWords(4, 0, address.word0 | (0xffffffff >>> prefixBits), 0, 0, 0);
}

function scopeOf(information: NetworkInterfaceInfo): number {
  return information.family === 'IPv6' ? information.scopeid : 0;
}

const ETHERNET_MTU = 1500;
const LOOPBACK_MTU = 65_536;
