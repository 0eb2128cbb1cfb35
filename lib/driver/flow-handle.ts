// One flow of a stream as its application sees it: what was measured when it asked, and what may be done to it.

import type { NetworkAddress } from '../wire/network-address';
import type { FlowInformation } from './handles';

/** What the flow's connection does for it. */
export interface FlowActions {
  setBackup(backup: boolean): boolean;
  close(): boolean;
}

export class FlowHandle implements FlowInformation {
  readonly localFlowID: number;
  readonly remoteFlowID: number;
  readonly localAddress: NetworkAddress | undefined;
  readonly remoteAddress: NetworkAddress;
  readonly state: string;
  readonly roundTripTime: number | undefined;
  readonly congestionWindow: number;
  readonly segmentSize: number;
  readonly retransmittedBytes: number;
  readonly backup: boolean;
  readonly #actions: FlowActions;

  constructor(fields: Omit<FlowInformation, keyof FlowActions>, actions: FlowActions) {
    this.localFlowID = fields.localFlowID;
    this.remoteFlowID = fields.remoteFlowID;
    this.localAddress = fields.localAddress;
    this.remoteAddress = fields.remoteAddress;
    this.state = fields.state;
    this.roundTripTime = fields.roundTripTime;
    this.congestionWindow = fields.congestionWindow;
    this.segmentSize = fields.segmentSize;
    this.retransmittedBytes = fields.retransmittedBytes;
    this.backup = fields.backup;
    this.#actions = actions;
  }

  setBackup(backup: boolean): boolean {
    return this.#actions.setBackup(backup);
  }

  close(): boolean {
    return this.#actions.close();
  }
}
