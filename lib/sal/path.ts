// Where a flow's packets go and come from: a link, and an address at each end. Immutable: a flow that
// migrates gets another path (§4.4).

import type { NetworkAddress } from '../wire/network-address';

export class Path {
  constructor(
    /** Index of the link, as the stack numbered it. */
    readonly link: number,
    /** `undefined` until a packet told which of our addresses is in use, or where the link cannot tell. */
    readonly local: NetworkAddress | undefined,
    readonly remote: NetworkAddress,
  ) {}

  toString(): string {
    return `${this.local ?? '*'} > ${this.remote}`;
  }
}
