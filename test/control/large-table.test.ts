// Lists of a large table: made as fast as they are read, in turns that leave room for traffic.

import { once } from 'node:events';
import { createServer, connect as dial, type Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { CONTROL_LINES_PER_LOOK } from '../../lib/control/control-limits';
import { ControlServer } from '../../lib/control/control-server';
import type { ControlledHost } from '../../lib/control/controlled-host';
import { HostEvents } from '../../lib/control/host-events';
import { Stack } from '../../lib/stack/stack';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { ask } from './ask';

const RULES = 30_000;

async function largeHost(): Promise<{ path: string; server: ControlServer; endpoint: Server; looked(): number }> {
  const stack = new Stack({ random: SeededRandom.of(1) });
  const address = NetworkAddress.parse('192.0.2.1', 54325)!;
  const rule = {
    action: 'forward',
    address,
    link: 0,
    broadcast: false,
    scope: 'network',
    priority: 1,
    weight: 1,
  } as const;
  for (let index = 0; index < RULES; index++) {
    const prefix = ServicePrefix.of(ServiceID.fromWords([index, 0, 0, 0, 0, 0, 0, 0]));
    stack.sal.serviceTable.addRule({ ...rule, prefix }, 0 as Instant);
  }
  const path = `\0serval-large-${process.pid}-${performance.now()}`;
  const endpoint = createServer();
  await new Promise<void>((resolve) => endpoint.listen({ path }, resolve));
  const facts = () => ({ wellKnownPort: 54325 }) as ReturnType<ControlledHost['facts']>;
  const host = {
    stack,
    events: new HostEvents(),
    facts,
    registeredHosts: () => [],
    now: () => 0 as Instant,
    command() {},
    drain: () => [],
  };
  return { path, endpoint, server: new ControlServer(endpoint, host), looked: lookedAt(stack) };
}

/** Tells how many rules a list has come to. */
function lookedAt(stack: Stack): () => number {
  const { serviceTable } = stack.sal;
  const rules = serviceTable.rules.bind(serviceTable);
  let count = 0;
  serviceTable.rules = function* () {
    for (const rule of rules()) {
      count++;
      yield rule;
    }
  };
  return () => count;
}

describe('a large table', () => {
  it('is told in whole, as rules, services and instances', async () => {
    const { path, server } = await largeHost();
    for (const resource of ['/table', '/services', '/instances']) {
      const { lines } = await ask(path, 'GET', resource);
      expect(lines).toHaveLength(RULES);
      expect(new Set(lines.map(({ prefix }) => prefix)).size).toBe(RULES);
    }
    await server.close();
  });

  it.each(['/table', '/table?prefix=acme/web', '/services?prefix=acme/web'])(
    '%s leaves the event loop its turns',
    async (resource) => {
      const { path, server } = await largeHost();
      const list = ask(path, 'GET', resource);
      let isDone = false;
      let turns = 0;
      void list.then(() => {
        isDone = true;
      });
      for (; !isDone; turns++) await nextTurn();
      // 128 rules in one turn at most, whether or not they are meant.
      expect(turns).toBeGreaterThan(RULES / 128);
      await server.close();
    },
  );

  it('leaves them however slow the machine is', async () => {
    const { path, server } = await largeHost();
    // Each look at the clock is a millisecond later.
    let now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now++);
    const list = ask(path, 'GET', '/table');
    let isDone = false;
    let turns = 0;
    void list.then(() => {
      isDone = true;
    });
    for (; !isDone; turns++) await nextTurn();
    clock.mockRestore();
    expect(turns).toBeGreaterThan(RULES / (3 * CONTROL_LINES_PER_LOOK));
    await server.close();
  });

  it('waits for a reader that is slow, and forgets one that goes', async () => {
    const { path, server, endpoint, looked } = await largeHost();
    const reader = dial(path);
    reader.write('GET /table HTTP/1.1\r\nhost: host\r\n\r\n');
    await once(reader, 'readable');
    // What the sockets hold, and 64 KiB: not the 10 MB of the list.
    for (let turn = 0; turn < 2000; turn++) await nextTurn();
    expect(looked()).toBeLessThan(RULES / 4);
    reader.resume();
    let bytes = 0;
    reader.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > 2_000_000) reader.destroy();
    });
    await once(reader, 'close');
    await expect.poll(() => new Promise((resolve) => endpoint.getConnections((_, count) => resolve(count)))).toBe(0);
    await server.close();
  });
});
