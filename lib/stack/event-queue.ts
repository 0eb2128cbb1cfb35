// First in, first out, without moving what is left at every take.

export class EventQueue<T> {
  private items: T[] = [];
  private head = 0;

  get isEmpty(): boolean {
    return this.head === this.items.length;
  }

  add(item: T): void {
    this.items.push(item);
  }

  take(): T | undefined {
    const item = this.items[this.head];
    if (item === undefined) return undefined;
    this.head++;
    if (this.isEmpty) {
      this.items = [];
      this.head = 0;
    }
    return item;
  }
}
