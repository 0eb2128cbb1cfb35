// Packets for a flow in TIME-WAIT (§4.4): a peer that has not heard our last acknowledgment repeats its FIN, and is
// told again; its reset ends the rest. Nothing else can still mean anything.

import { ControlFlag } from '../../wire/control-extension';
import { writeSalPacketHeader } from '../../wire/sal-packet';
import type { LinkOutput } from '../link-output';
import type { EndedFlow, TimeWait } from '../time-wait';
import type { ReceivedControl } from './signaling-context';
import { isAnswerToOurs } from './teardown';

export interface TimeWaitContext {
  readonly timeWait: TimeWait;
  readonly links: { at(link: number): LinkOutput };
  count(name: string): void;
}

/** False when the packet's flow does not rest here. */
export function handleEnded(context: TimeWaitContext, { packet }: ReceivedControl): boolean {
  const ended = context.timeWait.recall(packet.destinationFlowID);
  if (ended === undefined || ended.protocol !== packet.protocol) return false;
  const { control } = packet;
  if (control === undefined) return true;
  const isFromPeer = packet.sourceFlowID === ended.remoteFlowID && control.nonce.equals(ended.remoteNonce);
  if ((control.flags & ControlFlag.rst) !== 0) {
    if (isFromPeer || isAnswerToOurs(control, ended.localNonce, ended)) context.timeWait.forget(ended.localFlowID);
    else context.count('badNonce');
  } else if (!isFromPeer) context.count('badNonce');
  // A repeated third ACK asks for an answer as well: it names the service.
  else if ((control.flags & ControlFlag.fin) !== 0 || packet.destinationService !== undefined)
    acknowledge(context, ended);
  return true;
}

function acknowledge({ links }: TimeWaitContext, ended: EndedFlow): void {
  const { path, localFlowID: sourceFlowID, remoteFlowID: destinationFlowID, protocol } = ended;
  const batch = links.at(path.link).withRoom();
  if (batch === undefined) return;
  batch.begin(path.remote, path.local);
  batch.headerEnd += writeSalPacketHeader(batch.headers, batch.headerEnd, {
    sourceFlowID,
    destinationFlowID,
    protocol,
    control: {
      flags: ControlFlag.ack,
      controlSequence: ended.sendNext,
      controlAck: ended.receiveNext,
      nonce: ended.localNonce,
    },
  });
  batch.finish(0, 0);
}
