// Where a process of this host receives: a UDP port a family. Processes tell each other ports alone, never
// addresses, so that none can make another send to a third place.

import { type AddressFamily, NetworkAddress } from '../wire/network-address';

export interface ProcessPort {
  readonly family: AddressFamily;
  readonly port: number;
}

/** The address by which this host's processes reach that process; IPv4 goes first. */
export function loopbackAddress(ports: readonly ProcessPort[]): NetworkAddress | undefined {
  const chosen = ports.find(({ family }) => family === 4) ?? ports[0];
  return chosen && (chosen.family === 4 ? LOOPBACK4 : LOOPBACK6).withPort(chosen.port);
}

/** Whether two processes claim the same port. */
export function portsOverlap(a: readonly ProcessPort[], b: readonly ProcessPort[]): boolean {
  return a.some((one) => b.some((other) => one.family === other.family && one.port === other.port));
}

const LOOPBACK4 = NetworkAddress.parse('127.0.0.1')!;
const LOOPBACK6 = NetworkAddress.parse('::1')!;
