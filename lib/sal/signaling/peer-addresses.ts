// What a peer tells of its addresses in the other family (§4.4), in packets that have shown to be its own. It is believed
// only so far that a RSYN may go there: data follows when the peer has answered from it.

import type { NetworkAddress } from '../../wire/network-address';
import type { Flow } from '../flow';
import type { ReceivedControl, SignalingContext } from './signaling-context';

export function notePeerAddresses(
  context: Pick<SignalingContext, 'isAnswerable'>,
  flow: Flow,
  { packet, batch, row }: ReceivedControl,
): void {
  const { addresses, addressesKind } = packet;
  const first =
    addresses?.controlSequence === 0 && addressesKind === 'endpointAddress' ? addresses.addresses[0] : undefined;
  if (first === undefined) return;
  const from = batch.source(row);
  const told = first.withPort(from.port);
  if (told.family !== from.family && context.isAnswerable(told, from)) keepPeerAddress(flow, told);
}

/** One of each family: the latest. */
export function keepPeerAddress(flow: Flow, address: NetworkAddress): void {
  const others = flow.peerAddresses?.filter(({ family }) => family !== address.family) ?? [];
  flow.peerAddresses = [address, ...others];
}
