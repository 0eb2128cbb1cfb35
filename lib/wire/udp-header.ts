// The UDP header (RFC 768): behind a SAL header with ports 0, and outside of it where Serval is encapsulated.
// The checksum is made by `transport-checksum.ts`.

import { readUint16, writeUint16 } from './big-endian';
import type { WireError } from './wire-error';

export const UDP_HEADER_BYTES = 8;

export const UdpField = { sourcePort: 0, destinationPort: 2, length: 4, checksum: 6 } as const;

export interface UdpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payloadOffset: number;
  readonly payloadLength: number;
}

/** Reads the UDP header in `length` bytes from `offset` on. Bytes behind the UDP length are ignored. */
export function parseUdpHeader(bytes: Uint8Array, offset: number, length: number): UdpHeader | WireError {
  if (length < UDP_HEADER_BYTES || offset < 0 || offset + length > bytes.length) return 'udpTruncated';
  const udpLength = readUint16(bytes, offset + UdpField.length);
  if (udpLength < UDP_HEADER_BYTES || udpLength > length) return 'udpLength';
  return {
    sourcePort: readUint16(bytes, offset + UdpField.sourcePort),
    destinationPort: readUint16(bytes, offset + UdpField.destinationPort),
    payloadOffset: offset + UDP_HEADER_BYTES,
    payloadLength: udpLength - UDP_HEADER_BYTES,
  };
}

/** Writes 8 bytes, checksum 0 (none), for `payloadLength` bytes behind them. */
export function writeUdpHeader(
  bytes: Uint8Array,
  at: number,
  payloadLength: number,
  sourcePort = 0,
  destinationPort = 0,
): number {
  writeUint16(bytes, at + UdpField.sourcePort, sourcePort);
  writeUint16(bytes, at + UdpField.destinationPort, destinationPort);
  writeUint16(bytes, at + UdpField.length, UDP_HEADER_BYTES + payloadLength);
  writeUint16(bytes, at + UdpField.checksum, 0);
  return UDP_HEADER_BYTES;
}
