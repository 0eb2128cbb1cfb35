// A connection that is a `stream.Duplex`, as those of serval, hyperdht and udx-native are.

import type { Duplex } from 'node:stream';
import type { ConnectionEvents, PeerConnection } from './peer';

export function duplexConnection(stream: DuplexLike): PeerConnection {
  return {
    write: (chunk) => stream.write(chunk),
    end: () => {
      stream.end();
    },
    close: () =>
      new Promise((resolve) => {
        stream.once('close', () => resolve());
        stream.end();
      }),
  };
}

/** `failed` is told the stream's error. */
export function listenTo(stream: DuplexLike, events: ConnectionEvents, failed: (error: Error) => void): void {
  stream.on('data', (chunk: Buffer) => events.received(chunk));
  stream.on('drain', () => events.drained());
  stream.on('error', failed);
}

/** What is used of it; rivals have an implementation of their own. */
export type DuplexLike = Pick<Duplex, 'write' | 'end'> & {
  on(event: string, listener: (...given: never[]) => void): unknown;
  once(event: string, listener: (...given: never[]) => void): unknown;
};

/** A server whose client has ended it, or was stopped, has nothing to tell. */
export function ignore(): void {}
