// Golden vectors of cutting and joining trains, as data: the TypeScript code and its native twin are both
// tested with them. Hexadecimal, with spaces between SAL header, TCP header with options, and payload.

export { cutVectors } from './cut-vectors';
export { joinVectors } from './join-vectors';

export interface CutVector {
  readonly name: string;
  readonly header: string;
  readonly pieces: readonly string[];
  readonly segmentSize: number;
  readonly isTrain: boolean;
  readonly packets: readonly string[];
}

/** Where a packet came from and arrived. */
export interface Arrival {
  /** Default 192.0.2.1. */
  readonly source?: string;
  /** Default 54325. */
  readonly sourcePort?: number;
  /** Of 192.0.2.2; default 40000. */
  readonly localPort?: number;
  readonly isBroadcast?: boolean;
}

/** Received in this order, each behind the one before in the slab. */
export interface ReceivedPacket extends Arrival {
  readonly bytes: string;
}

/** A row of kind train. */
export interface TrainRow extends Arrival {
  readonly sequence: number;
  readonly tcpFlags: number;
  readonly segments: number;
  readonly segmentSize: number;
  readonly payload: string;
  /** Default 77. */
  readonly acknowledgment?: number;
  /** Default 500. */
  readonly window?: number;
  /** Default none. */
  readonly options?: string;
  /** Default 0x0a000002. */
  readonly sourceFlowID?: number;
  /** Default 0x0b000003. */
  readonly destinationFlowID?: number;
}

/** A row of kind packet. */
export interface PacketRow extends Arrival {
  readonly bytes: string;
  readonly sourceFlowID?: number;
  readonly destinationFlowID?: number;
}

export interface JoinVector {
  readonly name: string;
  readonly packets: readonly ReceivedPacket[];
  readonly rows: readonly (TrainRow | PacketRow)[];
  /** Packets dropped, by `WireError`. */
  readonly drops: Readonly<Record<string, number>>;
}
