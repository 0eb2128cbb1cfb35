// How much of a packet is left for the transport on a path: the first hop's MTU less what goes around it.

import { BASE_PACKET_BYTES, SAL_HEADER_MINIMUM } from '../limits';
import type { LinkProperties } from '../sal/link-properties';
import type { PathSize } from '../transport/transport';
import type { NetworkAddress } from '../wire/network-address';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
/** Largest IP packet: beyond it no length field goes. */
const IP_PACKET_MAXIMUM = 65_535;

/** Bytes behind the bare SAL header on a path with this IP MTU. */
export function pathSize(properties: LinkProperties, remote: NetworkAddress, mtu: number): PathSize {
  const ip = remote.family === 6 ? IPV6_HEADER : IPV4_HEADER;
  const around = ip + (properties.encapsulated ? UDP_HEADER : 0) + SAL_HEADER_MINIMUM;
  const maximum = Math.min(mtu, IP_PACKET_MAXIMUM) - around;
  return { base: Math.min(BASE_PACKET_BYTES - around, maximum), maximum };
}
