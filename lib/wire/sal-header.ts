// The 12-byte SAL base header (§3.2): the two flowIDs, the length of all extensions with it, the transport
// behind it, and a checksum over header and extensions alone. Extensions are read by `sal-packet.ts`.

import { SAL_HEADER_MINIMUM } from '../limits';
import { readUint16, readUint32, writeUint16, writeUint32 } from './big-endian';
import { type FlowID, flowID } from './flow-id';
import { addWordToSum, checksumOfSum, internetChecksum, sealInternetChecksum } from './internet-checksum';
import type { WireError } from './wire-error';

const SOURCE_FLOW_ID = 0;
const DESTINATION_FLOW_ID = 4;
/** Header and extensions, in 32-bit words. */
const LENGTH = 8;
const PROTOCOL = 9;
const CHECK = 10;

export const SAL_HEADER_BYTES = SAL_HEADER_MINIMUM;

/** What a SAL header can carry, by the number in its protocol field. */
export const TransportProtocol = { tcp: 6, udp: 17 } as const;

export interface SalHeader {
  readonly sourceFlowID: FlowID;
  readonly destinationFlowID: FlowID;
  /** Bytes, extensions included; a multiple of 4. */
  readonly headerLength: number;
  readonly protocol: number;
}

/** Reads the base header and verifies `check`. Extensions are within `headerLength` but not yet looked at. */
export function parseSalHeader(bytes: Uint8Array, offset: number, length: number): SalHeader | WireError {
  if (length < SAL_HEADER_BYTES || offset < 0 || offset + length > bytes.length) return 'truncated';
  const headerLength = readHeaderLength(bytes, offset);
  if (headerLength < SAL_HEADER_BYTES) return 'badHeaderLength';
  if (headerLength > length) return 'truncated';
  if (internetChecksum(bytes, offset, headerLength) !== 0) return 'badCheck';
  return {
    sourceFlowID: readSourceFlowID(bytes, offset),
    destinationFlowID: readDestinationFlowID(bytes, offset),
    headerLength,
    protocol: readProtocol(bytes, offset),
  };
}

/** Writes a base header with `check` 0; `sealSalHeader` sets it when the extensions stand behind it. */
export function writeSalHeader(bytes: Uint8Array, at: number, header: SalHeader): number {
  writeUint32(bytes, at + SOURCE_FLOW_ID, header.sourceFlowID);
  writeUint32(bytes, at + DESTINATION_FLOW_ID, header.destinationFlowID);
  bytes[at + LENGTH] = header.headerLength / 4;
  bytes[at + PROTOCOL] = header.protocol;
  writeUint16(bytes, at + CHECK, 0);
  return SAL_HEADER_BYTES;
}

/** Computes `check` over shl * 4 bytes. */
export function sealSalHeader(bytes: Uint8Array, at: number): void {
  sealInternetChecksum(bytes, at, readHeaderLength(bytes, at), at + CHECK);
}

/** Writes and seals the header of a packet without extensions: all data of an established flow. */
export function writeBareSalHeader(
  bytes: Uint8Array,
  at: number,
  source: FlowID,
  destination: FlowID,
  protocol: number,
): number {
  writeUint32(bytes, at + SOURCE_FLOW_ID, source);
  writeUint32(bytes, at + DESTINATION_FLOW_ID, destination);
  const lengthAndProtocol = ((SAL_HEADER_BYTES / 4) << 8) | protocol;
  writeUint16(bytes, at + LENGTH, lengthAndProtocol);
  writeUint16(bytes, at + CHECK, checksumOfSum(addWordToSum(addWordToSum(lengthAndProtocol, source), destination)));
  return SAL_HEADER_BYTES;
}

/** Whether a packet is TCP behind a header without extensions. At least 12 bytes must be there. */
export function isBareTcp(bytes: Uint8Array, at: number): boolean {
  return readUint16(bytes, at + LENGTH) === BARE_TCP;
}

/** Bytes of header and extensions. */
export function readHeaderLength(bytes: Uint8Array, at: number): number {
  return bytes[at + LENGTH]! * 4;
}

export function readProtocol(bytes: Uint8Array, at: number): number {
  return bytes[at + PROTOCOL]!;
}

export function readSourceFlowID(bytes: Uint8Array, at: number): FlowID {
  return flowID(readUint32(bytes, at + SOURCE_FLOW_ID));
}

export function readDestinationFlowID(bytes: Uint8Array, at: number): FlowID {
  return flowID(readUint32(bytes, at + DESTINATION_FLOW_ID));
}

const BARE_TCP = ((SAL_HEADER_BYTES / 4) << 8) | TransportProtocol.tcp;
