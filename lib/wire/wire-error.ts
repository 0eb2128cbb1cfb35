// The reasons for which bytes are refused. They are the names of drop counters, so they stay as they are;
// a bad packet is dropped and counted, never thrown.

export const WIRE_ERRORS = [
  /** Fewer bytes than a SAL header, or than the header says it has. */
  'truncated',
  /** shl below 3 words. */
  'badHeaderLength',
  /** The Internet checksum over the SAL header and its extensions is wrong. */
  'badCheck',
  /** An extension of a length that its type does not have, or that leaves the header. */
  'extensionLength',
  'unknownExtension',
  'tooManyExtensions',
  /** A second CONTROL, ADDRESS or source list, or a third SERVICE. */
  'duplicateExtension',
  /** A source list with too few or too many addresses. */
  'sourceAddresses',
  /** An ENDPOINT_SOURCE entry that is neither IPv4 nor IPv6. */
  'endpointFamily',
  'tcpTruncated',
  /** TCP data offset below 5 words or beyond the packet. */
  'tcpHeaderLength',
  /** A TCP option of impossible length. */
  'tcpOptionLength',
  'udpTruncated',
  /** UDP length below 8 or beyond the packet. */
  'udpLength',
  'badTransportChecksum',
  'ipTruncated',
  'ipVersion',
  'ipHeaderLength',
  /** IP total length below the header's or beyond the packet. */
  'ipTotalLength',
  'ipChecksum',
] as const;

export type WireError = (typeof WIRE_ERRORS)[number];

/** How many packets were refused, by reason. */
export type WireErrorCounters = Record<WireError, number>;

/** Parsed values are objects, reasons are strings. */
export function isWireError(value: unknown): value is WireError {
  return typeof value === 'string';
}

export function createWireErrorCounters(): WireErrorCounters {
  return Object.fromEntries(WIRE_ERRORS.map((name) => [name, 0])) as WireErrorCounters;
}
