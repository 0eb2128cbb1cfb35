// What `write` becomes when the peer has ended and the socket is not half-open: it says that the other party,
// not the application, has ended the stream. As in lib/net.js.

import { Duplex } from 'node:stream';
import { ErrorCode, withCode } from '../errors';

/** For 'end'. */
export function replaceWrite(this: Duplex): void {
  if (!this.allowHalfOpen) this.write = writeAfterEnd as Duplex['write'];
}

function writeAfterEnd(this: Duplex, chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
  // Between the peer's end and our own, which follows at once, writing still works.
  if (!this.writableEnded) return Reflect.apply(Duplex.prototype.write, this, [chunk, encoding, callback]);
  const error = withCode(new Error('This socket has been ended by the other party'), ErrorCode.brokenPipe);
  const told = typeof encoding === 'function' ? encoding : callback;
  if (typeof told === 'function') process.nextTick(told as () => void, error);
  this.destroy(error);
  return false;
}
