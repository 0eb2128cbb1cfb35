// What stands at the front of each datagram of a test. `hello` and `challenge` are the handshake above the
// connection's own: only who gets the server's challenge can return it, so that nobody else is sent to.
//
//   0  "SVPD"   4  kind   6  stream   8  token   24  data: sequence, and at 28 the sender's clock in milliseconds
//                                                    hello, challenge: the challenge, zero where none is known

import type { TestToken } from './test-token';

/** Bytes; `hello` and `challenge` are as long, so that an answer is no larger than the question. */
export const DATAGRAM_HEADER_BYTES = 36;
export const CHALLENGE_BYTES = 8;

export const DatagramKind = { hello: 1, challenge: 2, data: 3 } as const;
export type DatagramKind = (typeof DatagramKind)[keyof typeof DatagramKind];

/** Undefined for what is no datagram of a test. */
export function kindOf(bytes: Buffer): DatagramKind | undefined {
  if (bytes.length < DATAGRAM_HEADER_BYTES || bytes.readUInt32BE() !== MAGIC) return undefined;
  const kind = bytes.readUInt16BE(4);
  return kind >= DatagramKind.hello && kind <= DatagramKind.data ? (kind as DatagramKind) : undefined;
}

// Of bytes whose kind is known:

export const streamOf = (bytes: Buffer): number => bytes.readUInt16BE(6);
export const testNumberOf = (bytes: Buffer): number => bytes.readUInt32BE(TOKEN_AT);
export const hasToken = (bytes: Buffer, token: TestToken): boolean => token.isAt(bytes, TOKEN_AT);
export const challengeOf = (bytes: Buffer): Buffer => bytes.subarray(BODY_AT, BODY_AT + CHALLENGE_BYTES);
export const sequenceOf = (bytes: Buffer): number => bytes.readUInt32BE(BODY_AT);
export const sentAtOf = (bytes: Buffer): number => bytes.readDoubleBE(SENT_AT);

/** A datagram of `length` bytes with everything but what changes from one to the next. */
export function createDatagram(kind: DatagramKind, token: TestToken, stream: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32BE(MAGIC);
  bytes.writeUInt16BE(kind, 4);
  bytes.writeUInt16BE(stream, 6);
  token.bytes.copy(bytes, TOKEN_AT);
  return bytes;
}

export function createChallenge(
  kind: DatagramKind,
  token: TestToken,
  stream: number,
  challenge: Uint8Array | undefined,
): Buffer {
  const bytes = createDatagram(kind, token, stream, DATAGRAM_HEADER_BYTES);
  if (challenge !== undefined) bytes.set(challenge, BODY_AT);
  return bytes;
}

export function stampDatagram(bytes: Buffer, sequence: number, sentAt: number): void {
  bytes.writeUInt32BE(sequence, BODY_AT);
  bytes.writeDoubleBE(sentAt, SENT_AT);
}

const MAGIC = 0x53_56_50_44;
const TOKEN_AT = 8;
const BODY_AT = 24;
const SENT_AT = 28;
