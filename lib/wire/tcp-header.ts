// The TCP header (RFC 9293 3.1) as it stands behind the SAL header: both ports 0, for the flowIDs tell flows
// apart. Options are read by `tcp-options.ts`, the checksum is made by `transport-checksum.ts`.

import { readUint16, readUint32, writeUint16, writeUint32 } from './big-endian';
import type { WireError } from './wire-error';

export const TCP_HEADER_BYTES = 20;

export const TcpFlag = {
  fin: 0x01,
  syn: 0x02,
  rst: 0x04,
  psh: 0x08,
  ack: 0x10,
  urg: 0x20,
  ece: 0x40,
  cwr: 0x80,
} as const;

/** Offsets from the start of the TCP header, for those who number the segments of a train. */
export const TcpField = {
  sourcePort: 0,
  destinationPort: 2,
  sequence: 4,
  acknowledgment: 8,
  dataOffset: 12,
  flags: 13,
  window: 14,
  checksum: 16,
  urgentPointer: 18,
} as const;

export interface TcpHeader {
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  /** As on the wire: not scaled. */
  readonly window: number;
  readonly optionsOffset: number;
  readonly optionsLength: number;
  readonly payloadOffset: number;
  readonly payloadLength: number;
}

/** What `writeTcpHeader` needs. A sender may keep one object and change it. */
export interface TcpHeaderFields {
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  /** Bytes of options that the caller writes behind the header; a multiple of 4, default 0. */
  readonly optionsLength?: number;
}

/** Reads the TCP header in `length` bytes from `offset` on. Ports and urgent pointer are ignored. */
export function parseTcpHeader(bytes: Uint8Array, offset: number, length: number): TcpHeader | WireError {
  const error = checkTcpHeader(bytes, offset, length);
  if (error !== undefined) return error;
  const headerLength = tcpHeaderLength(bytes, offset);
  return {
    sequence: readUint32(bytes, offset + TcpField.sequence),
    acknowledgment: readUint32(bytes, offset + TcpField.acknowledgment),
    flags: bytes[offset + TcpField.flags]!,
    window: readUint16(bytes, offset + TcpField.window),
    optionsOffset: offset + TCP_HEADER_BYTES,
    optionsLength: headerLength - TCP_HEADER_BYTES,
    payloadOffset: offset + headerLength,
    payloadLength: length - headerLength,
  };
}

/** The lengths alone, for the data path, which builds no object. */
export function checkTcpHeader(bytes: Uint8Array, offset: number, length: number): WireError | undefined {
  if (length < TCP_HEADER_BYTES || offset < 0 || offset + length > bytes.length) return 'tcpTruncated';
  const headerLength = tcpHeaderLength(bytes, offset);
  return headerLength < TCP_HEADER_BYTES || headerLength > length ? 'tcpHeaderLength' : undefined;
}

/** Bytes of header and options, by the data offset. */
export function tcpHeaderLength(bytes: Uint8Array, offset: number): number {
  return (bytes[offset + TcpField.dataOffset]! >>> 4) * 4;
}

/** Writes 20 bytes, checksum 0, and returns how many: options go behind them. */
export function writeTcpHeader(bytes: Uint8Array, at: number, fields: TcpHeaderFields): number {
  const headerLength = TCP_HEADER_BYTES + (fields.optionsLength ?? 0);
  writeUint32(bytes, at + TcpField.sourcePort, 0);
  writeUint32(bytes, at + TcpField.sequence, fields.sequence);
  writeUint32(bytes, at + TcpField.acknowledgment, fields.acknowledgment);
  bytes[at + TcpField.dataOffset] = (headerLength / 4) << 4;
  bytes[at + TcpField.flags] = fields.flags;
  writeUint16(bytes, at + TcpField.window, fields.window);
  writeUint32(bytes, at + TcpField.checksum, 0);
  return TCP_HEADER_BYTES;
}
