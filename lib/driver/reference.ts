// What keeps a process alive: each open socket holds its host, unless the application said `unref`.

export class ReferenceCount {
  private count = 0;

  /** `changed(true)` when the first comes, `changed(false)` when the last has gone. */
  constructor(private readonly changed: (isHeld: boolean) => void) {}

  add(): void {
    if (this.count++ === 0) this.changed(true);
  }

  remove(): void {
    if (--this.count === 0) this.changed(false);
  }
}

export class Reference {
  private isWanted = true;
  private isEnded = false;

  constructor(private readonly references: ReferenceCount) {
    references.add();
  }

  ref(): void {
    if (this.isWanted || this.isEnded) return;
    this.isWanted = true;
    this.references.add();
  }

  unref(): void {
    if (!this.isWanted || this.isEnded) return;
    this.isWanted = false;
    this.references.remove();
  }

  /** The socket is gone. */
  end(): void {
    this.unref();
    this.isEnded = true;
  }
}
