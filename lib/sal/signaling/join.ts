// Further flows of a connection (§4.4): SYN, SYN-ACK and ACK on another path. The SYN names no service but a flow of the
// connection, as its destination; that it has the nonce of that flow's other end shows that it comes from there. All
// flows of an end have one nonce. Where each end may be reached it tells in lists that ride on acknowledgments.

import { JOIN_TIMEOUT } from '../../limits';
import type { Instant } from '../../time/instant';
import type { AddressExtension } from '../../wire/address-extension';
import { ControlFlag } from '../../wire/control-extension';
import type { Flow } from '../flow';
import type { LinkOutput } from '../link-output';
import type { Path } from '../path';
import { handleSyn } from './handshake';
import { isForUsAlone, refuseSyn } from './refusal';
import type { ReceivedControl, SignalingContext } from './signaling-context';

/** `flow`, new and with the nonce of `sibling`, is to join its connection by `path`. False when the table is full. */
export function startJoin(
  context: SignalingContext,
  flow: Flow,
  sibling: Flow,
  path: Path,
  output: LinkOutput,
  now: Instant,
): boolean {
  if (!context.admit(flow)) return false;
  flow.service = sibling.service;
  flow.setRemote(sibling.remoteFlowID, sibling.remoteNonce);
  flow.setPath(path, output);
  flow.transition('connect');
  flow.control.consume(now);
  flow.setLifetime(JOIN_TIMEOUT, now);
  context.count('joinStarted');
  sendJoin(flow);
  context.reschedule(flow);
  return true;
}

export function sendJoin(flow: Flow): void {
  flow.sendControl(ControlFlag.syn, flow.control.sendUnacknowledged, {
    segment: 'syn',
    detail: flow.owner?.flowPriority?.(flow) ?? 0,
  });
}

/** A SYN for one of our flows: the peer wants a further one. */
export function handleJoin(context: SignalingContext, sibling: Flow, received: ReceivedControl, now: Instant): void {
  const { packet, batch, row } = received;
  if (!packet.control!.nonce.equals(sibling.remoteNonce)) {
    context.count('badNonce');
    return;
  }
  const from = batch.source(row);
  // One that a router passed on would have us answer to where its list says.
  if (packet.source !== undefined || !context.isAnswerable(from, from)) {
    context.count('sourceAddress');
    return;
  }
  const listener = sibling.canMigrate ? sibling.owner?.flowJoining?.(sibling) : undefined;
  if (listener !== undefined) handleSyn(context, listener, received, now);
  else if (isForUsAlone(received)) refuseSyn(received);
}

/** It has to come from whom, and to where, it was asked. */
export function isAnswerToJoin({ path, remoteNonce }: Flow, { packet, batch, row }: ReceivedControl): boolean {
  return packet.control!.nonce.equals(remoteNonce) && batch.isFrom(row, path!.remote);
}

/** Tells the peer of `flow` where else this end may be reached. Only where the peer is no original. */
export function tellAddresses(flow: Flow, list: AddressExtension): void {
  flow.sendControl(ControlFlag.ack, flow.control.sendNext, { addresses: list });
}

/** What an acknowledgment of the peer, which has passed the nonce check, says besides. */
export function handleAddresses(flow: Flow, { packet, batch, row }: ReceivedControl, now: Instant): void {
  if (packet.addresses === undefined || packet.addressesKind !== 'endpointAddress') return;
  // One that is not numbered is no list: peer-addresses.ts.
  if (packet.addresses.controlSequence === 0) return;
  flow.owner?.flowAddresses?.(flow, packet.addresses, batch.source(row), now);
}
