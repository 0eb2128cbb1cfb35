import { describe, expect, it } from 'vitest';
import { MemberRegistrations } from '../../lib/controller/policies/member-registrations';
import { SlowStart } from '../../lib/controller/policies/slow-start';
import { SLOW_START_STEPS, SLOW_STARTS_MAXIMUM } from '../../lib/limits';
import { ServiceTable } from '../../lib/table/service-table';
import { after, type Instant, milliseconds, NEVER } from '../../lib/time/instant';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { drain } from './commands';

const prefix = ServicePrefix.of(ServiceID.fromHex('5e'.repeat(32))!);
const address = (host: number): NetworkAddress => NetworkAddress.parse(`10.0.${host >> 8}.${host & 255}`, 54_325)!;
const DURATION = milliseconds(9000);
const STEP = DURATION / (SLOW_START_STEPS - 1);

/** Registrations that start slowly, and the table that they fill. */
function site() {
  const registrations = new MemberRegistrations(() => 1, 'network');
  const policy = new SlowStart(registrations, DURATION);
  const table = new ServiceTable();
  let now = 1000 as Instant;
  const carryOut = (): void => {
    for (const command of drain(policy)) {
      if (command.kind === 'addRule') table.addRule(command.rule, now);
      else if (command.kind === 'deleteRule') table.deleteRule(command.rule);
      else if (command.kind === 'modifyRule') table.modifyRule(command.rule, command);
    }
    while (policy.nextDeadline() <= now) {
      policy.handleDeadline(now);
      carryOut();
    }
  };
  return {
    policy,
    table,
    register: (host: number, weight = 1000): void => {
      registrations.handleRegistered({ prefix, protocol: 6, address: address(host), weight });
      carryOut();
    },
    unregister: (host: number): void => {
      registrations.handleUnregistered({ prefix, protocol: 6, address: address(host) });
      carryOut();
    },
    readmit: (host: number, wasWell = false): void => {
      const rule = { action: 'forward', prefix, address: address(host), link: 1 } as const;
      policy.handleEvent({ kind: 'ruleReadmitted', rule, weight: 1000, wasWell }, now);
      carryOut();
    },
    advance: (duration: number): void => {
      const end = after(now, milliseconds(duration));
      while (policy.nextDeadline() <= end) {
        now = policy.nextDeadline();
        policy.handleDeadline(now);
        carryOut();
      }
      now = end;
    },
    weights: (): number[] => table.rulesOf(prefix).map(({ weight }) => weight),
  };
}

describe('slow start', () => {
  it('lets a weight grow to the whole, step by step, within its time', () => {
    const { register, advance, weights, policy } = site();
    register(1);
    const seen = [weights()[0]];
    for (let step = 1; step < SLOW_START_STEPS; step++) {
      advance(STEP);
      seen.push(weights()[0]);
    }
    expect(seen).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    expect(policy.nextDeadline()).toBe(NEVER);
  });

  it('gives one that comes to others that are there a small share, which grows', () => {
    const { register, advance, weights } = site();
    register(1);
    advance(DURATION);
    register(2);
    expect(weights()).toEqual([1000, 100]);
    advance(DURATION);
    expect(weights()).toEqual([1000, 1000]);
  });

  it('follows what the instance asks for meanwhile', () => {
    const { register, advance, weights } = site();
    register(1);
    advance(4 * STEP);
    register(1, 200);
    expect(weights()).toEqual([100]);
    advance(DURATION);
    expect(weights()).toEqual([200]);
    register(1, 400);
    expect(weights()).toEqual([400]);
  });

  it('begins anew with one that went and came back, and does not bring back one that went', () => {
    const { register, unregister, advance, weights, policy } = site();
    register(1);
    advance(5 * STEP);
    unregister(1);
    expect(weights()).toEqual([]);
    expect(policy.nextDeadline()).toBe(NEVER);
    register(1);
    expect(weights()).toEqual([100]);
    unregister(1);
    advance(DURATION);
    expect(weights()).toEqual([]);
  });

  it('begins anew with one that was passed over', () => {
    const { register, readmit, advance, weights } = site();
    register(1);
    advance(DURATION);
    readmit(1);
    expect(weights()).toEqual([100]);
    advance(DURATION);
    expect(weights()).toEqual([1000]);
  });

  it('leaves alone one that was passed over on a suspicion that proved wrong', () => {
    const { register, readmit, advance, weights } = site();
    register(1);
    advance(DURATION);
    readmit(1, true);
    expect(weights()).toEqual([1000]);
  });

  it('has no weight below 1', () => {
    const { register, advance, weights } = site();
    register(1, 1);
    expect(weights()).toEqual([1]);
    advance(DURATION);
    expect(weights()).toEqual([1]);
  });

  it('does so with a bounded number of weights: further ones are whole from the start', () => {
    const registrations = new MemberRegistrations(() => 1, 'network');
    const policy = new SlowStart(registrations, DURATION);
    for (let host = 1; host <= SLOW_STARTS_MAXIMUM + 1; host++) {
      registrations.handleRegistered({ prefix, protocol: 6, address: address(host), weight: 1000 });
    }
    const weights = drain(policy).map((command) => command.kind === 'addRule' && command.rule.weight);
    expect(weights.filter((weight) => weight === 100)).toHaveLength(SLOW_STARTS_MAXIMUM);
    expect(weights.at(-1)).toBe(1000);
  });
});
