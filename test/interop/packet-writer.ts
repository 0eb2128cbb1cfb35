// Writes packets as the original does (wire format §2-§9); the counterpart of `packet-view.ts`.

import { sealed } from './packet-patch';
import type { ControlView, IpPacket } from './packet-view';

export interface PacketFields {
  readonly source: string;
  readonly destination: string;
  readonly sourceFlowID: number;
  readonly destinationFlowID: number;
  readonly protocol: 6 | 17;
  readonly control?: ControlView | undefined;
  /** Hex; in the order destination, source. */
  readonly services?: readonly string[];
  readonly transport?: Buffer;
}

export function writePacket(fields: PacketFields): IpPacket {
  const { source, destination, services = [], transport = Buffer.alloc(0) } = fields;
  const extensions = [
    ...(fields.control === undefined ? [] : [controlBytes(fields.control)]),
    ...services.map(serviceBytes),
  ];
  const header = Buffer.alloc(12);
  const salLength = extensions.reduce((sum, each) => sum + each.length, header.length);
  header.writeUInt32BE(fields.sourceFlowID, 0);
  header.writeUInt32BE(fields.destinationFlowID, 4);
  header[8] = salLength / 4;
  header[9] = fields.protocol;
  return sealed({ source, destination, bytes: Buffer.concat([header, ...extensions, transport]) });
}

export interface SegmentFields {
  readonly sequence: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly options?: Buffer;
  readonly payload?: Buffer;
}

export function tcpBytes({ sequence, ack, flags, window, options, payload }: SegmentFields): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt32BE(ack >>> 0, 8);
  header[12] = ((20 + (options?.length ?? 0)) / 4) << 4;
  header[13] = flags;
  header.writeUInt16BE(window, 14);
  return Buffer.concat([header, options ?? Buffer.alloc(0), payload ?? Buffer.alloc(0)]);
}

/** MSS 1448, and window scale 1: all that the original ever offers (§9). */
export function synOptions(withScale: boolean): Buffer {
  return Buffer.from(withScale ? '020405a801030301' : '020405a8', 'hex');
}

/** `hasChecksum` false: the empty header of SYN-ACK and third ACK, which has none. */
export function udpBytes(payload: Buffer, hasChecksum: boolean): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(8 + payload.length, 4);
  // Anything but 0 asks for a checksum.
  header.writeUInt16BE(hasChecksum ? 1 : 0, 6);
  return Buffer.concat([header, payload]);
}

function controlBytes({ flags, sequence, ack, nonce }: ControlView): Buffer {
  const bytes = Buffer.from([0x10, 20, flags, 0, ...Array(16).fill(0)]);
  bytes.writeUInt32BE(sequence >>> 0, 4);
  bytes.writeUInt32BE(ack >>> 0, 8);
  bytes.write(nonce, 12, 'hex');
  return bytes;
}

function serviceBytes(service: string): Buffer {
  return Buffer.concat([Buffer.from([0x20, 36, 0, 0]), Buffer.from(service, 'hex')]);
}
