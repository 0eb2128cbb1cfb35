// What a host tells all on its segment of the services it offers (docs/protocol.md, Flooding): the payload of an
// unconnected datagram to the service `serval/flooding`. Which message is newer than which is the reader's matter.
//
//   0  version (1)   2  number of entries (16)   4  generation (64): when the sender began, milliseconds since 1970
//   12 sequence (32) 16 lease, milliseconds (32) 20 UDP port of first packets (16), 0 on a link without ports
//   24 entries of 40 bytes: serviceID (32 bytes), prefix bits (16), 16 reserved, weight (32), 0: no longer offered

import { readUint16, readUint32, writeUint16, writeUint32 } from './big-endian';
import { SERVICE_ID_BITS, SERVICE_ID_BYTES, ServiceID, ServicePrefix } from './service-id';

/** The name `serval/flooding`. */
export const FLOODING_SERVICE = ServiceID.fromHex(`39783a9eb9fdbf8036fe61e3337c305f${'0'.repeat(32)}`)!;
/** As many as a datagram of 1,200 bytes holds, which every path carries. */
export const FLOOD_ENTRIES_MAXIMUM = 29;

export interface FloodEntry {
  readonly prefix: ServicePrefix;
  /** 0: no longer offered. */
  readonly weight: number;
}

export interface FloodMessage {
  readonly generation: number;
  readonly sequence: number;
  /** Milliseconds. */
  readonly lease: number;
  readonly port: number;
  readonly entries: readonly FloodEntry[];
}

/** `undefined` for what is no message of this version, whole and with nothing behind it. */
export function parseFloodMessage(bytes: Uint8Array): FloodMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes[Offset.version] !== VERSION) return undefined;
  const count = readUint16(bytes, Offset.count);
  if (count > FLOOD_ENTRIES_MAXIMUM || bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) return undefined;
  const entries: FloodEntry[] = [];
  for (let index = 0; index < count; index++) {
    const entry = parseEntry(bytes, HEADER_BYTES + index * ENTRY_BYTES);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  return {
    generation: readUint32(bytes, Offset.generation) * 2 ** 32 + readUint32(bytes, Offset.generation + 4),
    sequence: readUint32(bytes, Offset.sequence),
    lease: readUint32(bytes, Offset.lease),
    port: readUint16(bytes, Offset.port),
    entries,
  };
}

/** At most FLOOD_ENTRIES_MAXIMUM entries. */
export function writeFloodMessage({ generation, sequence, lease, port, entries }: FloodMessage): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + entries.length * ENTRY_BYTES);
  bytes[Offset.version] = VERSION;
  writeUint16(bytes, Offset.count, entries.length);
  writeUint32(bytes, Offset.generation, Math.floor(generation / 2 ** 32));
  writeUint32(bytes, Offset.generation + 4, generation % 2 ** 32);
  writeUint32(bytes, Offset.sequence, sequence);
  writeUint32(bytes, Offset.lease, lease);
  writeUint16(bytes, Offset.port, port);
  for (const [index, { prefix, weight }] of entries.entries()) {
    const at = HEADER_BYTES + index * ENTRY_BYTES;
    prefix.base.writeTo(bytes, at);
    writeUint16(bytes, at + ENTRY_BITS, prefix.bits);
    writeUint32(bytes, at + ENTRY_WEIGHT, weight);
  }
  return bytes;
}

function parseEntry(bytes: Uint8Array, at: number): FloodEntry | undefined {
  const bits = readUint16(bytes, at + ENTRY_BITS);
  if (bits > SERVICE_ID_BITS) return undefined;
  const prefix = ServicePrefix.of(ServiceID.fromBytes(bytes, at), bits);
  return { prefix, weight: readUint32(bytes, at + ENTRY_WEIGHT) };
}

const VERSION = 1;
const HEADER_BYTES = 24;
const ENTRY_BYTES = 40;
const ENTRY_BITS = SERVICE_ID_BYTES;
const ENTRY_WEIGHT = SERVICE_ID_BYTES + 4;
const Offset = { version: 0, count: 2, generation: 4, sequence: 12, lease: 16, port: 20 } as const;
