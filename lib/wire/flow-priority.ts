// Whether a flow is for reserve (§4.4), as its two ends tell each other: in the flags of an ENDPOINT_ADDRESS list on that
// flow, and in the detail of the SYN that begins it (docs/protocol.md).

export const FlowPriority = {
  /** The sender wants data on this flow only while no other one works. */
  reserve: 0x0001,
} as const;

/** The flags of a list, whose sender has heard the list of that number on the same flow last. */
export function priorityFlags(isReserve: boolean, heardNumber: number): number {
  return (isReserve ? FlowPriority.reserve : 0) | ((heardNumber & NUMBER_MASK) << 1);
}

/** Whether the sender of these flags has heard the list of that number, or a later one, on the flow. */
export function hasHeard(flags: number, number: number): boolean {
  return (((flags >>> 1) - number) & NUMBER_MASK) < NUMBER_MASK / 2;
}

/** As many bits of a number as there are. */
const NUMBER_MASK = 0x7fff;
