// What a connection tells its driver: bits, gathered until that asks.

/** Bits of what happened to a connection since the driver asked last. */
export const ConnectionSignal = {
  connected: 1,
  readable: 2,
  writable: 4,
  /** The peer will send nothing more; what it sent can still be read. */
  ended: 8,
  finished: 16,
  failed: 32,
  closed: 64,
  /** It has other addresses, by its own doing or by the peer's (§4.4). */
  migrated: 128,
  /** Nobody answered at the address that it was to move to. */
  migrationFailed: 256,
  /** A further flow carries it, or one fewer, or one that was asked for came to nothing. */
  flowsChanged: 512,
  /** A move has come to its end, here or where its flow was before; others may be under way (`isMoving`). */
  settled: 1024,
} as const;
