// One flow of the captured host that our stack replaces: translates between the numbers which that host chose
// by chance and those of ours, and knows how far each has come.

import { patched } from './packet-patch';
import { Control, type IpPacket, type PacketView, Tcp } from './packet-view';

/** What one end of a flow chose by chance. */
interface Identity {
  readonly flowID: number;
  readonly nonce: string;
  readonly controlInitial: number;
  readonly tcpInitial: number;
}

/** Numbers relative to the initial ones of their sender. */
interface Progress {
  controlSent: number;
  tcpSent: number;
  controlAcked: number;
  tcpAcked: number;
}

export class ReplayedFlow {
  readonly captured: Identity;
  actual: Identity | undefined;
  private readonly capturedProgress = noProgress();
  private readonly actualProgress = noProgress();

  /** `first`: the captured SYN or SYN-ACK. `peer`: the one it answers or is answered by, when there is one. */
  constructor(
    first: PacketView,
    private readonly peer: PacketView | undefined,
  ) {
    this.captured = identityOf(first);
  }

  /** The captured host sent this. Tells what of it is new: not a retransmission. */
  noteCaptured(view: PacketView): { readonly payload: Buffer; readonly ends: boolean } {
    const before = this.capturedProgress.tcpSent;
    this.note(this.capturedProgress, this.captured, view);
    const { tcp } = view;
    const isNew = this.capturedProgress.tcpSent > before && tcp !== undefined;
    return { payload: isNew ? tcp.payload : Buffer.alloc(0), ends: isNew && (tcp.flags & Tcp.fin) !== 0 };
  }

  noteActual(view: PacketView): void {
    this.actual ??= identityOf(view);
    this.note(this.actualProgress, this.actual, view);
  }

  /** What our stack must still send before the peer's captured packet makes sense; `undefined`: nothing. */
  missingFor({ control, tcp }: PacketView): string | undefined {
    if (this.actual === undefined) return 'our stack has not begun the flow';
    const { capturedProgress: wanted, actualProgress: has, captured } = this;
    const acksControl = control !== undefined && (control.flags & Control.rst) === 0;
    if (acksControl && relative(control.ack, captured.controlInitial) > has.controlSent) return 'a FIN of ours';
    if (tcp !== undefined && relative(tcp.ack, captured.tcpInitial) > has.tcpSent) return 'data or FIN of our stream';
    if (wanted.controlAcked > has.controlAcked) return 'our acknowledgment of a SYN or FIN';
    return wanted.tcpAcked > has.tcpAcked ? 'our acknowledgment of data' : undefined;
  }

  /** A captured packet of the peer, as it would have sent it to our stack. */
  toActual({ packet, control, tcp }: PacketView): IpPacket {
    const { captured, actual } = this;
    if (actual === undefined) return packet;
    // The RST of someone who has no flow repeats our nonce (§6).
    const nonce = control?.nonce === captured.nonce ? { nonce: actual.nonce } : {};
    return patched(packet, {
      destinationFlowID: actual.flowID,
      ...nonce,
      ...(control === undefined ? {} : { controlAck: control.ack - captured.controlInitial + actual.controlInitial }),
      ...(tcp === undefined ? {} : { tcpAck: tcp.ack - captured.tcpInitial + actual.tcpInitial }),
    });
  }

  /** A packet of ours, as the captured host would have numbered it. */
  toCaptured({ packet, control, tcp }: PacketView): IpPacket {
    const { captured } = this;
    const actual = this.actual!;
    const signaling = (sequence: number) => ({
      controlSequence: sequence - actual.controlInitial + captured.controlInitial,
      nonce: captured.nonce,
    });
    return patched(packet, {
      sourceFlowID: captured.flowID,
      ...(control === undefined ? {} : signaling(control.sequence)),
      ...(tcp === undefined ? {} : { tcpSequence: tcp.sequence - actual.tcpInitial + captured.tcpInitial }),
    });
  }

  private note(progress: Progress, own: Identity, { control, tcp }: PacketView): void {
    if (control !== undefined && (control.flags & Control.rst) === 0) {
      const isMove = control.flags === Control.rsyn;
      const used = isMove || (control.flags & (Control.syn | Control.fin)) !== 0 ? 1 : 0;
      raise(progress, 'controlSent', relative(control.sequence, own.controlInitial) + used);
      if (control.ack !== 0) raise(progress, 'controlAcked', relative(control.ack, this.peer?.control?.sequence ?? 0));
    }
    if (tcp === undefined) return;
    const used = tcp.payload.length + ((tcp.flags & (Tcp.fin | Tcp.syn)) === 0 ? 0 : 1);
    raise(progress, 'tcpSent', relative(tcp.sequence, own.tcpInitial) + used);
    if ((tcp.flags & Tcp.ack) !== 0) raise(progress, 'tcpAcked', relative(tcp.ack, this.peer?.tcp?.sequence ?? 0));
  }
}

function identityOf(view: PacketView): Identity {
  return {
    flowID: view.sourceFlowID,
    nonce: view.control!.nonce,
    controlInitial: view.control!.sequence,
    tcpInitial: view.tcp?.sequence ?? 0,
  };
}

function noProgress(): Progress {
  return { controlSent: 0, tcpSent: 0, controlAcked: 0, tcpAcked: 0 };
}

function relative(sequence: number, initial: number): number {
  return (sequence - initial) >>> 0;
}

function raise(progress: Progress, key: keyof Progress, to: number): void {
  progress[key] = Math.max(progress[key], to);
}
