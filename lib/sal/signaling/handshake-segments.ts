// What a transport adds to SYN, SYN-ACK and the third ACK, and reads from the peer's. The SAL carries the
// bytes and does not look inside (§2.2).

export interface HandshakeSegments {
  /** Each writes its transport header at `at` and returns how many bytes that was. */
  writeSyn(bytes: Uint8Array, at: number): number;
  writeSynAck(bytes: Uint8Array, at: number): number;
  writeAck(bytes: Uint8Array, at: number): number;
  /** Each returns false when the segment is not acceptable: the packet is dropped. */
  handleSyn(bytes: Uint8Array, offset: number, length: number): boolean;
  handleSynAck(bytes: Uint8Array, offset: number, length: number): boolean;
  handleAck(bytes: Uint8Array, offset: number, length: number): boolean;
}
