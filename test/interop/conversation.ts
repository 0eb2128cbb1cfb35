// Our stack and the model of the original on one path of 5 ms that may lose packets. Everything that our
// stack sends is judged, lost or not.

import { SimulatedClock } from '../../lib/sim/clock';
import { type Instant, milliseconds } from '../../lib/time/instant';
import { ModelPeer } from './model-peer';
import { OriginalPeer, type PacketKind } from './original-peer';
import { Control, type IpPacket, type PacketView, Tcp, viewOf } from './packet-view';
import { RawHost } from './raw-host';

export const OURS = '10.77.0.1';
export const THEIRS = '10.77.0.2';
const BROADCAST = '10.77.0.255';

/** Whether the path loses a packet. */
export type Loss = (view: PacketView, from: string) => boolean;

export class Conversation {
  readonly clock = new SimulatedClock(1000 as Instant);
  readonly host: RawHost;
  readonly peer: ModelPeer;
  readonly judge = new OriginalPeer(OURS);
  readonly sent: PacketKind[] = [];
  lost = 0;

  constructor(
    seed: number,
    private readonly loses: Loss,
  ) {
    this.host = new RawHost(this.clock, { address: OURS, broadcast: BROADCAST, seed });
    this.peer = new ModelPeer(THEIRS, this.clock, seed + 1, (packet) =>
      this.pass(packet, () => {
        this.judge.hears(packet);
        this.host.receive(packet);
      }),
    );
    this.host.forward(THEIRS);
    this.host.sent = (packet) => {
      this.sent.push(this.judge.judge(packet));
      this.pass(packet, () => this.peer.receive(packet));
    };
  }

  /** Lets time pass until `isDone`, at most `duration` milliseconds. Returns whether it is. */
  run(duration: number, isDone: () => boolean = () => false): boolean {
    const end = this.clock.now() + duration;
    while (!isDone()) {
      const next = this.clock.nextAt();
      if (next === undefined || next > end) break;
      this.clock.step();
    }
    return isDone();
  }

  private pass(packet: IpPacket, deliver: () => void): void {
    if (this.loses(viewOf(packet), packet.source)) this.lost++;
    else this.clock.scheduleAfter(milliseconds(5), deliver);
  }
}

/** Packets of a connection that can be lost, by name. */
export const packetNames = {
  SYN: (view: PacketView) => view.control?.flags === Control.syn,
  'SYN-ACK': (view: PacketView) => view.control?.flags === (Control.syn | Control.ack),
  'third ACK': (view: PacketView) => view.control?.flags === Control.ack && view.services.length > 0,
  'first data': (view: PacketView) => view.control === undefined && payloadOf(view).length > 0,
  'TCP FIN': (view: PacketView) => view.control === undefined && ((view.tcp?.flags ?? 0) & Tcp.fin) !== 0,
  FIN: (view: PacketView) => view.control?.flags === Control.fin,
  'ACK of FIN': (view: PacketView) => view.control?.flags === Control.ack && view.services.length === 0,
} as const;

export type PacketName = keyof typeof packetNames;

/** Loses the first packet of that name from `from`. */
export function losing(name: PacketName | undefined, from: string): Loss {
  let isLost = name === undefined;
  return (view, source) => {
    if (isLost || source !== from || !packetNames[name!](view)) return false;
    isLost = true;
    return true;
  };
}

function payloadOf(view: PacketView): Buffer {
  return view.tcp?.payload ?? view.datagram ?? Buffer.alloc(0);
}
