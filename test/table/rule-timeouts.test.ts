import { describe, expect, it } from 'vitest';
import { ResolutionReach, ServiceTable } from '../../lib/table/service-table';
import { type Instant, milliseconds, NEVER } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { id, prefix } from './prefixes';
import { at, delay, demux, drop, forward } from './rules';

const web = prefix('ac3e', 256);
const ip = '10.0.0.1';

/** Lets time pass as a driver does: calls at each deadline, and no earlier. Says when which rules ended. */
function run(table: ServiceTable, until: number): [number, number][] {
  const ended: [number, number][] = [];
  for (let now = table.nextDeadline(); now <= until; now = table.nextDeadline()) {
    const rules = table.expire(now);
    if (rules.length > 0) ended.push([now, rules.length]);
    expect(table.nextDeadline()).toBeGreaterThan(now);
  }
  return ended;
}

describe('timeouts of rules', () => {
  it('are none where none were asked for', () => {
    const table = new ServiceTable();
    table.addRule(forward(web, ip), at(0));
    expect(table.nextDeadline()).toBe(NEVER);
    expect(table.expire(at(1e15))).toEqual([]);
  });

  it('end a rule that has matched nothing for its idle timeout', () => {
    const table = new ServiceTable();
    const rule = forward(web, ip, { idleTimeout: milliseconds(100) });
    table.addRule(rule, at(1000));
    expect(table.expire(at(1099.9))).toEqual([]);
    expect(table.expire(at(1100))).toEqual([rule]);
    expect(table.size).toBe(0);
    expect(table.nextDeadline()).toBe(NEVER);
    expect(table.resolve(id('ac3e'), { protocol: 6, reach: ResolutionReach.any }, SeededRandom.of(1))).toBeUndefined();
  });

  it('start anew with each match, and with each drop', () => {
    const table = new ServiceTable();
    table.addRule(forward(web, ip, { idleTimeout: milliseconds(100) }), at(0));
    table.recordMatch(forward(web, ip), 1, at(90));
    expect(run(table, 150)).toEqual([]);
    table.recordDrop(forward(web, ip), 1, at(150));
    expect(run(table, 1000)).toEqual([[250, 1]]);
  });

  it('end a rule at its hard timeout, however busy it is', () => {
    const table = new ServiceTable();
    table.addRule(forward(web, ip, { idleTimeout: milliseconds(100), hardTimeout: milliseconds(250) }), at(0));
    for (let now = 50; now < 250; now += 50) table.recordMatch(forward(web, ip), 1, at(now));
    expect(run(table, 1000)).toEqual([[250, 1]]);
  });

  it('start anew when the rule is added again, and go with the rule', () => {
    const table = new ServiceTable();
    table.addRule(drop(web, { hardTimeout: milliseconds(100) }), at(0));
    table.addRule(drop(web, { hardTimeout: milliseconds(100) }), at(60));
    expect(run(table, 159)).toEqual([]);
    expect(run(table, 160)).toEqual([[160, 1]]);
    table.addRule(drop(web, { hardTimeout: milliseconds(100) }), at(200));
    table.addRule(drop(web), at(210));
    expect(table.nextDeadline()).toBe(NEVER);
    table.addRule(drop(web, { hardTimeout: milliseconds(100) }), at(220));
    table.deleteRule(drop(web));
    expect(table.nextDeadline()).toBe(NEVER);
  });

  it('stay as they are when the rule is modified', () => {
    const table = new ServiceTable();
    table.addRule(delay(web, { hardTimeout: milliseconds(100) }), at(0));
    table.modifyRule(delay(web), { weight: 7, priority: 7 });
    expect(table.expire(at(100))).toEqual([delay(web, { hardTimeout: milliseconds(100), weight: 7, priority: 7 })]);
  });

  it('end the right ones of many, those of one instant together', () => {
    const random = SeededRandom.of(3);
    const table = new ServiceTable();
    const expected = new Map<number, number>();
    for (let index = 0; index < 2000; index++) {
      const hard = milliseconds((random.uint32() % 50) + 1);
      const rule =
        index % 5 === 0 ? demux(prefix(`${1e6 + index}`, 60), {}) : forward(prefix(`${1e6 + index}`, 60), ip);
      table.addRule({ ...rule, hardTimeout: hard }, at(0));
      if (index % 3 === 0) table.deleteRule(rule);
      else expected.set(hard, (expected.get(hard) ?? 0) + 1);
    }
    expect(new Map(run(table, 50))).toEqual(new Map([...expected].sort(([a], [b]) => a - b)));
    expect(table.size).toBe(0);
  });

  it('cost no queue work for a match: the deadline is corrected when it comes', () => {
    const table = new ServiceTable();
    table.addRule(forward(web, ip, { idleTimeout: milliseconds(100) }), at(0));
    for (let now = 1; now <= 99; now++) table.recordMatch(forward(web, ip), 1, at(now));
    expect(table.nextDeadline()).toBe(100);
    expect(table.expire(100 as Instant)).toEqual([]);
    expect(table.nextDeadline()).toBe(199);
  });
});
