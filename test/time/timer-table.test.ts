import { describe, expect, it } from 'vitest';
import { type Instant, NEVER } from '../../lib/time/instant';
import { TimerTable } from '../../lib/time/timer-table';

const at = (milliseconds: number): Instant => milliseconds as Instant;
const names = ['retransmit', 'acknowledge', 'keepalive'] as const;

describe('TimerTable', () => {
  it('starts with all rows clear', () => {
    const timers = new TimerTable(names);
    expect(timers.next()).toBe(NEVER);
    expect(timers.isSet('retransmit')).toBe(false);
    expect(timers.expire(at(1e15))).toBeUndefined();
  });

  it('gives the earliest deadline', () => {
    const timers = new TimerTable(names);
    timers.set('keepalive', at(30));
    timers.set('acknowledge', at(10.25));
    timers.set('retransmit', at(20));
    expect(timers.next()).toBe(10.25);
    timers.clear('acknowledge');
    expect(timers.next()).toBe(20);
    expect(timers.at('keepalive')).toBe(30);
  });

  it('expires due rows in the order of their deadlines, each once', () => {
    const timers = new TimerTable(names);
    timers.set('retransmit', at(20));
    timers.set('acknowledge', at(10));
    timers.set('keepalive', at(30));
    expect(timers.isDue('retransmit', at(20))).toBe(true);
    expect(timers.isDue('retransmit', at(19.999))).toBe(false);
    expect(timers.expire(at(9.999))).toBeUndefined();
    expect(timers.expire(at(25))).toBe('acknowledge');
    expect(timers.expire(at(25))).toBe('retransmit');
    expect(timers.expire(at(25))).toBeUndefined();
    expect(timers.isSet('retransmit')).toBe(false);
    expect(timers.next()).toBe(30);
  });

  it('expires equal deadlines in the order of the rows', () => {
    const timers = new TimerTable(names);
    for (const name of ['keepalive', 'acknowledge', 'retransmit'] as const) timers.set(name, at(5));
    expect([timers.expire(at(5)), timers.expire(at(5)), timers.expire(at(5))]).toEqual([...names]);
  });

  it('moves a row, and only forward in time with setEarlier', () => {
    const timers = new TimerTable(names);
    timers.set('retransmit', at(10));
    timers.set('retransmit', at(40));
    expect(timers.next()).toBe(40);
    timers.setEarlier('retransmit', at(50));
    expect(timers.next()).toBe(40);
    timers.setEarlier('retransmit', at(30));
    expect(timers.next()).toBe(30);
  });

  it('clears a row that is set to NEVER, and all rows at once', () => {
    const timers = new TimerTable(names);
    timers.set('retransmit', at(10));
    timers.set('retransmit', NEVER);
    expect(timers.isSet('retransmit')).toBe(false);
    for (const name of names) timers.set(name, at(1));
    timers.clearAll();
    expect(timers.next()).toBe(NEVER);
  });

  it('keeps tables with the same names apart', () => {
    const one = new TimerTable(names);
    const other = new TimerTable(names);
    one.set('retransmit', at(1));
    expect(other.next()).toBe(NEVER);
  });

  it('refuses what is no row or no instant', () => {
    const timers = new TimerTable(names);
    expect(() => timers.set('linger' as 'keepalive', at(1))).toThrow(RangeError);
    expect(() => timers.set('keepalive', at(Number.NaN))).toThrow(RangeError);
    expect(timers.next()).toBe(NEVER);
  });
});
