// Whether a flow is for reserve (§4.4), as its two ends tell each other: in the flags of an ENDPOINT_ADDRESS list on that
// flow, and in the detail of the SYN that begins it (docs/protocol.md).

export const FlowPriority = {
  /** The sender wants data on this flow only while no other one works. */
  reserve: 0x0001,
  /** The sender has heard that the receiver wants that. */
  heardReserve: 0x0002,
} as const;
