// Between a stream's positions, which count its bytes from 0 and never wrap, and TCP's sequence numbers, which begin
// anywhere and do (RFC 9293 3.4). All flows of a stream share it (§4.4).

import { advance, distance } from '../../wire/serial-number';
import type { StreamNegotiation } from './stream-handshake';

export class SequenceSpace {
  private readonly local: number;
  private readonly peer: number;

  constructor({ localSequence, peerSequence }: StreamNegotiation) {
    this.local = localSequence;
    this.peer = peerSequence;
  }

  sequenceOf(position: number): number {
    return advance(this.local, position + 1);
  }

  /** The position that has this number and lies nearest to `near`. */
  positionOf(sequence: number, near: number): number {
    return near + distance(this.sequenceOf(near), sequence);
  }

  /** The same for what the peer sends. */
  peerSequenceOf(position: number): number {
    return advance(this.peer, position + 1);
  }

  peerPositionOf(sequence: number, near: number): number {
    return near + distance(this.peerSequenceOf(near), sequence);
  }
}
