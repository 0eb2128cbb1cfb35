// What the original's `servd` and its router say to each other (wire format §13): 48 bytes in a datagram. Big-endian,
// but for the number of the message, which is in the sender's own order and means nothing to anybody else.

import { readUint16, writeUint16 } from './big-endian';
import { NetworkAddress } from './network-address';
import { SERVICE_ID_BITS, ServiceID, ServicePrefix } from './service-id';

export const SERVD_MESSAGE_BYTES = 48;
/** The serviceIDs that routers and hosts are spoken to by: 88888 and 55555 in the first four bytes. */
export const SERVD_ROUTER = ServiceID.fromWords([88_888, 0, 0, 0, 0, 0, 0, 0]);
export const SERVD_HOST = ServiceID.fromWords([55_555, 0, 0, 0, 0, 0, 0, 0]);

export interface ServdMessage {
  readonly kind: 'register' | 'unregister';
  /** The sender has said so before, from `formerAddress`. */
  readonly isRepeated: boolean;
  readonly formerAddress: NetworkAddress | undefined;
  readonly prefix: ServicePrefix;
}

/** `undefined` for anything but a registration. */
export function parseServdMessage(bytes: Uint8Array): ServdMessage | undefined {
  if (bytes.length !== SERVD_MESSAGE_BYTES || readUint16(bytes, Offset.length) !== SERVD_MESSAGE_BYTES)
    return undefined;
  const kind = bytes[Offset.type];
  if (kind !== Type.register && kind !== Type.unregister) return undefined;
  const id = ServiceID.fromBytes(bytes, Offset.serviceID);
  const former = NetworkAddress.fromWords(4, 0, view(bytes).getInt32(Offset.address), 0, 0, 0);
  return {
    kind: kind === Type.register ? 'register' : 'unregister',
    isRepeated: (bytes[Offset.flags]! & REREGISTER) !== 0,
    formerAddress: former.isUnicast ? former : undefined,
    // One byte is too small for 256: that is 0.
    prefix: ServicePrefix.of(id, bytes[Offset.prefixBits] || SERVICE_ID_BITS),
  };
}

export function writeServdMessage(message: ServdMessage, number: number): Uint8Array {
  const bytes = new Uint8Array(SERVD_MESSAGE_BYTES);
  bytes[Offset.type] = message.kind === 'register' ? Type.register : Type.unregister;
  writeUint16(bytes, Offset.length, SERVD_MESSAGE_BYTES);
  view(bytes).setUint32(Offset.number, number, true);
  bytes[Offset.flags] = message.isRepeated ? REREGISTER : 0;
  bytes[Offset.prefixBits] = message.prefix.bits;
  view(bytes).setInt32(Offset.address, message.formerAddress?.word0 ?? 0);
  message.prefix.base.writeTo(bytes, Offset.serviceID);
  return bytes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const Offset = { type: 0, length: 2, number: 4, flags: 8, prefixBits: 9, address: 12, serviceID: 16 } as const;
const Type = { register: 0, unregister: 1 } as const;
const REREGISTER = 1;
