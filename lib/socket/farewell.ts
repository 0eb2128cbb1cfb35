// The last word of a stream that was ended in order: its socket is destroyed already, but 'close' waits until the
// peer's stack has acknowledged every byte. Behind `net` a kernel goes on sending when the process exits; behind
// this nobody would, and programs exit on 'close'. The end alone is not waited for: it has left, and costs a round
// trip that `net` does not take.

import { SILENT_OBSERVER, type StreamHandle } from '../driver/handles';
import { LINGER } from '../limits';

/** Calls `done` once: when the end is acknowledged, when the connection is dead, or after LINGER. */
export function awaitFarewell(handle: StreamHandle, isReferenced: boolean, done: () => void): void {
  const timer = setTimeout(finish, LINGER);
  if (!isReferenced) timer.unref();
  let isDone = false;
  function finish(): void {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    done();
  }
  handle.setObserver({ ...SILENT_OBSERVER, finished: finish, failed: finish, closed: finish });
}
