// Packets for a flow in TIME-WAIT (§4.4): a peer that has not heard our last acknowledgment repeats its FIN, and is
// told again; its reset ends the rest. Nothing else can still mean anything.

import { ControlFlag, controlSequence } from '../../wire/control-extension';
import { writeSalPacketHeader } from '../../wire/sal-packet';
import { isAtOrBefore } from '../../wire/serial-number';
import type { EndedFlow, TimeWait } from '../time-wait';
import type { ReceivedControl } from './signaling-context';
import { isAnswerToOurs } from './teardown';

export interface TimeWaitContext {
  readonly timeWait: TimeWait;
  count(name: string): void;
}

/** False when the packet's flow does not rest here. */
export function handleEnded(context: TimeWaitContext, received: ReceivedControl): boolean {
  const { packet } = received;
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
    acknowledge(ended, received);
  return true;
}

/** Where the packet came from: its sender may have moved, and the nonce says that it is the peer. */
function acknowledge(ended: EndedFlow, { packet, batch: from, row, output }: ReceivedControl): void {
  const { localFlowID: sourceFlowID, remoteFlowID: destinationFlowID, protocol, receiveNext } = ended;
  const { flags, controlSequence: sequence } = packet.control!;
  const isFin = (flags & ControlFlag.fin) !== 0;
  const batch = output.withSignalingRoom();
  if (batch === undefined) return;
  const local = from.local(row);
  batch.begin(from.source(row), local.isUnspecified || from.isBroadcast(row) ? undefined : local.withPort(0));
  batch.headerEnd += writeSalPacketHeader(batch.headers, batch.headerEnd, {
    sourceFlowID,
    destinationFlowID,
    protocol,
    control: {
      flags: ControlFlag.ack,
      controlSequence: ended.sendNext,
      // A FIN that came again with a RSYN has another number.
      controlAck: isFin && isAtOrBefore(receiveNext, sequence) ? controlSequence(sequence + 1) : receiveNext,
      nonce: ended.localNonce,
    },
  });
  batch.finish(0, 0);
}
