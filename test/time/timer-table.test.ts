import { describe, expect, it } from 'vitest';
import { type Instant, NEVER } from '../../lib/time/instant';
import { TimerTable } from '../../lib/time/timer-table';

const at = (milliseconds: number): Instant => milliseconds as Instant;
const Row = { retransmit: 0, acknowledge: 1, keepalive: 2 } as const;

describe('TimerTable', () => {
  it('starts with no row armed', () => {
    const timers = new TimerTable(3);
    expect(timers.earliest).toBe(NEVER);
    expect(timers.isArmed(Row.retransmit)).toBe(false);
    expect(timers.deadline(Row.retransmit)).toBe(NEVER);
    expect(timers.expire(Row.retransmit, at(1e15))).toBe(false);
  });

  it('gives the earliest deadline', () => {
    const timers = new TimerTable(3);
    timers.arm(Row.keepalive, 30);
    timers.arm(Row.acknowledge, 10.25);
    timers.arm(Row.retransmit, 20);
    expect(timers.earliest).toBe(10.25);
    timers.disarm(Row.acknowledge);
    expect(timers.earliest).toBe(20);
    expect(timers.deadline(Row.keepalive)).toBe(30);
  });

  it('expires a row when it is due, and once', () => {
    const timers = new TimerTable(3);
    timers.arm(Row.acknowledge, 10);
    timers.arm(Row.keepalive, 30);
    expect(timers.expire(Row.acknowledge, at(9.999))).toBe(false);
    expect(timers.isArmed(Row.acknowledge)).toBe(true);
    expect(timers.expire(Row.acknowledge, at(10))).toBe(true);
    expect(timers.expire(Row.acknowledge, at(10))).toBe(false);
    expect(timers.isArmed(Row.acknowledge)).toBe(false);
    expect(timers.earliest).toBe(30);
  });

  it('moves a row that is armed', () => {
    const timers = new TimerTable(3);
    timers.arm(Row.retransmit, 10);
    timers.arm(Row.retransmit, 40);
    expect(timers.earliest).toBe(40);
  });

  it('disarms a row that is armed for never, and all rows at once', () => {
    const timers = new TimerTable(3);
    timers.arm(Row.retransmit, 10);
    timers.arm(Row.retransmit, NEVER);
    expect(timers.isArmed(Row.retransmit)).toBe(false);
    for (const row of Object.values(Row)) timers.arm(row, 1);
    timers.clear();
    expect(timers.earliest).toBe(NEVER);
  });

  it('keeps tables apart', () => {
    const one = new TimerTable(3);
    const other = new TimerTable(3);
    one.arm(Row.retransmit, 1);
    expect(other.earliest).toBe(NEVER);
  });
});
