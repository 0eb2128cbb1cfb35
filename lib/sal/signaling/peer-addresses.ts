// What a peer tells of its address in the other family, and of its service router (§4.4), in packets that have shown to be
// its own. It is believed only so far that a RSYN may go there: data follows when the peer has answered from it.

import type { NetworkAddress } from '../../wire/network-address';
import type { Flow } from '../flow';
import type { ReceivedControl, SignalingContext } from './signaling-context';

export function notePeerAddresses(
  context: Pick<SignalingContext, 'isAnswerable' | 'oldRouters'>,
  flow: Flow,
  { packet, batch, row }: ReceivedControl,
): void {
  const { addresses, addressesKind } = packet;
  if (addresses?.controlSequence !== 0 || addressesKind !== 'endpointAddress') return;
  const from = batch.source(row);
  const told = addresses.addresses.find(({ port }) => port === 0)?.withPort(from.port);
  if (told !== undefined && told.family !== from.family && context.isAnswerable(told, from)) {
    keepPeerAddress(flow, told);
  }
  const router = addresses.addresses.find(({ port }) => port !== 0);
  if (router !== undefined && context.isAnswerable(router, from)) flow.routers ??= context.oldRouters.ofPeer(router);
}

/** One of each family: the latest. */
export function keepPeerAddress(flow: Flow, address: NetworkAddress): void {
  const others = flow.peerAddresses?.filter(({ family }) => family !== address.family) ?? [];
  flow.peerAddresses = [address, ...others];
}
