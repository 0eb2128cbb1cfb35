// A first-in first-out queue that drops what comes when it is full, as most routers do.

import { ipLength, type SimulatedPacket } from '../simulated-packet';
import type { PacketQueue, QueueDiscipline } from './rate';

export interface TailDropBounds {
  readonly packets?: number;
  /** Bytes of IP packets. */
  readonly bytes?: number;
}

export class TailDropQueue implements QueueDiscipline {
  readonly packets: number;
  readonly bytes: number;

  /** Without bounds the queue holds `DEFAULT_QUEUE_PACKETS`. */
  constructor(bounds: TailDropBounds = {}) {
    this.packets = bounds.packets ?? (bounds.bytes === undefined ? DEFAULT_QUEUE_PACKETS : Number.POSITIVE_INFINITY);
    this.bytes = bounds.bytes ?? Number.POSITIVE_INFINITY;
  }

  open(): PacketQueue {
    const waiting: SimulatedPacket[] = [];
    let bytes = 0;
    return {
      offer: (packet) => {
        if (waiting.length >= this.packets || bytes + ipLength(packet) > this.bytes) return 'queue full';
        waiting.push(packet);
        bytes += ipLength(packet);
        return undefined;
      },
      poll: () => {
        const packet = waiting.shift();
        if (packet !== undefined) bytes -= ipLength(packet);
        return packet;
      },
    };
  }
}

/** The transmit queue of a Linux interface. */
const DEFAULT_QUEUE_PACKETS = 1000;
