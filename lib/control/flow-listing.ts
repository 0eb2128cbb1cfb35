// The flows of a stack as they are shown. A flow that begins or ends while the list is read may be missing.

import type { Flow } from '../sal/flow';
import { Connection } from '../stack/connection';
import { DatagramEndpoint } from '../stack/datagram-endpoint';
import type { Stack } from '../stack/stack';
import type { Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import { type ServiceID, ServicePrefix } from '../wire/service-id';
import { type ProtocolName, protocolName } from './rule-description';
import { nameOf } from './service-names';

export interface FlowDescription {
  readonly protocol: ProtocolName;
  /** `client`: this end asked for the service. */
  readonly role: 'client' | 'server';
  /** docs/states.md */
  readonly state: string;
  readonly serviceID: ServiceID | null;
  readonly name: string | null;
  readonly localFlowID: number;
  /** 0 until the peer has said it. */
  readonly remoteFlowID: number;
  /** Null until the peer has answered. */
  readonly localAddress: NetworkAddress | null;
  readonly remoteAddress: NetworkAddress | null;
  readonly link: number | null;
  /** That has the local address. */
  readonly interface: string | null;
  /** Milliseconds, smoothed; null before the first sample. */
  readonly roundTripTime: number | null;
  /** Of streams. Bytes; those of the connection, whichever of its flows carried them. */
  readonly bytesSent?: number;
  readonly bytesReceived?: number;
  readonly bytesBuffered?: number;
  readonly retransmittedBytes?: number;
  readonly congestionWindow?: number;
  readonly segmentSize?: number;
}

export function* listFlows(stack: Stack, now: Instant): Generator<FlowDescription> {
  const { flowTable } = stack.sal;
  // The list is read over many turns, and what it goes through is the table as it was.
  for (const flow of flowTable.values())
    if (flowTable.get(flow.localFlowID) === flow) yield describeFlow(stack, flow, now);
}

export function describeFlow(stack: Stack, flow: Flow, now: Instant): FlowDescription {
  const { owner, path, service } = flow;
  const id = service ?? (owner instanceof Connection ? (owner.localServiceID ?? owner.remoteServiceID) : undefined);
  const streamFields = owner instanceof Connection ? describeStream(owner, flow, now) : undefined;
  return {
    protocol: protocolName(flow.protocol),
    role: isClient(flow) ? 'client' : 'server',
    state: flow.state,
    serviceID: id ?? null,
    name: id === undefined ? null : nameOf(ServicePrefix.of(id)),
    localFlowID: flow.localFlowID,
    remoteFlowID: flow.remoteFlowID,
    localAddress: path?.local ?? null,
    remoteAddress: path?.remote ?? null,
    link: path?.link ?? null,
    interface: (path?.local && stack.mobility.interfaces.nameOf(path.local)) ?? null,
    roundTripTime: rounded(flow.control.measuredRoundTripTime) ?? null,
    ...streamFields,
  };
}

function isClient(flow: Flow): boolean {
  const { owner, request } = flow;
  if (request !== undefined) return false;
  if (owner instanceof Connection) return owner.remoteServiceID !== undefined;
  return owner instanceof DatagramEndpoint && owner.connectedFlow === flow;
}

function describeStream(connection: Connection, flow: Flow, now: Instant): Partial<FlowDescription> {
  const subflow = connection.subflowOf(flow, now);
  const { bytesAcknowledged, bytesReceived } = connection.transport.statistics;
  return {
    ...(subflow?.roundTripTime === undefined ? undefined : { roundTripTime: rounded(subflow.roundTripTime)! }),
    bytesSent: bytesAcknowledged,
    bytesReceived,
    bytesBuffered: connection.transport.bufferedBytes,
    retransmittedBytes: subflow?.retransmittedBytes ?? 0,
    congestionWindow: subflow?.congestionWindow ?? 0,
    segmentSize: subflow?.segmentSize ?? 0,
  };
}

/** To a microsecond. */
function rounded(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 1000) / 1000;
}
