// Members in the order in which they came, added and removed without memory of its own. A `Set` would do the
// same, but V8's grows anew after every few removals, and each of its dead tables keeps the next one and what
// stood in it: with thousands of connections a second, half of them survived the collector's young generation.

/** A member's place in the one list it may stand in. Written by the list alone. */
export interface HasListPlace<Member> {
  list: object | undefined;
  previousMember: Member | undefined;
  nextMember: Member | undefined;
}

export class MemberList<Member extends HasListPlace<Member>> {
  private first: Member | undefined;
  private last: Member | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The member that came first. */
  get oldest(): Member | undefined {
    return this.first;
  }

  has(member: Member): boolean {
    return member.list === this;
  }

  /** A member that is here already keeps its place. */
  add(member: Member): void {
    if (this.has(member)) return;
    if (member.list !== undefined) throw new Error('a member stands in one list at a time');
    member.list = this;
    member.previousMember = this.last;
    if (this.last === undefined) this.first = member;
    else this.last.nextMember = member;
    this.last = member;
    this.count++;
  }

  /** False when it was not here. */
  delete(member: Member): boolean {
    if (!this.has(member)) return false;
    const { previousMember: previous, nextMember: next } = member;
    if (previous === undefined) this.first = next;
    else previous.nextMember = next;
    if (next === undefined) this.last = previous;
    else next.previousMember = previous;
    member.list = undefined;
    member.previousMember = undefined;
    member.nextMember = undefined;
    this.count--;
    return true;
  }

  /** Copy it (`[...list]`) to remove members while going through. */
  *[Symbol.iterator](): Generator<Member, void> {
    for (let member = this.first; member !== undefined; member = member.nextMember) yield member;
  }
}
