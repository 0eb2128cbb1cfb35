// What a local socket's registration may go through: weights, withdrawal, closing, and their order.
import { beforeEach, describe, expect, it } from 'vitest';
import { Stack } from '../../lib/stack/stack';
import { DEMUX_WEIGHT } from '../../lib/table/service-rule';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const web = ServicePrefix.of(ServiceID.fromHex('ab'.repeat(32))!);
const NOW = 0 as Instant;
let stack: Stack;
beforeEach(() => {
  stack = new Stack({ random: SeededRandom.of(1) });
});

/** What controllers heard since the last call. */
function told(): string[] {
  const heard: string[] = [];
  for (let event = stack.pollEvent(NOW); event !== undefined; event = stack.pollEvent(NOW)) {
    if (event.kind !== 'service') continue;
    const { event: service } = event;
    if (service.kind === 'registered') heard.push(`registered ${service.protocol} ${service.weight}`);
    else if (service.kind === 'unregistered') heard.push(`unregistered ${service.protocol}`);
  }
  return heard;
}

/** `PROTOCOL WEIGHT` of each DEMUX rule. */
const rules = () =>
  stack.sal.serviceTable
    .rulesOf(web)
    .flatMap((rule) => (rule.action === 'demux' ? [`${rule.protocol} ${rule.weight}`] : []));

describe('a listening socket', () => {
  const listen = (weight?: number) => stack.listen(web, weight === undefined ? {} : { weight }, NOW);

  it('is registered with its weight, and told again with each new one', () => {
    const listener = listen()!;
    for (const weight of [5, 5, 7]) stack.setWeight(listener, weight, NOW);
    expect(told()).toEqual([`registered 6 ${DEMUX_WEIGHT}`, 'registered 6 5', 'registered 6 7']);
    expect(rules()).toEqual(['6 7']);
  });

  it('is withdrawn by a weight of 0, keeps its name meanwhile, and comes back with the next weight', () => {
    const listener = listen(3)!;
    stack.setWeight(listener, 0, NOW);
    stack.setWeight(listener, 0, NOW);
    expect([told(), rules()]).toEqual([['registered 6 3', 'unregistered 6'], []]);
    expect(listen()).toBeUndefined();
    expect(listen(0)).toBeUndefined();
    stack.setWeight(listener, 2, NOW);
    expect([told(), rules()]).toEqual([['registered 6 2'], ['6 2']]);
    expect(listen(0)).toBeUndefined();
  });

  it('may begin withdrawn', () => {
    const listener = listen(0)!;
    expect([told(), rules(), listen()]).toEqual([[], [], undefined]);
    stack.setWeight(listener, 4, NOW);
    expect([told(), rules()]).toEqual([['registered 6 4'], ['6 4']]);
  });

  it.each(['closeListener', 'finishListener'] as const)('is gone after %s, withdrawn or not', (close) => {
    for (const weight of [0, 3]) {
      const listener = listen(weight)!;
      told();
      stack[close](listener, NOW);
      // One that was withdrawn as well: somebody may remember it as such.
      expect([told(), rules()]).toEqual([['unregistered 6'], []]);
      // Who is late cannot bring it back, nor take from the next one what is its own.
      stack.setWeight(listener, 9, NOW);
      stack[close](listener, NOW);
      const next = listen(8)!;
      stack.setWeight(listener, 0, NOW);
      stack[close](listener, NOW);
      expect([told(), rules()]).toEqual([['registered 6 8'], ['6 8']]);
      stack[close](next, NOW);
      told();
    }
  });

  it('that is withdrawn leaves the name to datagram sockets, and they to it', () => {
    stack.setWeight(listen()!, 0, NOW);
    const endpoint = stack.openDatagram(web, NOW)!;
    stack.setWeight(endpoint, 6, NOW);
    stack.setWeight(endpoint, 0, NOW);
    expect(stack.openDatagram(web, NOW)).toBeUndefined();
    stack.setWeight(endpoint, 1, NOW);
    expect(rules()).toEqual(['17 1']);
    expect(told().filter((text) => text.includes('17'))).toEqual([
      `registered 17 ${DEMUX_WEIGHT}`,
      'registered 17 6',
      'unregistered 17',
      'registered 17 1',
    ]);
    stack.closeDatagram(endpoint, NOW);
    expect([told(), rules()]).toEqual([['unregistered 17'], []]);
  });
});

describe('a datagram socket that is not registered', () => {
  it('is known to nobody, whatever its weight', () => {
    const endpoint = stack.openDatagram(undefined, NOW)!;
    stack.setWeight(endpoint, 0, NOW);
    stack.setWeight(endpoint, 5, NOW);
    stack.closeDatagram(endpoint, NOW);
    expect(told()).toEqual([]);
  });
});
