// Answers that come back through a router, because the client's middlebox lets in nobody else (§7): who asks for it, and
// when a client believes one.

import { EndpointSourceFlag, relayIndex } from '../../wire/endpoint-source-extension';
import type { NetworkAddress } from '../../wire/network-address';
import type { SalPacket } from '../../wire/sal-packet';
import { type Flow, MANY_HOPS } from '../flow';
import type { ReceivedControl, SignalingContext } from './signaling-context';

/** The router to which the answer to a SYN goes; `undefined`: to the client itself, as ever on raw links. */
export function relayOf({ packet, output }: Pick<ReceivedControl, 'packet' | 'output'>): NetworkAddress | undefined {
  const { source, sourceFlags = 0 } = packet;
  const isWanted = (sourceFlags & EndpointSourceFlag.relay) !== 0 && output.properties.encapsulated;
  return isWanted ? source![relayIndex(sourceFlags)] : undefined;
}

export function isRelayed({ sourceFlags = 0 }: SalPacket): boolean {
  return (sourceFlags & EndpointSourceFlag.relayed) !== 0;
}

/** Who answers: the sender, or who the router says it was. */
export function answererOf({ packet, batch, row }: ReceivedControl): NetworkAddress {
  return isRelayed(packet) ? packet.source![0]! : batch.source(row);
}

/**
 * Only the router that the SYN went to may tell that somebody else answers: any other could have the client send to
 * whom it likes.
 */
export function mayBeRelayed(context: SignalingContext, { lastHop }: Flow, received: ReceivedControl): boolean {
  const { packet, batch, row } = received;
  if (!isRelayed(packet)) return true;
  if (lastHop === undefined || lastHop === MANY_HOPS || !batch.isFrom(row, lastHop)) return false;
  return context.isAnswerable(answererOf(received), batch.source(row));
}
