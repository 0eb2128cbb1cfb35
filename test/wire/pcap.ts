// Reads the IPv4 packets of a little-endian pcap file with Ethernet framing: what the captures are.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseIpv4Header } from '../../lib/wire/ipv4-header';
import { parseSalPacket, type SalPacket } from '../../lib/wire/sal-packet';
import { isWireError } from '../../lib/wire/wire-error';

/** The captures of the original stack, and how many packets each has: none may be skipped in silence. */
export const captures = {
  'a-tcp': 39,
  'b-udp-connected': 11,
  'c-udp-unconnected': 7,
  // The file ends inside of a 22nd packet.
  'd-servd-router': 21,
  'd-syn-forward': 2,
  'd-syn-forward-server': 15,
  'e-migrate': 57,
  'f-refused': 2,
  'f-rst': 41,
  'i-twohop': 24,
  'i-twohop-svr': 8,
  'j-rexmit': 19,
  'k-two-instances': 20,
} as const;

export type CaptureName = keyof typeof captures;

export const captureNames = Object.keys(captures) as CaptureName[];

/** An IP packet of a capture, and when it was seen. */
export interface CapturedPacket {
  /** Milliseconds since the first packet of the capture. */
  readonly at: number;
  readonly packet: Uint8Array;
}

/** The IP packets of a capture, each in a buffer of exactly its size. */
export function readCapture(name: CaptureName): Uint8Array[] {
  return readTimedCapture(name).map(({ packet }) => packet);
}

export function readTimedCapture(name: CaptureName): CapturedPacket[] {
  return readPcap(readFileSync(join(__dirname, '..', 'vectors', 'captures', `${name}.pcap`)));
}

/** The SAL packet that an IP packet carries, in a buffer of exactly its size. */
export function salBytesOf(packet: Uint8Array): Uint8Array {
  const ip = parseIpv4Header(packet, 0, packet.length);
  if (isWireError(ip)) throw new Error(`a captured IP header is refused: ${ip}`);
  return packet.slice(ip.payloadOffset, ip.payloadOffset + ip.payloadLength);
}

export function parseWhole(bytes: Uint8Array): SalPacket {
  const packet = parseSalPacket(bytes, 0, bytes.length);
  if (isWireError(packet)) throw new Error(`the packet is refused: ${packet}`);
  return packet;
}

const MAGIC = 0xa1b2c3d4;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const LINK_TYPE_ETHERNET = 1;
const ETHERNET_HEADER_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;

function readPcap(file: Buffer): CapturedPacket[] {
  if (file.readUInt32LE(0) !== MAGIC || file.readUInt32LE(20) !== LINK_TYPE_ETHERNET)
    throw new Error('unexpected pcap');
  const packets: CapturedPacket[] = [];
  let first: number | undefined;
  let at = FILE_HEADER_BYTES;
  while (at + RECORD_HEADER_BYTES <= file.length) {
    const length = file.readUInt32LE(at + 8);
    const time = file.readUInt32LE(at) * 1000 + file.readUInt32LE(at + 4) / 1000;
    first ??= time;
    at += RECORD_HEADER_BYTES;
    if (at + length > file.length) break;
    if (file.readUInt16BE(at + 12) !== ETHERTYPE_IPV4) throw new Error('unexpected frame');
    const packet = Uint8Array.from(file.subarray(at + ETHERNET_HEADER_BYTES, at + length));
    packets.push({ at: time - first, packet });
    at += length;
  }
  return packets;
}
