// The IPv4 header (RFC 791) of the raw link: Serval is IP protocol 144 there. Reassembly and options are the
// kernel's business; a received header is read, and one of 20 bytes is written.

import { readInt32, readUint16, writeUint16, writeUint32 } from './big-endian';
import { internetChecksum, sealInternetChecksum } from './internet-checksum';
import { NetworkAddress } from './network-address';
import type { WireError } from './wire-error';

const VERSION_AND_LENGTH = 0;
const TYPE_OF_SERVICE = 1;
const TOTAL_LENGTH = 2;
const IDENTIFICATION = 4;
const FRAGMENT = 6;
const TIME_TO_LIVE = 8;
const PROTOCOL = 9;
const CHECKSUM = 10;
const SOURCE = 12;
const DESTINATION = 16;

export const IPV4_HEADER_BYTES = 20;
/** Bits of `fragment`: do not fragment, more fragments. The rest is the offset. */
export const Ipv4Fragment = { dont: 0x4000, more: 0x2000 } as const;

export interface Ipv4Header {
  readonly typeOfService: number;
  readonly identification: number;
  /** Flags and offset as on the wire. */
  readonly fragment: number;
  readonly timeToLive: number;
  readonly protocol: number;
  readonly source: NetworkAddress;
  readonly destination: NetworkAddress;
  readonly payloadOffset: number;
  /** By the total length; bytes behind it (an Ethernet trailer) are ignored. */
  readonly payloadLength: number;
}

export interface Ipv4HeaderFields {
  readonly protocol: number;
  readonly source: NetworkAddress;
  readonly destination: NetworkAddress;
  readonly payloadLength: number;
  readonly typeOfService?: number;
  readonly identification?: number;
  readonly fragment?: number;
  readonly timeToLive?: number;
}

/** The original's, and the Internet's, default. */
const TIME_TO_LIVE_DEFAULT = 64;

export function parseIpv4Header(bytes: Uint8Array, offset: number, length: number): Ipv4Header | WireError {
  if (length < IPV4_HEADER_BYTES || offset < 0 || offset + length > bytes.length) return 'ipTruncated';
  const versionAndLength = bytes[offset + VERSION_AND_LENGTH]!;
  if (versionAndLength >>> 4 !== 4) return 'ipVersion';
  const headerLength = (versionAndLength & 0xf) * 4;
  if (headerLength < IPV4_HEADER_BYTES || headerLength > length) return 'ipHeaderLength';
  const totalLength = readUint16(bytes, offset + TOTAL_LENGTH);
  if (totalLength < headerLength || totalLength > length) return 'ipTotalLength';
  if (internetChecksum(bytes, offset, headerLength) !== 0) return 'ipChecksum';
  return {
    typeOfService: bytes[offset + TYPE_OF_SERVICE]!,
    identification: readUint16(bytes, offset + IDENTIFICATION),
    fragment: readUint16(bytes, offset + FRAGMENT),
    timeToLive: bytes[offset + TIME_TO_LIVE]!,
    protocol: bytes[offset + PROTOCOL]!,
    source: readAddress(bytes, offset + SOURCE),
    destination: readAddress(bytes, offset + DESTINATION),
    payloadOffset: offset + headerLength,
    payloadLength: totalLength - headerLength,
  };
}

/** Writes a header without options and its checksum. */
export function writeIpv4Header(bytes: Uint8Array, at: number, fields: Ipv4HeaderFields): number {
  bytes[at + VERSION_AND_LENGTH] = (4 << 4) | (IPV4_HEADER_BYTES / 4);
  bytes[at + TYPE_OF_SERVICE] = fields.typeOfService ?? 0;
  writeUint16(bytes, at + TOTAL_LENGTH, IPV4_HEADER_BYTES + fields.payloadLength);
  writeUint16(bytes, at + IDENTIFICATION, fields.identification ?? 0);
  writeUint16(bytes, at + FRAGMENT, fields.fragment ?? 0);
  bytes[at + TIME_TO_LIVE] = fields.timeToLive ?? TIME_TO_LIVE_DEFAULT;
  bytes[at + PROTOCOL] = fields.protocol;
  writeUint32(bytes, at + SOURCE, fields.source.word0);
  writeUint32(bytes, at + DESTINATION, fields.destination.word0);
  sealInternetChecksum(bytes, at, IPV4_HEADER_BYTES, at + CHECKSUM);
  return IPV4_HEADER_BYTES;
}

function readAddress(bytes: Uint8Array, at: number): NetworkAddress {
  return NetworkAddress.fromWords(4, 0, readInt32(bytes, at), 0, 0, 0);
}
