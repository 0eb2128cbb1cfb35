// Who cannot reach whom: pairs of hosts, by name, between which the network carries nothing. It stands
// where packets change from one host's wire to another's, so it is asked by the segments and is no element.

export class Partition {
  private readonly blocked = new Set<string>();

  /** Nothing passes from `source` to `destination`; the other way is not touched. */
  block(source: string, destination: string): void {
    this.blocked.add(pairOf(source, destination));
  }

  unblock(source: string, destination: string): void {
    this.blocked.delete(pairOf(source, destination));
  }

  /** Cuts the hosts into groups that reach only their own members, both ways. */
  separate(...groups: readonly (readonly string[])[]): void {
    for (const [index, group] of groups.entries()) {
      for (const other of groups.slice(index + 1).flat()) {
        for (const name of group) {
          this.block(name, other);
          this.block(other, name);
        }
      }
    }
  }

  heal(): void {
    this.blocked.clear();
  }

  blocks(source: string, destination: string): boolean {
    return this.blocked.size > 0 && this.blocked.has(pairOf(source, destination));
  }
}

function pairOf(source: string, destination: string): string {
  return `${source} > ${destination}`;
}
