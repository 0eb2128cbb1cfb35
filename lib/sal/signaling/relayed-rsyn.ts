// RSYNs that come through a service router (§4.4): whom to ask for a peer that does not answer where it was, and when one
// that is passed to us is believed.

import type { NetworkAddress } from '../../wire/network-address';
import type { Flow } from '../flow';
import { answererOf, isRelayed } from './relayed-answer';
import type { ReceivedControl, SignalingContext } from './signaling-context';

/** The routers to ask: those that can be reached from where the flow is to be, and know us by that address. */
export function routersToAsk({ oldRouters }: SignalingContext, flow: Flow): readonly NetworkAddress[] {
  const { path, output } = flow.migration!.own!;
  const { family, isLoopback } = path.local ?? path.remote;
  if (!output.properties.encapsulated || isLoopback) return NONE;
  return oldRouters.of(flow).filter((router) => router.family === family);
}

/** Who says RSYN: the sender, or who the router says it was. */
export function moverOf(received: ReceivedControl): NetworkAddress {
  return answererOf(received);
}

/**
 * The nonce shows that it is the peer's; that the peer is where a router says is another matter, and tried only while we
 * look for it, and only when a router says so that we have asked: else a peer could have us send to whom it likes.
 */
export function mayBeBelieved(context: SignalingContext, flow: Flow, received: ReceivedControl): boolean {
  const { packet, batch, row } = received;
  if (!isRelayed(packet)) return true;
  const { own } = flow.migration ?? {};
  if (own?.kind !== 'move' || own.repetition.transmissions < 2 || packet.source?.length !== 1) return false;
  return routersToAsk(context, flow).some((router) => batch.isFrom(row, router));
}

const NONE: readonly NetworkAddress[] = [];
