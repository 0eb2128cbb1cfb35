// What an application sets on a socket before or while there is a handle, kept so that each handle gets it.

interface Referable {
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
export function setReferenced(handle: object | undefined, isReferenced: boolean): void {
  const referable = handle as Referable | undefined;
  if (isReferenced) referable?.ref?.();
  else referable?.unref?.();
}

/** Whether the application wants its socket to keep the process alive, for whichever handle it has. */
export class Reference {
  private isReferenced = true;

  set(handle: object | undefined, isReferenced: boolean): void {
    this.isReferenced = isReferenced;
    setReferenced(handle, isReferenced);
  }

  /** For a handle that is new. */
  applyTo(handle: object): void {
    if (!this.isReferenced) setReferenced(handle, false);
  }
}

/** Never changed, so that all sockets without a wish share one. */
export class TransportOptions {
  static readonly none = new TransportOptions(false, false, 0);

  private constructor(
    private readonly noDelay: boolean,
    private readonly keepAlive: boolean,
    private readonly keepAliveDelay: number,
  ) {}

  static of({ noDelay, keepAlive, keepAliveInitialDelay }: InitialOptions): TransportOptions {
    if (!noDelay && !keepAlive && delay(keepAliveInitialDelay) === 0) return TransportOptions.none;
    return new TransportOptions(Boolean(noDelay), Boolean(keepAlive), delay(keepAliveInitialDelay));
  }

  /** What is set from now on, on the handle too when there is one. */
  withNoDelay(handle: TunableHandle | undefined, value: unknown): TransportOptions {
    const noDelay = Boolean(value);
    handle?.setNoDelay(noDelay);
    return new TransportOptions(noDelay, this.keepAlive, this.keepAliveDelay);
  }

  withKeepAlive(handle: TunableHandle | undefined, isEnabled: unknown, initialDelay: unknown): TransportOptions {
    const keepAlive = Boolean(isEnabled);
    const keepAliveDelay = delay(initialDelay);
    handle?.setKeepAlive(keepAlive, keepAliveDelay);
    return new TransportOptions(this.noDelay, keepAlive, keepAliveDelay);
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
