// The link by which a stack reaches itself: what is sent arrives at once, whole and in order.

import { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import type { TransmitBatch } from '../wire/transmit-batch';
import type { SimulatedClock } from './clock';
import { Inbox } from './inbox';
import { packetsOf } from './transmit-row';

export class SimulatedLoopback {
  private readonly inbox: Inbox;

  constructor(clock: SimulatedClock, received: (batch: ReceivedBatch) => void) {
    this.inbox = new Inbox(clock, received);
  }

  transmit(batch: TransmitBatch): boolean {
    for (const { destination, source, bytes } of packetsOf(batch)) {
      this.inbox.offer({ bytes, source: source ?? LOOPBACK_ADDRESS, local: destination, broadcast: false });
    }
    return true;
  }

  hold(): void {
    this.inbox.hold();
  }

  release(): void {
    this.inbox.release();
  }

  close(): void {
    this.inbox.clear();
  }
}

const LOOPBACK_ADDRESS = NetworkAddress.parse('127.0.0.1')!;
