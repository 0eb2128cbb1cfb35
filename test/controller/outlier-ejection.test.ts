// Passive ejection: what is a reason to ask, what the answer does, and for how long. The table is a small one of our own.

import { describe, expect, it } from 'vitest';
import {
  type EjectionView,
  type InstanceRule,
  OutlierEjection,
  type OutlierEjectionOptions,
} from '../../lib/controller/policies/outlier-ejection';
import {
  OUTLIER_EJECTION_FIRST,
  OUTLIER_EJECTION_MAXIMUM,
  OUTLIER_MEMORY,
  OUTLIER_PROBE_INTERVAL,
  OUTLIER_PROBES_PER_SERVICE,
  OUTLIER_SERVICES_MAXIMUM,
  OUTLIER_SUSPICION,
  OUTLIERS_MAXIMUM,
} from '../../lib/limits';
import type { ProbeOutcome, ServiceCommand, ServiceEvent } from '../../lib/stack/control-interface';
import type { ForwardRule } from '../../lib/table/service-rule';
import { after, type Duration, type Instant, NEVER } from '../../lib/time/instant';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { drain } from './commands';

type Why = Extract<ServiceEvent, { kind: 'instanceFailed' }>['why'];

const web = ServiceID.fromHex(`5e${'11'.repeat(31)}`)!;
const exact = ServicePrefix.of(web);
const wide = ServicePrefix.of(web, 8);
const address = (host: number): NetworkAddress => NetworkAddress.parse(`10.0.${host >> 8}.${host & 255}`, 54_325)!;

/** Rules by host, with their marks: what the stack's table does with the commands. */
class Table implements EjectionView {
  readonly marks = new Map<number, boolean>();

  constructor(hosts: number) {
    for (let host = 1; host <= hosts; host++) this.marks.set(host, false);
  }

  ejectionOf(): { instances: number; ejected: number } {
    return { instances: this.marks.size, ejected: [...this.marks.values()].filter(Boolean).length };
  }

  rulesOf(prefix: ServicePrefix): ForwardRule[] {
    const terms = {
      action: 'forward',
      prefix,
      link: 1,
      broadcast: false,
      scope: 'network',
      priority: 1,
      weight: 1,
    } as const;
    return [...this.marks].map(([host, ejected]) => ({ ...terms, address: address(host), ejected }));
  }

  isEjected(rule: InstanceRule): boolean | undefined {
    return this.marks.get(hostOf(rule.address));
  }
}

const hostOf = ({ word0 }: NetworkAddress): number => word0 & 0xffff;

class Site {
  now = 1000 as Instant;
  readonly table: Table;
  readonly policy: OutlierEjection;
  /** Hosts that were asked, in order. */
  readonly asked: number[] = [];
  readonly readmitted: Extract<ServiceCommand, { kind: 'readmitRule' }>[] = [];
  /** Answers come when `answer` is called, not at once. */
  holdAnswers = false;
  private probesUntilFree = Number.POSITIVE_INFINITY;
  private free: () => void = () => {};

  constructor(
    hosts: number,
    /** What each host answers to a probe. */
    readonly answers: Map<number, ProbeOutcome>,
    options?: OutlierEjectionOptions,
  ) {
    this.table = new Table(hosts);
    this.policy = new OutlierEjection(this.table, options);
  }

  fail(host: number, why: Why = 'refused', prefix = exact): void {
    const failure = { kind: 'instanceFailed', prefix, address: address(host), link: 1, serviceID: web, why } as const;
    this.policy.handleEvent(failure, this.now);
    this.carryOut();
  }

  /** The host answers its probe, or does not. */
  answer(host: number): void {
    const outcome = this.answers.get(host) ?? 'answered';
    this.policy.handleEvent({ kind: 'probed', serviceID: web, address: address(host), link: 1, outcome }, this.now);
    this.carryOut();
  }

  advance(duration: Duration | number): void {
    const end = after(this.now, duration as Duration);
    while (this.policy.nextDeadline() <= end) {
      this.now = this.policy.nextDeadline();
      this.policy.handleDeadline(this.now);
      this.carryOut();
    }
    this.now = end;
  }

  /** After so many probes `then` is called, before the next is answered. */
  busyUntil(probes: number, then: () => void): void {
    this.probesUntilFree = probes;
    this.free = then;
  }

  get ejected(): number[] {
    return [...this.table.marks].filter(([, isEjected]) => isEjected).map(([host]) => host);
  }

  private carryOut(): void {
    for (const command of drain(this.policy)) this.execute(command);
  }

  private execute(command: ServiceCommand): void {
    if (command.kind === 'probe') {
      const host = hostOf(command.address);
      if (this.probesUntilFree-- === 0) this.free();
      this.asked.push(host);
      if (!this.holdAnswers) this.answer(host);
    } else if (command.kind === 'ejectRule' || command.kind === 'readmitRule') {
      const host = hostOf((command.rule as InstanceRule).address);
      expect(this.table.marks.has(host)).toBe(true);
      this.table.marks.set(host, command.kind === 'ejectRule');
      if (command.kind === 'readmitRule') this.readmitted.push(command);
    } else throw new Error(`unexpected ${command.kind}`);
  }
}

const dead = (...hosts: number[]): Map<number, ProbeOutcome> => new Map(hosts.map((host) => [host, 'unanswered']));

describe('outlier ejection', () => {
  it.each(['refused', 'unanswered', 'unreachable', 'retried'] as const)(
    'asks an instance that is said to be %s',
    (why) => {
      const site = new Site(4, dead(2));
      site.fail(2, why);
      // Who was silent is passed over, and asked once more at once.
      expect(site.asked).toEqual([2, 2]);
      expect(site.ejected).toEqual([2]);
    },
  );

  it('has one back at once that was only busy', () => {
    const site = new Site(4, dead(2));
    site.busyUntil(1, () => site.answers.delete(2));
    site.fail(2, 'unanswered');
    expect(site.asked).toEqual([2, 2]);
    expect(site.ejected).toEqual([]);
    // And it is not held against it.
    site.advance(OUTLIER_PROBE_INTERVAL);
    site.answers.set(2, 'unanswered');
    site.fail(2, 'unanswered');
    expect(site.ejected).toEqual([2]);
    site.answers.delete(2);
    site.advance(OUTLIER_EJECTION_FIRST);
    expect(site.ejected).toEqual([]);
  });

  it('is away for its time who refuses, and is not asked before', () => {
    const site = new Site(4, new Map([[2, 'refused']]));
    site.fail(2);
    expect(site.asked).toEqual([2]);
    expect(site.ejected).toEqual([2]);
    site.answers.delete(2);
    site.advance(OUTLIER_EJECTION_FIRST - 1);
    expect(site.ejected).toEqual([2]);
    site.advance(1);
    expect(site.ejected).toEqual([]);
  });

  it('never ejects one that answers, whatever is said of it, and asks it once in an interval', () => {
    const site = new Site(4, dead());
    for (let count = 0; count < 1000; count++) {
      for (const why of ['refused', 'unanswered', 'unreachable', 'retried'] as const) site.fail(1, why);
      site.advance(5);
      expect(site.ejected).toEqual([]);
    }
    expect(site.asked.length).toBeLessThanOrEqual(1 + 5000 / OUTLIER_PROBE_INTERVAL);
  });

  it('does not ask again while an answer is awaited', () => {
    const policy = new OutlierEjection(new Table(2));
    const failure = { kind: 'instanceFailed', prefix: exact, address: address(1), link: 1, serviceID: web } as const;
    for (let count = 0; count < 5; count++) policy.handleEvent({ ...failure, why: 'refused' }, 0 as Instant);
    expect(drain(policy)).toHaveLength(1);
    policy.handleDeadline(policy.nextDeadline());
    expect(drain(policy).map(({ kind }) => kind)).toEqual(['ejectRule']);
    expect(policy.nextDeadline()).toBe(NEVER);
  });

  it('passes one over that is slow to answer, or has left our own SYN unanswered, until it answers', () => {
    const site = new Site(4, new Map());
    site.holdAnswers = true;
    site.fail(1, 'retried');
    site.fail(2, 'unanswered');
    expect(site.ejected).toEqual([2]);
    site.advance(OUTLIER_SUSPICION - 1);
    expect(site.ejected).toEqual([2]);
    site.advance(1);
    expect(site.ejected).toEqual([1, 2]);
    site.answer(1);
    site.answer(2);
    expect(site.ejected).toEqual([]);
    // Nothing was wrong with them: they have their whole weight at once.
    expect(site.readmitted.map(({ wasWell }) => wasWell)).toEqual([true, true]);
    expect(site.asked).toEqual([1, 2]);
  });

  it('passes over half of the instances on suspicion, and more of those that do not answer', () => {
    const site = new Site(6, dead(1, 2, 3, 4, 5));
    site.holdAnswers = true;
    for (const host of [1, 2, 3, 4, 5]) site.fail(host, 'unanswered');
    expect(site.ejected).toEqual([1, 2, 3]);
    for (const host of [1, 2, 3, 4, 5]) site.answer(host);
    expect(site.ejected).toEqual([1, 2, 3, 4]);
  });

  it('lets one back at once that it could not ask', () => {
    const site = new Site(4, new Map([[2, 'skipped']]));
    site.fail(2, 'unanswered');
    expect(site.ejected).toEqual([]);
    expect(site.readmitted).toHaveLength(1);
  });

  it('asks before it lets one come back, each time after twice the time, within bounds', () => {
    const site = new Site(4, dead(3));
    site.fail(3);
    const since = site.now;
    site.advance(130_000);
    let expected = 0;
    let times = 2;
    for (let pause: number = OUTLIER_EJECTION_FIRST; expected + pause <= site.now - since; times++) {
      expected += pause;
      pause = Math.min(pause * 2, OUTLIER_EJECTION_MAXIMUM);
    }
    expect(site.asked).toHaveLength(times);
    expect(site.ejected).toEqual([3]);
    site.answers.delete(3);
    site.advance(OUTLIER_EJECTION_MAXIMUM);
    expect(site.ejected).toEqual([]);
  });

  it('is longer away that fails again soon, and begins anew when it was well for long', () => {
    const site = new Site(4, dead(3));
    const awayFor = (): number => {
      site.answers.set(3, 'unanswered');
      site.fail(3);
      expect(site.ejected).toEqual([3]);
      site.answers.delete(3);
      const since = site.now;
      while (site.ejected.length > 0) site.advance(100);
      return site.now - since;
    };
    expect(awayFor()).toBe(OUTLIER_EJECTION_FIRST);
    site.advance(OUTLIER_PROBE_INTERVAL);
    expect(awayFor()).toBe(2 * OUTLIER_EJECTION_FIRST);
    site.advance(OUTLIER_MEMORY);
    expect(awayFor()).toBe(OUTLIER_EJECTION_FIRST);
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [5, 4],
    [10, 8],
    [100, 80],
  ])('of %i instances passes over %i at most', (hosts, most) => {
    const all = Array.from({ length: hosts }, (_, index) => index + 1);
    const site = new Site(hosts, dead(...all));
    for (const host of all) site.fail(host);
    // Of one instance the table lets none go; of two it would not let both.
    expect(site.ejected).toHaveLength(most);
  });

  it('takes another share, and other times', () => {
    const site = new Site(10, dead(1, 2, 3, 4), { share: 0.3, first: 50 as Duration, maximum: 70 as Duration });
    for (const host of [1, 2, 3, 4]) site.fail(host);
    expect(site.ejected).toEqual([1, 2, 3]);
    site.answers.clear();
    site.advance(50);
    expect(site.ejected).toEqual([]);
  });

  it('forgets a rule that was taken out, and takes one that came back for a new one', () => {
    const site = new Site(4, dead(2));
    site.fail(2);
    site.table.marks.delete(2);
    site.advance(OUTLIER_EJECTION_FIRST);
    expect(site.asked).toEqual([2, 2]);
    expect(site.policy.nextDeadline()).toBe(NEVER);
    site.table.marks.set(2, false);
    site.fail(2);
    expect(site.ejected).toEqual([2]);
    // It registers anew while it is passed over: there is no mark, and what is noticed of it counts.
    site.table.marks.set(2, false);
    site.fail(2);
    expect(site.ejected).toEqual([2]);
    expect(site.asked).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it('does not eject who is refused a name below its prefix, nor a default rule', () => {
    const site = new Site(4, new Map([[2, 'refused']]));
    for (const why of ['refused', 'unanswered', 'retried'] as const) site.fail(2, why, wide);
    for (const why of ['refused', 'unanswered', 'unreachable'] as const) site.fail(2, why, ServicePrefix.any);
    expect(site.asked).toEqual([]);
    // Somebody is there, and says so.
    site.fail(2, 'unreachable', wide);
    expect(site.asked).toEqual([2]);
    expect(site.ejected).toEqual([]);
    site.answers.set(2, 'unanswered');
    site.advance(OUTLIER_PROBE_INTERVAL);
    site.fail(2, 'unreachable', wide);
    expect(site.ejected).toEqual([2]);
  });

  it('asks all instances in turn when clients ask again of whom nothing more is known, so many in an interval', () => {
    const site = new Site(20, new Map([3, 14].map((host) => [host, 'refused'])));
    const retry = (service: ServiceID): void => {
      site.policy.handleEvent({ kind: 'connectRetried', serviceID: service }, site.now);
      site.fail(1, 'retried', ServicePrefix.any);
    };
    for (let interval = 1; interval <= 3; interval++) {
      const asked = site.asked.length;
      for (let count = 0; count < 10; count++) retry(web);
      // Those that are passed over are asked when their time has come, and not before.
      expect(site.asked.length - asked).toBe(OUTLIER_PROBES_PER_SERVICE);
      site.advance(OUTLIER_PROBE_INTERVAL);
    }
    expect(site.ejected).toEqual([3, 14]);
    const before = site.asked.length;
    for (let name = 0; name < 2 * OUTLIER_SERVICES_MAXIMUM; name++) {
      retry(ServiceID.fromHex(name.toString(16).padStart(64, '0'))!);
    }
    expect(site.asked.length - before).toBeLessThanOrEqual(OUTLIER_SERVICES_MAXIMUM * OUTLIER_PROBES_PER_SERVICE);
  });

  it('takes nothing from a probe that was not made', () => {
    const site = new Site(4, new Map([[2, 'skipped']]));
    site.fail(2);
    expect(site.ejected).toEqual([]);
    site.answers.set(2, 'refused');
    site.advance(OUTLIER_PROBE_INTERVAL);
    site.fail(2);
    site.answers.set(2, 'skipped');
    site.advance(OUTLIER_EJECTION_FIRST);
    expect(site.ejected).toEqual([2]);
    site.answers.set(2, 'answered');
    site.advance(OUTLIER_EJECTION_FIRST);
    expect(site.ejected).toEqual([]);
  });

  it('remembers a bounded number', () => {
    const site = new Site(OUTLIERS_MAXIMUM + 10, dead(OUTLIERS_MAXIMUM + 5));
    for (let host = 1; host <= OUTLIERS_MAXIMUM + 5; host++) site.fail(host);
    expect(site.asked).toHaveLength(OUTLIERS_MAXIMUM);
    site.advance(OUTLIER_PROBE_INTERVAL);
    site.fail(OUTLIERS_MAXIMUM + 5);
    expect(site.ejected).toEqual([OUTLIERS_MAXIMUM + 5]);
  });
});
