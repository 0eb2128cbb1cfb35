// How much payload a datagram may have on its way. Who sends one sends many to the same place, and the answer hardly
// changes: it is asked for once in each transmit batch.

import type { LinkOutput } from '../sal/link-output';
import type { NetworkAddress } from '../wire/network-address';
import { pathSize } from './path-size';

export class PayloadRoom {
  private output: LinkOutput | undefined;
  private remote: NetworkAddress | undefined;
  private turn = 0;
  private bytes = 0;

  constructor(private readonly mtuTo: (link: number, remote: NetworkAddress) => number | undefined) {}

  /** Bytes behind the bare SAL header of a packet to `remote`. */
  to(output: LinkOutput, remote: NetworkAddress): number {
    const { batch } = output;
    // What lies in the batch will leave and end its turn; an empty one may stay for ever.
    if (batch.isEmpty || this.output !== output || this.remote !== remote || this.turn !== batch.turn) {
      this.output = output;
      this.remote = remote;
      this.turn = batch.turn;
      this.bytes = pathSize(
        output.properties,
        remote,
        this.mtuTo(output.index, remote) ?? output.properties.mtu,
      ).maximum;
    }
    return this.bytes;
  }
}
