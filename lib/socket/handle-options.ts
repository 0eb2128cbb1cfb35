// What an application sets on a socket before or while there is a handle, kept so that each handle gets it.

export interface Referable {
  ref?(): void;
  unref?(): void;
}

export interface TunableHandle extends Referable {
  setNoDelay(noDelay: boolean): void;
  setKeepAlive(enabled: boolean, delay: number): void;
}

export interface InitialOptions {
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly keepAliveInitialDelay?: number | undefined;
}

/**
 * `ref` and `unref` are for hosts that count what keeps the process alive. A handle is referenced from its
 * birth; one without these methods (a simulated host's) never keeps a process.
 */
export class Reference {
  isReferenced = true;

  set(handle: object | undefined, isReferenced: boolean): void {
    this.isReferenced = isReferenced;
    const referable = handle as Referable | undefined;
    if (isReferenced) referable?.ref?.();
    else referable?.unref?.();
  }

  /** For a handle that is new. */
  applyTo(handle: object): void {
    if (!this.isReferenced) (handle as Referable).unref?.();
  }
}

export class TransportOptions {
  private noDelay: boolean;
  private keepAlive: boolean;
  private keepAliveDelay: number;

  constructor(options: InitialOptions) {
    this.noDelay = Boolean(options.noDelay);
    this.keepAlive = Boolean(options.keepAlive);
    this.keepAliveDelay = delay(options.keepAliveInitialDelay);
  }

  setNoDelay(handle: TunableHandle | undefined, noDelay: unknown): void {
    this.noDelay = Boolean(noDelay);
    handle?.setNoDelay(this.noDelay);
  }

  setKeepAlive(handle: TunableHandle | undefined, isEnabled: unknown, initialDelay: unknown): void {
    this.keepAlive = Boolean(isEnabled);
    this.keepAliveDelay = delay(initialDelay);
    handle?.setKeepAlive(this.keepAlive, this.keepAliveDelay);
  }

  /** For a handle that is connected now. */
  applyTo(handle: TunableHandle): void {
    if (this.noDelay) handle.setNoDelay(true);
    if (this.keepAlive) handle.setKeepAlive(true, this.keepAliveDelay);
  }
}

/** Milliseconds; 0, the host's default, for what is none. */
function delay(value: unknown): number {
  return Math.max(0, Number(value) || 0);
}
