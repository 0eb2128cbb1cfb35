// What a connection needs of the stack around it.

import type { Flow } from '../sal/flow';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import type { PathSize } from '../transport/transport';
import type { Connection } from './connection';
import type { FlowMobility } from './flow-mobility';

export interface ConnectionContext {
  readonly sal: ServiceAccessLayer;
  /** The connection has something to transmit, to say, or another deadline: settle it before the turn ends. */
  touch(connection: Connection): void;
  /** The driver is to ask for the connection's signals. */
  announce(connection: Connection): void;
  pathSizeOf(flow: Flow): PathSize;
  createFlowSegments(link: number): HandshakeSegments;
  readonly mobility: FlowMobility;
  /** The flow's peer has not been heard for some time: controllers are told. */
  pathSilent(flow: Flow): void;
  forget(connection: Connection): void;
}
