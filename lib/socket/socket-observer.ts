// Carries the calls of a handle to its socket: not to one that is destroyed, and in the asynchronous context of
// the attempt, so that `AsyncLocalStorage` and tracing see what they see behind `node:net`.

import { AsyncResource } from 'node:async_hooks';
import type { StreamObserver } from '../driver/handles';
import type { ServalError } from '../errors';

/** What a kind of socket does with each call; one object for all sockets of the kind. */
export interface SocketReactions<S> {
  connected(socket: S): void;
  received(socket: S, chunk: Buffer): void;
  ended(socket: S): void;
  writable(socket: S): void;
  finished(socket: S): void;
  migrated(socket: S): void;
  settled(socket: S): void;
  migrationFailed(socket: S, error: ServalError): void;
  flowsChanged(socket: S): void;
  failed(socket: S, error: ServalError): void;
  closed(socket: S): void;
}

export class SocketObserver<S extends { readonly destroyed: boolean }> extends AsyncResource implements StreamObserver {
  constructor(
    private readonly socket: S,
    private readonly reactions: SocketReactions<S>,
  ) {
    super('SERVALSOCKET');
  }

  connected(): void {
    this.tell(this.reactions.connected);
  }

  data(chunk: Buffer): void {
    if (!this.socket.destroyed) {
      this.runInAsyncScope(this.reactions.received, undefined, this.socket, chunk);
    }
  }

  ended(): void {
    this.tell(this.reactions.ended);
  }

  writable(): void {
    this.tell(this.reactions.writable);
  }

  finished(): void {
    this.tell(this.reactions.finished);
  }

  migrated(): void {
    this.tell(this.reactions.migrated);
  }

  flowsChanged(): void {
    this.tell(this.reactions.flowsChanged);
  }

  settled(): void {
    this.tell(this.reactions.settled);
  }

  migrationFailed(error: ServalError): void {
    if (!this.socket.destroyed) {
      this.runInAsyncScope(this.reactions.migrationFailed, undefined, this.socket, error);
    }
  }

  failed(error: ServalError): void {
    if (!this.socket.destroyed) {
      this.runInAsyncScope(this.reactions.failed, undefined, this.socket, error);
    }
  }

  closed(): void {
    this.tell(this.reactions.closed);
  }

  /** Calls back in the context of the attempt. */
  run(callback: () => void): void {
    this.runInAsyncScope(callback);
  }

  private tell(reaction: (socket: S) => void): void {
    if (!this.socket.destroyed) this.runInAsyncScope(reaction, undefined, this.socket);
  }
}
