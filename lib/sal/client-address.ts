// Who sent a first packet, and whether that may be believed so far as to answer there. Whoever writes a SOURCE
// list chooses where our answer goes: to one host that is not ourselves, or nowhere (reliability S4, S12).

import type { ServiceTable } from '../table/service-table';
import type { NetworkAddress } from '../wire/network-address';
import type { SalPacket } from '../wire/sal-packet';

/** The sender itself: the first of SOURCE when routers forwarded the packet (§4.2, Figure 5). */
export function clientOf(packet: SalPacket, from: NetworkAddress): NetworkAddress {
  const client = packet.source?.[0];
  if (client === undefined) return from;
  // Unspecified: the address the packet came from, with the port recorded, which a process has in both families
  // (protocol.md, ENDPOINT_SOURCE).
  return client.isUnspecified ? from.withPort(client.port) : client;
}

/** Only who speaks from this machine may say that the client is on it. */
export function isAnswerable(client: NetworkAddress, from: NetworkAddress, table: ServiceTable): boolean {
  if (!client.isUnicast || table.isBroadcastTarget(client)) return false;
  if (client.isLoopback && !from.isLoopback) return false;
  return (client.port === 0) === (from.port === 0);
}
