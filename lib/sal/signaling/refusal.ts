// RST in answer to packets that found no flow, no service, or a connection that another instance has already.
// A reset of one of our own flows stands in teardown.ts.

import { ControlFlag, type ControlSequence, controlSequence, REFUSED_FULL } from '../../wire/control-extension';
import { EndpointSourceFlag } from '../../wire/endpoint-source-extension';
import type { FlowID, FlowNonce } from '../../wire/flow-id';
import type { NetworkAddress } from '../../wire/network-address';
import { writeSalPacketHeader } from '../../wire/sal-packet';
import { clientOf } from '../client-address';
import type { Flow } from '../flow';
import { answererOf, isRelayed, relayOf } from './relayed-answer';
import type { ReceivedControl, SignalingContext } from './signaling-context';

/** Whether nobody but this process heard the packet: else another one may have what it asks for. */
export function isForUsAlone({ batch, row, output }: ReceivedControl): boolean {
  return output.isOursAlone && !batch.isBroadcast(row);
}

/**
 * Tells whoever sent a SYN that nobody here has the service, or that it is `full`; the nonce proves that we saw the SYN.
 */
export function refuseSyn(received: ReceivedControl, full = false): void {
  const control = received.packet.control!;
  const acknowledgment = controlSequence(control.controlSequence + 1);
  refuse(received, controlSequence(0), acknowledgment, refusalDetail(received, full));
}

/** The same, to where the SYN came from: the client, or the router before us, which passes it on as any answer (§7). */
export function refuseBack(received: ReceivedControl, full: boolean): void {
  const { packet, batch, row } = received;
  const { controlSequence: sequence, nonce } = packet.control!;
  const local = batch.local(row);
  const passes = isForwarded(received);
  writeReset(
    received,
    passes ? batch.source(row) : clientAddressOf(received),
    local.isUnspecified ? undefined : local,
    {
      sourceFlowID: packet.destinationFlowID,
      controlSequence: controlSequence(0),
      controlAck: controlSequence(sequence + 1),
      detail: refusalDetail(received, full),
      nonce,
      ...(passes ? { source: [local], sourceFlags: EndpointSourceFlag.relay | EndpointSourceFlag.relayed } : {}),
    },
  );
}

/** How many routers it has passed, and whether there is no place. */
function refusalDetail({ packet }: ReceivedControl, full: boolean): number {
  return Math.max((packet.source?.length ?? 0) - 1, 0) | (full ? REFUSED_FULL : 0);
}

/** Tells an instance, where its SYN-ACK came from, that the client waits no longer. */
export function refuseSynAck(received: ReceivedControl): void {
  const { packet, batch, row } = received;
  const { nonce, controlAck, controlSequence: sequence } = packet.control!;
  const local = batch.local(row);
  writeReset(received, batch.source(row), local.isUnspecified ? undefined : local, {
    sourceFlowID: packet.destinationFlowID,
    controlSequence: controlAck,
    controlAck: controlSequence(sequence + 1),
    detail: 0,
    nonce,
  });
}

/** Tells a client that the flow of its third ACK is gone: what it sent last is what the RST acknowledges. */
export function refuseThirdAck(received: ReceivedControl): void {
  const control = received.packet.control!;
  refuse(received, control.controlAck, control.controlSequence, 0);
}

/** Ad hoc, the first answer wins (§4.3); the others are told, so that they need not wait for a timeout. */
export function rejectInstance(context: SignalingContext, flow: Flow, received: ReceivedControl): void {
  const control = received.packet.control!;
  context.count('synAckSecond');
  // Only the SYN we sent has this acknowledgment: a guess does not make us answer.
  if (control.controlAck !== flow.control.sendUnacknowledged && control.controlAck !== flow.control.sendNext) return;
  resetInstance(context, flow, received);
}

/** The RST to a SYN-ACK that nobody needs. */
export function resetInstance(context: SignalingContext, flow: Flow, received: ReceivedControl): void {
  const control = received.packet.control!;
  const local = isRelayed(received.packet) ? undefined : context.localAddressOf(received);
  writeReset(received, answererOf(received), local, {
    sourceFlowID: flow.localFlowID,
    controlSequence: control.controlAck,
    controlAck: controlSequence(control.controlSequence + 1),
    detail: 0,
    nonce: flow.localNonce,
  });
}

/** The client's own address. The caller has made sure that it may be answered. */
export function clientAddressOf({ packet, batch, row }: ReceivedControl): NetworkAddress {
  return clientOf(packet, batch.source(row));
}

/** Whether a router passed the packet on. A client that wants to know its way begins the list itself. */
export function isForwarded({ packet }: ReceivedControl): boolean {
  return (packet.source?.length ?? 0) > 1;
}

/** A RST that answers `received` with its own nonce, which only we and its sender have seen. */
function refuse(
  received: ReceivedControl,
  sequence: ControlSequence,
  acknowledgment: ControlSequence,
  detail: number,
): void {
  const { packet, batch, row } = received;
  const local = batch.local(row);
  // One that a router passed on may have reached us on loopback: the kernel chooses where to answer from.
  const from = isForwarded(received) || local.isUnspecified ? undefined : local;
  const relay = relayOf(received);
  const answer =
    relay === undefined ? {} : { source: packet.source!.slice(0, 1), sourceFlags: EndpointSourceFlag.relay };
  writeReset(received, relay ?? clientAddressOf(received), from, {
    ...answer,
    sourceFlowID: packet.destinationFlowID,
    controlSequence: sequence,
    controlAck: acknowledgment,
    detail,
    nonce: packet.control!.nonce,
  });
}

interface Reset {
  readonly sourceFlowID: FlowID;
  readonly controlSequence: ControlSequence;
  readonly controlAck: ControlSequence;
  readonly detail: number;
  readonly nonce: FlowNonce;
  readonly source?: readonly NetworkAddress[];
  readonly sourceFlags?: number;
}

/** Never with a SERVICE: the original would close its listener (wire format §16). */
function writeReset(
  { packet, output }: ReceivedControl,
  to: NetworkAddress,
  from: NetworkAddress | undefined,
  { sourceFlowID, source, sourceFlags, ...numbers }: Reset,
): void {
  const transmit = output.withSignalingRoom();
  if (transmit === undefined) return;
  transmit.begin(to, from);
  transmit.headerEnd += writeSalPacketHeader(transmit.headers, transmit.headerEnd, {
    sourceFlowID,
    destinationFlowID: packet.sourceFlowID,
    protocol: packet.protocol,
    control: { flags: ControlFlag.rst | ControlFlag.ack, ...numbers },
    source,
    sourceKind: 'endpointSource',
    sourceFlags,
  });
  transmit.finish(0, 0);
}
