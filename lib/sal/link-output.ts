// One attached link as the SAL sees it: its properties, and the batch that the driver hands to it when the
// stack has been polled. All packets of all flows go out through here, so what is for one peer stays together.

import { TRANSMIT_ROWS } from '../limits';
import { TransmitBatch } from '../wire/transmit-batch';
import type { LinkProperties } from './link-properties';

export class LinkOutput {
  readonly batch = new TransmitBatch(TRANSMIT_ROWS);
  /** Set by the driver while the link holds a rest: no data is added until it is writable again. */
  isCongested = false;

  constructor(
    readonly index: number,
    readonly properties: LinkProperties,
  ) {}

  /** Whether nobody but this process hears what comes: not on a link without ports, which the whole host shares. */
  get isOursAlone(): boolean {
    return this.properties.encapsulated || this.properties.kind === 'memory';
  }

  /** The batch, if it has room for another row, and for `copied` bytes of payload in it. */
  withRoom(copied = 0): TransmitBatch | undefined {
    return !this.isCongested && this.batch.hasRoom(copied) ? this.batch : undefined;
  }

  /**
   * The same for a packet of signaling, which waits in the batch while the link holds a rest: nothing asks again soon
   * for a SYN-ACK that was not sent, and a link that data keeps full would refuse one after the other.
   */
  withSignalingRoom(): TransmitBatch | undefined {
    return this.batch.hasRoom() ? this.batch : undefined;
  }
}
