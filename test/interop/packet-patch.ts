// Changes numbers inside of a packet and makes its checksums right again: for values that one side of a
// captured conversation chose by chance.

import { foldedSum, type IpPacket, pseudoHeader, viewOf } from './packet-view';

export interface Patch {
  readonly source?: string;
  readonly destination?: string;
  readonly sourceFlowID?: number;
  readonly destinationFlowID?: number;
  readonly controlSequence?: number;
  readonly controlAck?: number;
  readonly nonce?: string;
  readonly tcpSequence?: number;
  readonly tcpAck?: number;
}

export function patched(packet: IpPacket, patch: Patch): IpPacket {
  const bytes = Buffer.from(packet.bytes);
  const source = patch.source ?? packet.source;
  const destination = patch.destination ?? packet.destination;
  const put = (value: number | undefined, at: number): void => {
    if (value !== undefined) bytes.writeUInt32BE(value >>> 0, at);
  };
  put(patch.sourceFlowID, 0);
  put(patch.destinationFlowID, 4);
  if (viewOf(packet).control !== undefined) {
    // CONTROL comes first in everything that is sent.
    put(patch.controlSequence, CONTROL + 4);
    put(patch.controlAck, CONTROL + 8);
    if (patch.nonce !== undefined) bytes.write(patch.nonce, CONTROL + 12, 'hex');
  }
  const transport = bytes[8]! * 4;
  if (bytes[9] === 6 && bytes.length > transport) {
    put(patch.tcpSequence, transport + 4);
    put(patch.tcpAck, transport + 8);
  }
  return sealed({ source, destination, bytes });
}

/** Makes both checksums right, in place. A UDP checksum of 0 means none, and stays. */
export function sealed(packet: IpPacket): IpPacket {
  const { bytes } = packet;
  const at = bytes[8]! * 4;
  bytes.writeUInt16BE(0, 10);
  bytes.writeUInt16BE(~foldedSum(bytes.subarray(0, at)) & 0xffff, 10);
  const transport = bytes.subarray(at);
  const protocol = bytes[9]!;
  const field = protocol === 6 ? 16 : 6;
  if (transport.length === 0 || (protocol === 17 && transport.readUInt16BE(field) === 0)) return packet;
  transport.writeUInt16BE(0, field);
  const sum = foldedSum(Buffer.concat([pseudoHeader(packet, protocol, transport.length), transport]));
  transport.writeUInt16BE((~sum & 0xffff) === 0 && protocol === 17 ? 0xffff : ~sum & 0xffff, field);
  return packet;
}

/** The IP packet of a capture: its addresses, and what is behind its header. */
export function ipPacketOf(bytes: Uint8Array): IpPacket {
  const whole = Buffer.from(bytes);
  const header = (whole[0]! & 15) * 4;
  const address = (at: number): string => [...whole.subarray(at, at + 4)].join('.');
  return { source: address(12), destination: address(16), bytes: whole.subarray(header, whole.readUInt16BE(2)) };
}

const CONTROL = 12;
