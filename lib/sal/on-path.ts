// Whether a packet of a flow comes from the flow's peer. Control packets have the nonce to show that; data has the
// two flowIDs, which are short, and the address that it comes from (§3.2).

import type { Instant } from '../time/instant';
import { type ReceivedBatch, ReceivedField } from '../wire/received-batch';
import type { Flow } from './flow';

/** Data must come from where the flow's peer is, says to be now (§4.4), or has just been. */
export function isOnPath(flow: Flow, batch: ReceivedBatch, row: number, now: Instant): boolean {
  if (flow.state === 'respond') return false;
  if (isFromPeer(flow, batch, row)) return true;
  return flow.migration !== undefined && isOfPeer(flow, batch, row) && flow.migration.welcomes(batch, row, now);
}

export function isFromPeer(flow: Flow, batch: ReceivedBatch, row: number): boolean {
  const { path } = flow;
  return path !== undefined && isOfPeer(flow, batch, row) && batch.isFrom(row, path.remote);
}

/** Whether it says to be the peer's, wherever it came from. */
export function isOfPeer({ remoteFlowID }: Flow, batch: ReceivedBatch, row: number): boolean {
  return remoteFlowID === batch.field(row, ReceivedField.sourceFlowID) >>> 0;
}
