// The first bytes of a data connection, which say what test it belongs to and which of its streams it is.

import { TestToken } from './test-token';

export const PREAMBLE_BYTES = 24;

export interface StreamPreamble {
  readonly token: TestToken;
  readonly index: number;
}

export function encodePreamble({ token, index }: StreamPreamble): Buffer {
  const bytes = Buffer.alloc(PREAMBLE_BYTES);
  bytes.writeUInt32BE(MAGIC);
  bytes.writeUInt32BE(index, 4);
  token.bytes.copy(bytes, 8);
  return bytes;
}

/** `bytes` are PREAMBLE_BYTES long. Undefined for what is no preamble. */
export function parsePreamble(bytes: Buffer): StreamPreamble | undefined {
  if (bytes.readUInt32BE() !== MAGIC) return undefined;
  return { token: TestToken.at(bytes, 8), index: bytes.readUInt32BE(4) };
}

/** "SVPS" */
const MAGIC = 0x53_56_50_53;
