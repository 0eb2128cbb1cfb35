// What `Readable.push` does with a chunk when somebody listens and nothing waits - and not what it does besides: after
// each chunk it puts a tick off to ask for more, which a socket that is told when bytes come need not be asked for.

import type { Readable } from 'node:stream';

/** Emits the chunk if nothing is to come before it. False when it is to be pushed. */
export function handOn(stream: Readable, chunk: Buffer): boolean {
  // Behind the first chunk only: `push` notes that something was read.
  if (!stream.readableDidRead || stream.readableFlowing !== true) return false;
  if (stream.readableLength > 0 || stream.readableEncoding !== null) return false;
  return stream.emit('data', chunk);
}
