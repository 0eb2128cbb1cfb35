// §4.3: what waits behind a DELAY rule, while a directory is asked (P22, P40).
import { describe, expect, it } from 'vitest';
import {
  LOOKUP_ADDRESSES_MAXIMUM,
  LOOKUP_ANSWERS_MAXIMUM,
  LOOKUP_ATTEMPTS_MAXIMUM,
  LOOKUP_RETRY_MINIMUM,
  LOOKUP_TIMEOUT,
  LOOKUPS_IN_LINE_MAXIMUM,
  LOOKUPS_OUTSTANDING_MAXIMUM,
} from '../../lib/controller/policies/discovery-limits';
import type { LookupRequest } from '../../lib/controller/policies/lookup-questions';
import {
  LOOKUP_ANSWER_PRIORITY,
  LOOKUP_DELAY_PRIORITY,
  LOOKUP_REFUSAL_PRIORITY,
  type LookupAnswer,
  OnDemandLookup,
  type OnDemandOptions,
} from '../../lib/controller/policies/on-demand-lookup';
import { type Instant, after as later, NEVER, seconds } from '../../lib/time/instant';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { address, drain, NOW, told } from './commands';

const acme = ServicePrefix.of(ServiceID.fromHex('aaaa'.padEnd(64, '0'))!, 16);
const service = (number: number) => ServiceID.fromHex(`aaaa${number.toString(16).padStart(60, '0')}`)!;
const web = service(1);

function lookup(options: Partial<OnDemandOptions> = {}) {
  const policy = new OnDemandLookup({ prefix: acme, link: 1, ...options });
  const requests = (): LookupRequest[] => {
    const all: LookupRequest[] = [];
    for (let request = policy.pollRequest(); request; request = policy.pollRequest()) all.push(request);
    return all;
  };
  const delayed = (serviceID: ServiceID, now = NOW) => policy.handleEvent({ kind: 'delayed', serviceID, at: now }, now);
  const abandoned = (serviceID: ServiceID) => policy.handleEvent({ kind: 'abandoned', serviceID }, NOW);
  /** The number of the one question that is asked now. */
  const asked = (): number => {
    const all = requests();
    expect(all.map(({ kind }) => kind)).toEqual(['ask']);
    return all[0]!.question;
  };
  return { policy, requests, delayed, abandoned, asked };
}

const answer = (serviceID: ServiceID, ...ips: string[]): LookupAnswer => ({
  prefix: ServicePrefix.of(serviceID),
  instances: ips.map((ip) => ({ address: address(ip, 54325), priority: 0, weight: 1 })),
  lifetime: seconds(30),
});

/** The rules that were added end by themselves. */
function expire(policy: OnDemandLookup, commands: ReturnType<typeof drain>): void {
  for (const command of commands) {
    if (command.kind === 'addRule') policy.handleEvent({ kind: 'ruleExpired', rule: command.rule }, NOW);
  }
}

const services = (request: LookupRequest) => request.kind === 'ask' && String(request.serviceID);

describe('OnDemandLookup', () => {
  it('has what nothing else matches wait', () => {
    const [command] = drain(lookup().policy);
    expect(command).toEqual({
      kind: 'addRule',
      rule: { action: 'delay', prefix: acme, scope: 'network', priority: LOOKUP_DELAY_PRIORITY, weight: 1 },
    });
  });

  it('asks, installs the answer for as long as it holds, and only then releases what waits', () => {
    const { policy, delayed, asked } = lookup();
    drain(policy);
    delayed(web);
    const instances = [
      { address: address('192.0.2.1', 54325), priority: 0, weight: 3 },
      { address: address('192.0.2.2', 54325), priority: 7, weight: 1 },
    ];
    policy.handleAnswer(asked(), { ...answer(web), instances, idleTimeout: seconds(5) }, NOW);
    const rule = {
      action: 'forward',
      prefix: ServicePrefix.of(web),
      link: 1,
      broadcast: false,
      scope: 'network',
      hardTimeout: 30_000,
      idleTimeout: 5000,
    };
    expect(drain(policy)).toEqual([
      { kind: 'addRule', rule: { ...rule, ...instances[0], priority: LOOKUP_ANSWER_PRIORITY } },
      { kind: 'addRule', rule: { ...rule, ...instances[1], priority: LOOKUP_ANSWER_PRIORITY + 7 } },
      // Behind them: whom all of them refuse need not wait for another answer.
      {
        kind: 'addRule',
        rule: {
          action: 'drop',
          prefix: ServicePrefix.of(web),
          refuses: true,
          priority: LOOKUP_REFUSAL_PRIORITY,
          weight: 1,
          hardTimeout: 30_000,
          idleTimeout: 5000,
        },
      },
      { kind: 'releaseDelayed', prefix: ServicePrefix.of(web) },
    ]);
    expect(policy.nextDeadline()).toBe(NEVER);
  });

  it('refuses what the directory does not know, for as long as that holds', () => {
    const { policy, delayed, asked } = lookup();
    drain(policy);
    delayed(web);
    policy.handleAnswer(asked(), answer(web), NOW);
    const [rule, release] = drain(policy);
    expect(rule).toMatchObject({ kind: 'addRule', rule: { action: 'drop', refuses: true, hardTimeout: 30_000 } });
    expect(release).toEqual({ kind: 'releaseDelayed', prefix: ServicePrefix.of(web) });
    expect(policy.counts).toMatchObject({ positive: 0, negative: 1 });
  });

  it('leads what the directory does not know to who may have it on this host, and forgets that in time', () => {
    const holder = address('127.0.0.1', 54325);
    const { policy, delayed, asked } = lookup({ otherwise: () => holder });
    drain(policy);
    delayed(web);
    policy.handleAnswer(asked(), answer(web), NOW);
    const commands = drain(policy);
    expect(commands[0]).toMatchObject({ rule: { action: 'forward', address: holder, hardTimeout: 30_000 } });
    expect(policy.counts).toMatchObject({ positive: 0, negative: 1 });
    expire(policy, commands);
    delayed(web);
    asked();
  });

  it('asks once for a service, however often it is told, and for others meanwhile', () => {
    const { delayed, requests } = lookup();
    delayed(web);
    delayed(web);
    delayed(service(2));
    expect(requests().map(services)).toEqual([String(web), String(service(2))]);
  });

  it('leaves alone what another directory is asked for, and what is not under its prefix', () => {
    const part = ServicePrefix.of(web);
    const { delayed, requests } = lookup({ except: [part] });
    delayed(web);
    delayed(ServiceID.fromHex('bbbb'.repeat(16))!);
    expect(requests()).toEqual([]);
    delayed(service(2));
    expect(requests()).toHaveLength(1);
  });

  it('gives a question up when nobody waits any more, and ignores what is answered then', () => {
    const { policy, delayed, abandoned, asked, requests } = lookup();
    delayed(web);
    const question = asked();
    drain(policy);
    abandoned(web);
    abandoned(service(9));
    expect(requests()).toEqual([{ kind: 'abort', question }]);
    policy.handleAnswer(question, answer(web, '192.0.2.1'), NOW);
    policy.handleFailure(question, NOW);
    expect(drain(policy)).toEqual([]);
    expect(policy.nextDeadline()).toBe(NEVER);
    expect(policy.counts).toMatchObject({ abandoned: 1, positive: 0, failed: 0 });
  });

  it('has so many questions asked at a time; the others in line, and of those so many', () => {
    const { policy, delayed, abandoned, requests } = lookup();
    const count = LOOKUPS_OUTSTANDING_MAXIMUM + LOOKUPS_IN_LINE_MAXIMUM;
    for (let number = 0; number < count; number++) delayed(service(number));
    const asked = requests();
    expect(asked).toHaveLength(LOOKUPS_OUTSTANDING_MAXIMUM);
    drain(policy);
    delayed(service(count));
    expect(told(policy)).toEqual(['discardDelayed /256']);
    expect(policy.counts.refused).toBe(1);
    // One that waits in line is given up without a word to the resolver; then the next in line has its turn.
    abandoned(service(LOOKUPS_OUTSTANDING_MAXIMUM));
    expect(requests()).toEqual([]);
    policy.handleAnswer(asked[0]!.question, answer(service(0), '192.0.2.1'), NOW);
    expect(requests().map(services)).toEqual([String(service(LOOKUPS_OUTSTANDING_MAXIMUM + 1))]);
  });

  it('asks again when the resolver fails, more and more seldom, and in the end drops what waits', () => {
    const { policy, delayed, requests } = lookup();
    delayed(web);
    drain(policy);
    const asks: number[] = [];
    let now: Instant = NOW;
    for (;;) {
      const [request] = requests();
      if (request === undefined) break;
      asks.push(now - NOW);
      policy.handleFailure(request.question, now);
      now = policy.nextDeadline();
      if (now !== NEVER) policy.handleDeadline(now);
    }
    expect(asks.slice(0, 6)).toEqual([0, 250, 750, 1750, 3750, 5750]);
    expect(asks).toHaveLength(LOOKUP_ATTEMPTS_MAXIMUM);
    expect(told(policy)).toEqual(['discardDelayed /256']);
    delayed(web);
    expect(requests()).toHaveLength(1);
  });

  it('gives up a resolver that says nothing, and asks it again', () => {
    const { policy, delayed, asked, requests } = lookup();
    delayed(web);
    const question = asked();
    expect(policy.nextDeadline()).toBe(NOW + LOOKUP_TIMEOUT);
    policy.handleDeadline(policy.nextDeadline());
    expect(requests()).toEqual([{ kind: 'abort', question }]);
    policy.handleDeadline(policy.nextDeadline());
    expect(requests()).toMatchObject([{ kind: 'ask', serviceID: web }]);
    expect(policy.counts.failed).toBe(1);
  });

  it('lets the slot of a resolver that says nothing to another service', () => {
    const { policy, delayed, requests } = lookup();
    for (let number = 0; number <= LOOKUPS_OUTSTANDING_MAXIMUM; number++) delayed(service(number));
    requests();
    policy.handleDeadline(later(NOW, LOOKUP_TIMEOUT));
    const asked = requests().filter(({ kind }) => kind === 'ask');
    expect(asked.map(services)).toEqual([String(service(LOOKUPS_OUTSTANDING_MAXIMUM))]);
  });

  it('asks again when its rules have ended', () => {
    const { policy, delayed, asked } = lookup();
    delayed(web);
    policy.handleAnswer(asked(), answer(web, '192.0.2.1', '192.0.2.2'), NOW);
    expire(policy, drain(policy));
    delayed(web);
    policy.handleAnswer(asked(), answer(web, '192.0.2.3'), NOW);
    expect(told(policy)).toEqual([
      'addRule forward aaaa/256 -> 192.0.2.3:54325',
      'addRule drop aaaa/256',
      'releaseDelayed /256',
    ]);
  });

  it('does not go round when its rules do not take effect, and believes in them again later', () => {
    const { policy, delayed, asked, requests } = lookup();
    delayed(web);
    policy.handleAnswer(asked(), answer(web, '192.0.2.1'), NOW);
    drain(policy);
    delayed(web, (NOW + LOOKUP_RETRY_MINIMUM - 1) as Instant);
    expect(told(policy)).toEqual(['discardDelayed /256']);
    expect(requests()).toEqual([]);
    delayed(web, later(NOW, LOOKUP_RETRY_MINIMUM));
    policy.handleAnswer(asked(), { ...answer(web, '192.0.2.1'), prefix: acme }, NOW);
    drain(policy);
    delayed(service(5));
    expect(told(policy)).toEqual(['discardDelayed /256']);
  });

  it('puts in a new answer before the former one goes', () => {
    const { policy, delayed, asked } = lookup();
    const ask = (ips: string[]) => {
      delayed(web, later(NOW, seconds(1)));
      policy.handleAnswer(asked(), answer(web, ...ips), NOW);
      return told(policy).filter((text) => !text.startsWith('release'));
    };
    drain(policy);
    ask(['192.0.2.1', '192.0.2.2']);
    expect(ask(['192.0.2.2', '192.0.2.3'])).toEqual([
      'addRule forward aaaa/256 -> 192.0.2.2:54325',
      'addRule forward aaaa/256 -> 192.0.2.3:54325',
      'addRule drop aaaa/256',
      'deleteRule forward aaaa/256 -> 192.0.2.1:54325',
    ]);
    expect(ask([])).toEqual([
      'addRule drop aaaa/256',
      'deleteRule forward aaaa/256 -> 192.0.2.2:54325',
      'deleteRule forward aaaa/256 -> 192.0.2.3:54325',
    ]);
    expect(ask(['192.0.2.1'])).toEqual(['addRule forward aaaa/256 -> 192.0.2.1:54325', 'addRule drop aaaa/256']);
  });

  it('forgets what the directory has changed, wider and narrower answers included', () => {
    const { policy, delayed, asked } = lookup();
    for (const number of [1, 2, 3]) {
      delayed(service(number));
      policy.handleAnswer(asked(), answer(service(number), `192.0.2.${number}`), NOW);
    }
    drain(policy);
    policy.handleChanged(ServicePrefix.of(service(2)));
    expect(told(policy)).toEqual(['deleteRule forward aaaa/256 -> 192.0.2.2:54325', 'deleteRule drop aaaa/256']);
    policy.handleChanged(ServicePrefix.of(service(0), 64));
    expect(told(policy)).toEqual([
      'deleteRule forward aaaa/256 -> 192.0.2.1:54325',
      'deleteRule drop aaaa/256',
      'deleteRule forward aaaa/256 -> 192.0.2.3:54325',
      'deleteRule drop aaaa/256',
    ]);
    delayed(web);
    policy.handleAnswer(asked(), { ...answer(web, '192.0.2.9'), prefix: acme }, NOW);
    drain(policy);
    policy.handleChanged(ServicePrefix.of(service(7)));
    expect(told(policy)).toEqual(['deleteRule forward aaaa/16 -> 192.0.2.9:54325', 'deleteRule drop aaaa/16']);
  });

  it('forgets that nobody has what a socket of this process offers now, also by a shorter prefix', () => {
    const { policy, delayed, asked } = lookup();
    for (const ips of [[], ['192.0.2.1']]) {
      delayed(service(ips.length));
      policy.handleAnswer(asked(), answer(service(ips.length), ...ips), NOW);
    }
    drain(policy);
    policy.handleEvent({ kind: 'registered', prefix: acme, protocol: 6, weight: 1 }, NOW);
    expect(told(policy)).toEqual(['deleteRule drop aaaa/256']);
  });

  it('keeps so many answers, and so many instances of one', () => {
    const { policy, delayed, asked } = lookup();
    const ips = Array.from({ length: LOOKUP_ADDRESSES_MAXIMUM + 5 }, (_, index) => `10.0.0.${index + 1}`);
    delayed(web);
    policy.handleAnswer(asked(), answer(web, ...ips), NOW);
    // And the DELAY rule, and the refusal behind them.
    expect(drain(policy).filter(({ kind }) => kind === 'addRule')).toHaveLength(LOOKUP_ADDRESSES_MAXIMUM + 2);
    for (let number = 2; number <= LOOKUP_ANSWERS_MAXIMUM; number++) {
      delayed(service(number));
      policy.handleAnswer(asked(), answer(service(number), '192.0.2.1'), NOW);
    }
    expect(drain(policy).some(({ kind }) => kind === 'deleteRule')).toBe(false);
    delayed(service(0));
    policy.handleAnswer(asked(), answer(service(0), '192.0.2.1'), NOW);
    expect(drain(policy).filter(({ kind }) => kind === 'deleteRule')).toHaveLength(LOOKUP_ADDRESSES_MAXIMUM + 1);
    expect(policy.counts.evicted).toBe(1);
  });
});
