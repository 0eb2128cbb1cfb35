// First in, first out, without moving what is left at every take.

export class EventQueue<T> {
  /** Its room is used again: most queues hold one event, every turn of the event loop. */
  private items: (T | undefined)[] = [];
  private head = 0;
  private end = 0;

  get isEmpty(): boolean {
    return this.head === this.end;
  }

  add(item: T): void {
    this.items[this.end++] = item;
  }

  take(): T | undefined {
    if (this.isEmpty) return undefined;
    const item = this.items[this.head];
    this.items[this.head++] = undefined;
    if (this.isEmpty) this.rewind();
    return item;
  }

  private rewind(): void {
    if (this.end > ROOM_KEPT) this.items = [];
    this.head = 0;
    this.end = 0;
  }
}

/** Events that room is kept for. */
const ROOM_KEPT = 1024;
