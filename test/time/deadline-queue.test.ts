import { describe, expect, it } from 'vitest';
import { DeadlineQueue, type HasQueuePosition, NOT_QUEUED } from '../../lib/time/deadline-queue';
import { type Instant, NEVER } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';

const at = (milliseconds: number): Instant => milliseconds as Instant;

class Owner implements HasQueuePosition {
  queuePosition = NOT_QUEUED;
  constructor(readonly name: number) {}
}

function popAll(queue: DeadlineQueue<Owner>, now: Instant): number[] {
  const names: number[] = [];
  for (let owner = queue.popDue(now); owner !== undefined; owner = queue.popDue(now)) names.push(owner.name);
  return names;
}

describe('DeadlineQueue', () => {
  it('is empty at first', () => {
    const queue = new DeadlineQueue<Owner>();
    expect(queue.next()).toBe(NEVER);
    expect(queue.popDue(at(1e15))).toBeUndefined();
    expect(queue.size).toBe(0);
  });

  it('gives owners in the order of their deadlines, and none before its time', () => {
    const queue = new DeadlineQueue<Owner>();
    for (const name of [5, 3, 9, 1, 7]) queue.set(new Owner(name), at(name));
    expect(queue.next()).toBe(1);
    expect(popAll(queue, at(0.5))).toEqual([]);
    expect(popAll(queue, at(5))).toEqual([1, 3, 5]);
    expect(queue.next()).toBe(7);
    expect(popAll(queue, at(9))).toEqual([7, 9]);
  });

  it('hastens, and leaves a later deadline to the one there is', () => {
    const queue = new DeadlineQueue<Owner>();
    const owner = new Owner(1);
    queue.hasten(owner, at(10));
    queue.hasten(owner, at(20));
    expect(queue.at(owner)).toBe(10);
    queue.hasten(owner, NEVER);
    queue.hasten(owner, at(5));
    expect([queue.at(owner), queue.size]).toEqual([5, 1]);
  });

  it('gives equal deadlines in the order in which they were set', () => {
    const queue = new DeadlineQueue<Owner>();
    const owners = Array.from({ length: 100 }, (_, name) => new Owner(name));
    for (const owner of owners) queue.set(owner, at(10));
    queue.set(owners[0]!, at(10)); // no change: keeps its turn
    queue.set(owners[1]!, at(20));
    queue.set(owners[1]!, at(10)); // moved away and back: goes last
    expect(popAll(queue, at(10))).toEqual([0, ...Array.from({ length: 98 }, (_, index) => index + 2), 1]);
  });

  it('forgets an owner that is removed or set to NEVER', () => {
    const queue = new DeadlineQueue<Owner>();
    const [a, b, c] = [new Owner(1), new Owner(2), new Owner(3)];
    for (const owner of [a, b, c]) queue.set(owner, at(owner.name));
    queue.remove(a);
    queue.set(b, NEVER);
    queue.remove(a);
    expect(a.queuePosition).toBe(NOT_QUEUED);
    expect(queue.has(b)).toBe(false);
    expect(queue.at(b)).toBe(NEVER);
    expect(queue.at(c)).toBe(3);
    expect(popAll(queue, at(10))).toEqual([3]);
    queue.set(a, at(4));
    expect(popAll(queue, at(10))).toEqual([1]);
  });

  it('lets the owner that was taken out be queued again at once', () => {
    const queue = new DeadlineQueue<Owner>();
    const owner = new Owner(1);
    queue.set(owner, at(1));
    expect(queue.popDue(at(1))).toBe(owner);
    queue.set(owner, at(2));
    expect(queue.next()).toBe(2);
  });

  it('refuses what is no instant', () => {
    const queue = new DeadlineQueue<Owner>();
    expect(() => queue.set(new Owner(1), at(Number.NaN))).toThrow(RangeError);
    expect(queue.size).toBe(0);
  });

  it.each([1, 2, 3, 4, 5])('agrees with a sorted list over random operations (seed %i)', (seed) => {
    const random = SeededRandom.of(seed);
    const queue = new DeadlineQueue<Owner>();
    const owners = Array.from({ length: 200 }, (_, name) => new Owner(name));
    const model = new Map<number, { deadline: number; turn: number }>();
    let turn = 0;
    for (let step = 0; step < 1500; step++) {
      const owner = owners[random.uint32() % owners.length]!;
      const kind = random.uint32() % 10;
      if (kind < 7) {
        const deadline = random.uint32() % 50; // few values, so that many are equal
        if (model.get(owner.name)?.deadline !== deadline) model.set(owner.name, { deadline, turn: turn++ });
        queue.set(owner, at(deadline));
      } else if (kind < 9) {
        model.delete(owner.name);
        queue.remove(owner);
      } else {
        const now = random.uint32() % 20;
        const due = [...model].filter(([, entry]) => entry.deadline <= now);
        due.sort(([, a], [, b]) => a.deadline - b.deadline || a.turn - b.turn);
        expect(popAll(queue, at(now))).toEqual(due.map(([name]) => name));
        for (const [name] of due) model.delete(name);
      }
      expect(queue.size).toBe(model.size);
      expect(queue.next()).toBe(Math.min(NEVER, ...[...model.values()].map((entry) => entry.deadline)));
    }
  });
});
