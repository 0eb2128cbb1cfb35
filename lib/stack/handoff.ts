// An open connection as a value: what one process says of it and another one needs to go on (beyond the paper, by the
// means of its §4.4). The flow keeps its flowIDs, nonces and numbers; the other process has it in its own flow table and
// tells the peer by a RSYN where it is now. Whoever has the value can take the connection over: it is a secret.

import { Flow } from '../sal/flow';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import { startMigration } from '../sal/signaling/migration';
import type { Instant } from '../time/instant';
import type { StreamState } from '../transport/stream/stream-state';
import { controlSequence } from '../wire/control-extension';
import { type FlowID, FlowNonce } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import type { ServiceID } from '../wire/service-id';
import type { Connection } from './connection';

export interface FlowState {
  readonly localFlowID: FlowID;
  readonly remoteFlowID: FlowID;
  readonly localNonce: readonly [high: number, low: number];
  readonly remoteNonce: readonly [high: number, low: number];
  /** Number of our next control packet, and of the peer's. */
  readonly sendNext: number;
  readonly receiveNext: number;
  readonly remote: NetworkAddress;
  readonly service: ServiceID | undefined;
}

export interface ConnectionState {
  readonly local: ServiceID | undefined;
  readonly remote: ServiceID | undefined;
  readonly flow: FlowState;
  readonly stream: StreamState;
}

/** What a process leaves: the connection, and what was received and nobody has read. */
export interface HandedOver {
  readonly connection: ConnectionState;
  readonly unread: Uint8Array;
}

export function describeConnection(
  { localServiceID: local, remoteServiceID: remote }: Connection,
  flow: Flow,
  stream: StreamState,
): ConnectionState {
  const { control, localNonce, remoteNonce } = flow;
  return {
    local,
    remote,
    stream,
    flow: {
      localFlowID: flow.localFlowID,
      remoteFlowID: flow.remoteFlowID,
      localNonce: [localNonce.high, localNonce.low],
      remoteNonce: [remoteNonce.high, remoteNonce.low],
      sendNext: control.sendNext,
      receiveNext: control.receiveNext,
      remote: flow.path!.remote,
      service: flow.service,
    },
  };
}

/** The flow, in the table and established; `undefined` when its flowID is taken or the table full. */
export function adoptFlow(sal: ServiceAccessLayer, state: FlowState, segments: HandshakeSegments): Flow | undefined {
  const { localFlowID, remoteFlowID, localNonce, remoteNonce } = state;
  const flow = new Flow(FlowNonce.of(...localNonce), state.sendNext, 6, segments);
  if (!sal.admitAs(flow, localFlowID)) return undefined;
  const output = sal.links.towards(state.remote);
  flow.service = state.service;
  flow.setRemote(remoteFlowID, FlowNonce.of(...remoteNonce));
  flow.setPath(sal.pathOf(output.index, undefined, state.remote), output);
  flow.control.handleConsumed(controlSequence(state.receiveNext - 1));
  flow.transition('synReceived');
  flow.transition('ackReceived');
  return flow;
}

/** Tells the peer where the flow is now; nothing leaves by it before the peer has answered. */
export function announceFlow(sal: ServiceAccessLayer, flow: Flow, now: Instant): void {
  const path = flow.path!;
  startMigration(sal, flow, path, sal.links.at(path.link), now);
}
