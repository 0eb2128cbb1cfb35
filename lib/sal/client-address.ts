// Who sent a first packet, and whether that may be believed so far as to answer there. Whoever writes a SOURCE
// list chooses where our answer goes: to one host that is not ourselves, or nowhere (reliability S4, S12).

import type { ServiceTable } from '../table/service-table';
import type { NetworkAddress } from '../wire/network-address';
import type { SalPacket } from '../wire/sal-packet';

/** The sender itself: the first of SOURCE when routers forwarded the packet (§4.2, Figure 5). */
export function clientOf(packet: SalPacket, from: NetworkAddress): NetworkAddress {
  const client = packet.source?.[0];
  if (client === undefined) return from;
  return client.isUnspecified ? asSeen(client, from) : client;
}

/**
 * An unspecified client is at the address that its packet came from: with the port recorded, which a process has in
 * both families, or the one it came from, if none is (protocol.md, ENDPOINT_SOURCE).
 */
export function asSeen(unspecified: NetworkAddress, from: NetworkAddress): NetworkAddress {
  return unspecified.port === 0 ? from : from.withPort(unspecified.port);
}

/** Only who speaks from this machine may say that the client is on it. */
export function isAnswerable(client: NetworkAddress, from: NetworkAddress, table: ServiceTable): boolean {
  if (!client.isUnicast || table.isBroadcastTarget(client)) return false;
  if (client.isLoopback && !from.isLoopback) return false;
  return (client.port === 0) === (from.port === 0);
}
