// What a router does to a first packet: the same packet, readdressed, with the way it came recorded in SOURCE
// (§4.2, Figure 5; footnote 1). No state is kept of it.

import type { ForwardRule } from '../table/service-rule';
import { fitsEndpointSourceExtension } from '../wire/endpoint-source-extension';
import type { NetworkAddress } from '../wire/network-address';
import { type SalPacket, writeSalPacketHeader } from '../wire/sal-packet';
import { fitsSourceExtension } from '../wire/source-extension';
import type { TransmitBatch } from '../wire/transmit-batch';
import { asSeen } from './client-address';

/** Why a packet is not forwarded. */
export type ForwardRefusal = 'forwardLoop' | 'forwardTooFar' | 'forwardNoIPv4';

/** The SOURCE list the packet leaves with: [client, router, router ...], ourselves last. */
export function extendSource(
  packet: SalPacket,
  from: NetworkAddress,
  addressedAs: NetworkAddress,
): readonly NetworkAddress[] | ForwardRefusal {
  const before = packet.source === undefined ? [from] : fillClient(packet.source, from);
  if (!addressedAs.isUnspecified && before.some((each) => each.equals(addressedAs))) return 'forwardLoop';
  return [...before, addressedAs];
}

/**
 * Writes the forwarded packet as a row of `batch`. A client on our loopback is known to others by the
 * address our packet comes from: its own entry becomes the unspecified address with its port.
 */
export function writeForwarded(
  batch: TransmitBatch,
  rule: ForwardRule,
  encapsulated: boolean,
  packet: SalPacket,
  source: readonly NetworkAddress[],
  sourceFlags: number,
  transport: { readonly bytes: Uint8Array; readonly offset: number; readonly length: number },
): ForwardRefusal | undefined {
  const visible = encapsulated ? visibleFrom(rule.address, source) : source;
  if (!encapsulated && visible.some((each) => each.family !== 4)) return 'forwardNoIPv4';
  const fits = encapsulated ? fitsEndpointSourceExtension(visible) : fitsSourceExtension(visible);
  if (!fits) return 'forwardTooFar';
  batch.begin(rule.address, undefined);
  batch.headerEnd += writeSalPacketHeader(batch.headers, batch.headerEnd, {
    sourceFlowID: packet.sourceFlowID,
    destinationFlowID: packet.destinationFlowID,
    protocol: packet.protocol,
    control: packet.control,
    destinationService: packet.destinationService,
    sourceService: packet.sourceService,
    source: visible,
    sourceKind: encapsulated ? 'endpointSource' : 'source',
    sourceFlags,
  });
  if (transport.length > 0) batch.appendPiece(transport.bytes, transport.offset, transport.length);
  batch.finish(0, 0);
  return undefined;
}

/** The first router that hears from a client fills in the address the client could not know. */
function fillClient(source: readonly NetworkAddress[], from: NetworkAddress): readonly NetworkAddress[] {
  const client = source[0]!;
  if (!client.isUnspecified) return source;
  return [asSeen(client, from), ...source.slice(1)];
}

function visibleFrom(target: NetworkAddress, source: readonly NetworkAddress[]): readonly NetworkAddress[] {
  const client = source[0]!;
  if (!client.isLoopback || target.isLoopback) return source;
  return [client.withoutIp(), ...source.slice(1)];
}
