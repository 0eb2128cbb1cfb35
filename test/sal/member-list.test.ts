// The list of connections and of flows: order of arrival, removal anywhere, and no trace of who has left.

import { expect, it } from 'vitest';
import { type HasListPlace, MemberList } from '../../lib/sal/member-list';
import { SeededRandom } from '../../lib/time/seeded-random';

class Member implements HasListPlace<Member> {
  list: object | undefined;
  previousMember: Member | undefined;
  nextMember: Member | undefined;

  constructor(readonly name: number) {}
}

const namesIn = (list: MemberList<Member>): number[] => [...list].map(({ name }) => name);

it('keeps the order of arrival, like a Set, whatever is added and removed', () => {
  const random = SeededRandom.of(7);
  const members = Array.from({ length: 40 }, (_, name) => new Member(name));
  const list = new MemberList<Member>();
  const model = new Set<Member>();
  for (let step = 0; step < 4000; step++) {
    const member = members[random.uint32() % members.length]!;
    if (random.uint32() % 2 === 0) {
      list.add(member);
      model.add(member);
    } else {
      expect(list.delete(member)).toBe(model.delete(member));
    }
    expect(list.size).toBe(model.size);
    expect(list.has(member)).toBe(model.has(member));
    expect(list.oldest).toBe([...model][0]);
    if (step % 50 === 0) expect(namesIn(list)).toEqual([...model].map(({ name }) => name));
  }
});

it('leaves nothing in a member that is gone', () => {
  const [a, b, c] = [new Member(1), new Member(2), new Member(3)];
  const list = new MemberList<Member>();
  for (const member of [a, b, c]) list.add(member);
  list.delete(b);
  expect(b).toMatchObject({ list: undefined, previousMember: undefined, nextMember: undefined });
  expect(namesIn(list)).toEqual([1, 3]);
});

it('refuses a member of another list, and leaves it there', () => {
  const [here, there] = [new MemberList<Member>(), new MemberList<Member>()];
  const member = new Member(1);
  there.add(member);
  expect(() => here.add(member)).toThrow('one list at a time');
  expect(here.delete(member)).toBe(false);
  expect(namesIn(there)).toEqual([1]);
});
