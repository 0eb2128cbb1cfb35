// A line of limited rate: one packet after the other takes the time its bits need. What waits for the line
// is held by a queue, which decides whom to drop.

import type { Duration } from '../../time/instant';
import type { ElementSite, NetworkElement, PacketSink } from '../network-element';
import { ipLength, type SimulatedPacket } from '../simulated-packet';
import { TailDropQueue } from './tail-drop-queue';

/** Makes the queue of one place; it holds packets while the line is busy. */
export interface QueueDiscipline {
  open(): PacketQueue;
}

export interface PacketQueue {
  /** Takes the packet, or says why not. */
  offer(packet: SimulatedPacket): string | undefined;
  /** The packet to send next. */
  poll(): SimulatedPacket | undefined;
}

export class Rate implements NetworkElement {
  constructor(
    public bitsPerSecond: number,
    readonly discipline: QueueDiscipline = new TailDropQueue(),
  ) {
    if (!(bitsPerSecond > 0)) throw new RangeError(`bitsPerSecond must be greater than 0, not ${bitsPerSecond}`);
  }

  attach({ clock, next, dropped }: ElementSite): PacketSink {
    const queue = this.discipline.open();
    let busy = false;
    const send = (packet: SimulatedPacket): void => {
      busy = true;
      clock.scheduleAfter(this.transmissionTime(packet), () => {
        busy = false;
        const waiting = queue.poll();
        if (waiting !== undefined) send(waiting);
        next(packet);
      });
    };
    return (packet) => {
      if (!busy) return send(packet);
      const reason = queue.offer(packet);
      if (reason !== undefined) dropped(packet, reason);
    };
  }

  private transmissionTime(packet: SimulatedPacket): Duration {
    return ((ipLength(packet) * 8 * 1000) / this.bitsPerSecond) as Duration;
  }
}
