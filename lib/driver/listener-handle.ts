// A listening socket's view of its listener.

import type { Listener } from '../stack/listener';
import type { ServicePrefix } from '../wire/service-id';
import type { ListenerHandle, ListenerObserver, StreamHandle } from './handles';
import { Reference } from './reference';
import type { StackDriver } from './stack-driver';

export class ListenerHandleOverStack implements ListenerHandle {
  /** Set by the host, where it shares a machine with others. */
  registered: Promise<void> | undefined;
  private isClosed = false;

  private readonly reference: Reference;

  constructor(
    private readonly driver: StackDriver,
    private readonly listener: Listener,
    private readonly observer: ListenerObserver,
  ) {
    listener.handle = this;
    this.reference = new Reference(driver.references);
  }

  get prefix(): ServicePrefix {
    return this.listener.prefix;
  }

  ref(): void {
    this.reference.ref();
  }

  unref(): void {
    this.reference.unref();
  }

  setWeight(weight: number): void {
    if (this.isClosed) return;
    this.driver.stack.setWeight(this.listener, weight, this.driver.now());
    this.driver.requestDrain();
  }

  setPlaces(places: number): void {
    this.listener.places = places;
  }

  finish(): boolean {
    if (this.isClosed) return true;
    const isFinished = this.driver.stack.finishListener(this.listener, this.driver.now());
    this.driver.requestDrain();
    if (isFinished) this.end();
    return isFinished;
  }

  /** Asks the socket for it; `undefined` when it has no such end. */
  drain(timeout: number | undefined): ReturnType<NonNullable<ListenerObserver['drain']>> | undefined {
    return this.isClosed ? undefined : this.observer.drain?.(timeout);
  }

  close(): void {
    if (this.isClosed) return;
    this.end();
    this.driver.stack.closeListener(this.listener, this.driver.now());
    this.driver.requestDrain();
  }

  /** An accepted connection; one that was on its way when the listener closed is reset. */
  dispatch(handle: StreamHandle): void {
    if (this.isClosed) handle.reset();
    else this.observer.connection(handle);
  }

  dispatchFinished(): void {
    if (this.isClosed) return;
    this.end();
    this.observer.finished?.();
  }

  private end(): void {
    this.isClosed = true;
    this.reference.end();
  }
}
