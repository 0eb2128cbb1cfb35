// When the driver hands packets to a link, on a clock and a link of the test's own.

import { describe, expect, it } from 'vitest';
import { SILENT_OBSERVER } from '../../lib/driver/handles';
import { StackDriver } from '../../lib/driver/stack-driver';
import { StackSockets } from '../../lib/driver/stack-sockets';
import { TRANSMIT_DELAY_MAXIMUM } from '../../lib/limits';
import { Stack } from '../../lib/stack/stack';
import { DEFAULT_RULE_PRIORITY } from '../../lib/table/service-rule';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const service = ServiceID.fromHex('1'.repeat(64))!;

/** A host with a route for everything. `sent` has the rows of each batch that a link was given. */
function host() {
  const clock = { now: 1000 };
  const sent: number[] = [];
  let flushes = 0;
  const stack = new Stack({ random: SeededRandom.of(1) });
  const link = stack.attachLink({ kind: 'memory', encapsulated: true, role: 'data', mtu: 1500 });
  const driver = new StackDriver(stack, {
    now: () => clock.now as Instant,
    transmit: (_link, batch) => {
      sent.push(batch.count);
      return true;
    },
    schedule: () => {},
    requestFlush: () => {
      flushes++;
    },
  });
  const rule = { action: 'forward', prefix: ServicePrefix.any, link, broadcast: false, scope: 'network' } as const;
  const address = NetworkAddress.parse('10.0.0.2', 4000)!;
  driver.command({ kind: 'addRule', rule: { ...rule, address, priority: DEFAULT_RULE_PRIORITY, weight: 1 } });
  driver.flush();
  const sockets = new StackSockets(driver, Promise.resolve());
  const connect = (): void => void sockets.connect(service, {}, SILENT_OBSERVER);
  return { clock, sent, driver, connect, flushes: () => flushes };
}

describe('StackDriver', () => {
  it('gathers what is done within a turn, and sends it with the flush it asked for once', () => {
    const { sent, driver, connect, flushes } = host();
    const before = flushes();
    for (let count = 0; count < 5; count++) connect();
    expect([sent, flushes() - before]).toEqual([[], 1]);
    driver.flush();
    expect(sent).toEqual([5]);
  });

  it('does not keep what is ready until the end of a long turn', () => {
    const { clock, sent, driver, connect } = host();
    connect();
    clock.now += TRANSMIT_DELAY_MAXIMUM * 0.9;
    connect();
    expect(sent).toEqual([]);
    clock.now += TRANSMIT_DELAY_MAXIMUM * 0.2;
    connect();
    expect(sent).toEqual([3]);
    connect();
    expect(sent).toEqual([3]);
    clock.now += TRANSMIT_DELAY_MAXIMUM;
    connect();
    driver.flush();
    expect(sent).toEqual([3, 2]);
  });
});
