// The CONTROL extension: what signaling says (§4.4). Its numbers count control packets alone and have
// nothing to do with the transport's; the nonce proves that the sender saw the handshake.

import { readUint32, writeUint32 } from './big-endian';
import { FlowNonce } from './flow-id';
import type { WireError } from './wire-error';

declare const controlSequenceBrand: unique symbol;

/** Number of a control packet, 32-bit unsigned, wrapping; compared by `serial-number.ts` only. */
export type ControlSequence = number & { readonly [controlSequenceBrand]: true };

export function controlSequence(value: number): ControlSequence {
  return (value >>> 0) as ControlSequence;
}

/** Bits of `flags`. */
export const ControlFlag = {
  syn: 0x80,
  rsyn: 0x40,
  ack: 0x20,
  nack: 0x10,
  rst: 0x08,
  fin: 0x04,
} as const;

export interface ControlExtension {
  readonly flags: number;
  readonly controlSequence: ControlSequence;
  /** The number expected next from the peer; filled in whether `ack` is set or not. */
  readonly controlAck: ControlSequence;
  /**
   * In a SYN of a further flow: 1 when its sender wants that for reserve (flow-priority.ts). In another SYN: how often this connect has failed before, at most DETAIL_MAXIMUM; in a RST that refuses one: how many
   * routers had passed it on, and REFUSED_FULL when somebody is there who has no place now; 0 by default. The original sends 0 and does not look (docs/protocol.md, CONTROL).
   */
  readonly detail?: number;
  /** The sender's own nonce; in a RST to an unknown flow the offender's. */
  readonly nonce: FlowNonce;
}

export const CONTROL_EXTENSION_TYPE = 1;
export const CONTROL_EXTENSION_BYTES = 20;

export const DETAIL_MAXIMUM = 255;
export const REFUSED_FULL = 0x80;

const FLAGS = 2;
const DETAIL = 3;
const SEQUENCE = 4;
const ACK = 8;
const NONCE = 12;
/** The original sends garbage in the reserved bits. */
const FLAGS_MASK = 0xfc;

export function parseControlExtension(bytes: Uint8Array, at: number, length: number): ControlExtension | WireError {
  if (length !== CONTROL_EXTENSION_BYTES) return 'extensionLength';
  return {
    flags: bytes[at + FLAGS]! & FLAGS_MASK,
    controlSequence: controlSequence(readUint32(bytes, at + SEQUENCE)),
    controlAck: controlSequence(readUint32(bytes, at + ACK)),
    detail: bytes[at + DETAIL]!,
    nonce: FlowNonce.of(readUint32(bytes, at + NONCE), readUint32(bytes, at + NONCE + 4)),
  };
}

export function writeControlExtension(bytes: Uint8Array, at: number, extension: ControlExtension): number {
  bytes[at] = CONTROL_EXTENSION_TYPE << 4;
  bytes[at + 1] = CONTROL_EXTENSION_BYTES;
  bytes[at + FLAGS] = extension.flags & FLAGS_MASK;
  bytes[at + DETAIL] = extension.detail ?? 0;
  writeUint32(bytes, at + SEQUENCE, extension.controlSequence);
  writeUint32(bytes, at + ACK, extension.controlAck);
  writeUint32(bytes, at + NONCE, extension.nonce.high);
  writeUint32(bytes, at + NONCE + 4, extension.nonce.low);
  return CONTROL_EXTENSION_BYTES;
}
