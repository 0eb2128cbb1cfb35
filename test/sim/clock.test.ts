import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/sim/clock';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';

const at = (value: number): Instant => value as Instant;

describe('SimulatedClock', () => {
  it('runs events by instant, and in the order of scheduling within one', () => {
    const clock = new SimulatedClock();
    const order: string[] = [];
    clock.schedule(at(5), () => order.push('5a'));
    clock.schedule(at(1), () => {
      order.push('1a');
      clock.schedule(at(1), () => order.push('1c'));
    });
    clock.schedule(at(5), () => order.push('5b'));
    clock.schedule(at(1), () => order.push('1b'));
    while (clock.step());
    expect(order).toEqual(['1a', '1b', '1c', '5a', '5b']);
    expect(clock.now()).toBe(5);
  });

  it('agrees with a sorted list over random schedules with cancellations', () => {
    const random = SeededRandom.of(11);
    const clock = new SimulatedClock();
    const ran: number[] = [];
    const expected: { at: number; id: number }[] = [];
    for (let id = 0; id < 2000; id++) {
      const when = random.uint32() % 300;
      const event = clock.schedule(at(when), () => ran.push(id));
      if (random.fraction() < 0.3) event.cancel();
      else expected.push({ at: when, id });
    }
    expect(clock.pending).toBe(expected.length);
    while (clock.step());
    expect(ran).toEqual(expected.sort((a, b) => a.at - b.at || a.id - b.id).map(({ id }) => id));
    expect(clock.pending).toBe(0);
  });

  it('takes the past for now, and cancels once', () => {
    const clock = new SimulatedClock(at(100));
    const event = clock.schedule(at(3), () => {});
    expect(event.at).toBe(100);
    event.cancel();
    event.cancel();
    expect(clock.pending).toBe(0);
    expect(clock.nextAt()).toBeUndefined();
  });

  it('does not skip an event', () => {
    const clock = new SimulatedClock();
    clock.schedule(at(3), () => {});
    expect(() => clock.advanceTo(at(4))).toThrow('cannot skip');
    clock.step();
    clock.advanceTo(at(4));
    expect(clock.now()).toBe(4);
  });
});
