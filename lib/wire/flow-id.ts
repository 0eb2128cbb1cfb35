// The two names of a flow (§3.2): a short flowID that demultiplexes, and a long nonce that protects the
// signaling of the flow against anyone who is not on the path (§4.4).

declare const flowIDBrand: unique symbol;

/** 32-bit unsigned, local to the host that chose it; 0 means "not known yet". */
export type FlowID = number & { readonly [flowIDBrand]: true };

export const FLOW_ID_UNKNOWN = 0 as FlowID;

export function flowID(value: number): FlowID {
  return (value >>> 0) as FlowID;
}

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
