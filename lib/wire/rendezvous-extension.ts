// RENDEZVOUS: what shows a service router that a RSYN comes from one end of a flow (§4.4). It is ours, not the original's,
// and goes from an end to a router, on encapsulated hops alone; the router takes it out of what it passes on.
//
//   0x70 | length 12 | reserved 16 | nonce 64
//
// The nonce is that of the flow's other end, beside the sender's own in CONTROL: only the two ends know both.

import { readUint32, writeUint16, writeUint32 } from './big-endian';
import { FlowNonce } from './flow-id';
import type { WireError } from './wire-error';

export const RENDEZVOUS_EXTENSION_TYPE = 7;
export const RENDEZVOUS_EXTENSION_BYTES = 12;

const RESERVED = 2;
const NONCE = 4;

export function parseRendezvousExtension(bytes: Uint8Array, at: number, length: number): FlowNonce | WireError {
  if (length !== RENDEZVOUS_EXTENSION_BYTES) return 'extensionLength';
  return FlowNonce.of(readUint32(bytes, at + NONCE), readUint32(bytes, at + NONCE + 4));
}

export function writeRendezvousExtension(bytes: Uint8Array, at: number, peerNonce: FlowNonce): number {
  bytes[at] = RENDEZVOUS_EXTENSION_TYPE << 4;
  bytes[at + 1] = RENDEZVOUS_EXTENSION_BYTES;
  writeUint16(bytes, at + RESERVED, 0);
  writeUint32(bytes, at + NONCE, peerNonce.high);
  writeUint32(bytes, at + NONCE + 4, peerNonce.low);
  return RENDEZVOUS_EXTENSION_BYTES;
}
