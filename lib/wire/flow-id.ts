// The two names of a flow (§3.2): a short flowID that demultiplexes, and a long nonce that protects the
// signaling of the flow against anyone who is not on the path (§4.4).

import { FLOW_TAG_BITS } from '../limits';

declare const flowIDBrand: unique symbol;

/** 32-bit unsigned, local to the host that chose it; 0 means "not known yet". */
export type FlowID = number & { readonly [flowIDBrand]: true };

export const FLOW_ID_UNKNOWN = 0 as FlowID;

export function flowID(value: number): FlowID {
  return (value >>> 0) as FlowID;
}

/**
 * What the flowIDs of one process begin with where its link hears the packets of every process (raw IP): the kernel
 * drops by it what is for others (docs/decisions/flow-tags.md).
 */
export class FlowTag {
  private constructor(readonly value: number) {}

  /** Of as many of the word's leading bits as a tag has. */
  static of(word: number): FlowTag {
    return new FlowTag((word & TAG_MASK) >>> 0);
  }

  /** The flowID with the tag in front. */
  mark(id: FlowID): FlowID {
    return flowID((id & ~TAG_MASK) | this.value);
  }
}

const TAG_MASK = -1 << (32 - FLOW_TAG_BITS);

/** 64 random bits, announced in SYN or SYN-ACK and repeated in every control packet of its owner. */
export class FlowNonce {
  static readonly zero = new FlowNonce(0, 0);

  private constructor(
    /** Signed, which V8 keeps in place: half of all unsigned words would be objects. */
    readonly high: number,
    readonly low: number,
  ) {}

  static of(high: number, low: number): FlowNonce {
    return new FlowNonce(high | 0, low | 0);
  }

  /** Takes the same time whether and wherever the two differ. */
  equals(other: FlowNonce): boolean {
    return ((this.high ^ other.high) | (this.low ^ other.low)) === 0;
  }

  toString(): string {
    return hex(this.high) + hex(this.low);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
