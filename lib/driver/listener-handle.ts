// A listening socket's view of its listener.

import type { Listener } from '../stack/listener';
import type { ServicePrefix } from '../wire/service-id';
import type { ListenerHandle, ListenerObserver, StreamHandle } from './handles';
import type { StackDriver } from './stack-driver';

export class ListenerHandleOverStack implements ListenerHandle {
  private isClosed = false;

  constructor(
    private readonly driver: StackDriver,
    private readonly listener: Listener,
    private readonly observer: ListenerObserver,
  ) {
    listener.handle = this;
  }

  get prefix(): ServicePrefix {
    return this.listener.prefix;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.driver.stack.closeListener(this.listener, this.driver.now());
    this.driver.requestDrain();
  }

  /** An accepted connection; one that was on its way when the listener closed is reset. */
  dispatch(handle: StreamHandle): void {
    if (this.isClosed) handle.reset();
    else this.observer.connection(handle);
  }
}
