// Event loops that are stuck, as the registry sees them: beats without an answer. Real processes that are stopped
// stand in registry-processes.test.ts.
import type { Socket } from 'node:net';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { UpstreamAccess } from '../../lib/host/host-registry';
import { LocalRegistrations } from '../../lib/host/local-registrations';
import { HEARTBEAT_BEATS, HEARTBEAT_INTERVAL } from '../../lib/limits';
import { hello, oneHost, register, service } from './one-host';

describe('heartbeat', () => {
  const { fresh, watch, dial, serveByHand, pair, settled } = oneHost();

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  const beat = (count = 1) => vi.advanceTimersByTime(count * HEARTBEAT_INTERVAL);

  /** A holder, and a member that speaks by hand and offers service a. */
  const silentMember = async () => {
    fresh();
    const holder = watch(4001);
    await holder.registry.start();
    const client = await dial();
    client.say(hello(4009), register(1, service('a')));
    await until(() => expect(holder.told).toContain('add a -> 127.0.0.1:4009'));
    holder.take();
    return { holder, client };
  };

  it('withdraws what a process offers when it leaves so many questions open, and asks no further', async () => {
    const { holder, client } = await silentMember();
    beat(HEARTBEAT_BEATS);
    expect(holder.take()).toEqual([]);
    beat();
    expect(holder.take()).toEqual(['delete a -> 127.0.0.1:4009']);
    beat(10);
    expect(holder.take()).toEqual([]);
    client.say({ type: 'alive' });
    await until(() => expect(holder.take()).toEqual(['add a -> 127.0.0.1:4009']));
    expect(client.asks).toBe(HEARTBEAT_BEATS);
    beat();
    await until(() => expect(client.asks).toBe(HEARTBEAT_BEATS + 1));
  });

  it('takes any line for a sign of life', async () => {
    const { holder, client } = await silentMember();
    for (let id = 2; id < 12; id++) {
      beat(HEARTBEAT_BEATS);
      client.say(register(id, service('b')));
      await until(() => expect(client.lines.at(-1)).toBe(`{"type":"registered","id":${id}}`));
    }
    expect(holder.take()).toEqual(['add b -> 127.0.0.1:4009']);
  });

  it('brings back only what is still offered when the process is heard again', async () => {
    const { holder, client } = await silentMember();
    client.say(register(2, service('b')));
    await until(() => expect(holder.take()).toEqual(['add b -> 127.0.0.1:4009']));
    beat(HEARTBEAT_BEATS + 1);
    expect(holder.take()).toEqual(['delete a -> 127.0.0.1:4009', 'delete b -> 127.0.0.1:4009']);
    const { id: _id, ...rest } = register(0, service('a'));
    client.say({ ...rest, type: 'unregister', weight: undefined }, register(3, service('c')));
    await until(() => expect(holder.told).toHaveLength(2));
    expect(holder.take()).toEqual(['add b -> 127.0.0.1:4009', 'add c -> 127.0.0.1:4009']);
  });

  it('has nothing left to withdraw when a stuck process ends', async () => {
    const { holder, client } = await silentMember();
    beat(HEARTBEAT_BEATS + 1);
    holder.take();
    client.socket.destroy();
    await until(() => expect(holder.take()).toEqual(['gone 127.0.0.1:4009']));
  });

  it('is answered by a member, whatever else it does', async () => {
    const { holder, member } = await pair();
    await member.registry.register(service('a'), 6);
    for (let count = 0; count < 5 * HEARTBEAT_BEATS; count++) {
      beat();
      // What was asked before this is answered before this.
      await settled(member);
    }
    expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002', 'add f -> 127.0.0.1:4002']);
    expect([...holder.problems, ...member.problems]).toEqual([]);
  });

  describe('of a holder that is silent', () => {
    const silentHolder = async (options = {}) => {
      fresh();
      const sockets: Socket[] = [];
      await serveByHand((socket) => {
        sockets.push(socket);
        socket.write(`${JSON.stringify(welcome)}\n`);
      });
      const member = watch(4002, options);
      expect(await member.registry.start()).toBe('member');
      member.take();
      return { member, say: (message: object) => sockets[0]!.write(`${JSON.stringify(message)}\n`) };
    };
    const ports = [{ family: 4, port: 4001 }];
    const welcome = { type: 'welcome', pid: 77, ports, service: [{ family: 4, port: 54325 }] };
    const router = () => {
      const asked: boolean[] = [];
      const upstream: UpstreamAccess = {
        handleRegistered() {},
        handleUnregistered() {},
        handleGone() {},
        complete() {},
        whenAcknowledged: () => Promise.resolve(),
        askRouter: (isAsked) => asked.push(isAsked) > 0,
      };
      return { asked, upstream };
    };

    it('tells of it once, and has first packets wait for it', async () => {
      const { member } = await silentHolder();
      beat(HEARTBEAT_BEATS);
      expect(member.problems).toEqual([]);
      beat(10);
      expect(member.problems).toEqual([expect.stringContaining('process 77')]);
      expect(member.take()).toEqual([]);
    });

    it('asks the router instead, until it is heard again', async () => {
      const { asked, upstream } = router();
      const { member, say } = await silentHolder({ upstream });
      beat(HEARTBEAT_BEATS + 1);
      expect([asked, member.take()]).toEqual([[true], ['delete 0 -> 127.0.0.1:54325']]);
      say({ type: 'ask' });
      await until(() => expect(member.told).toHaveLength(1));
      expect([asked, member.take()]).toEqual([[true, false], ['add 0 -> 127.0.0.1:54325']]);
    });

    it('asks nobody but the next holder when it ends', async () => {
      const { asked, upstream } = router();
      const { member, say } = await silentHolder({ upstream });
      beat(HEARTBEAT_BEATS + 1);
      member.take();
      say({ type: 'bye' });
      // The one by hand is there still, and welcomes it again.
      await until(() => expect(member.told).toContain('delete delay'));
      const known = new Set<string>();
      for (const told of member.told) {
        if (told.startsWith('add')) known.add(told.slice(4));
        if (told.startsWith('delete')) known.delete(told.slice(7));
      }
      expect([...known]).toEqual(['0 -> 127.0.0.1:54325']);
      expect(asked.at(-1)).toBe(false);
    });
  });
});

describe('what is withdrawn', () => {
  const { pair, watch, settled } = oneHost();

  it('is not brought back by the next holder, nor by the process itself when it is that', async () => {
    const { holder, member } = await pair();
    const third = watch(4003);
    await third.registry.start();
    for (const one of [member, third]) {
      await one.registry.register(service('a'), 6);
      await one.registry.register(service('b'), 6);
      one.registry.unregister(service('a'), 6);
    }
    await settled(third);
    third.take();
    await holder.registry.close();
    await until(() => expect([member.registry.role, third.registry.role].sort()).toEqual(['holder', 'member']));
    const [next, other] = member.registry.role === 'holder' ? [member, third] : [third, member];
    await until(() => expect(next.told).toContain(`add b -> 127.0.0.1:${other.port}`));
    await settled(other);
    expect(next.told.filter((told) => told.startsWith('add a'))).toEqual([]);
  });
});

describe('LocalRegistrations', () => {
  it('has who waits for a registration wait for the one in its place', async () => {
    const registrations = new LocalRegistrations();
    const order: string[] = [];
    const first = registrations.add(service('a'), 6, { weight: 1 });
    const second = registrations.add(service('a'), 6, { weight: 2 });
    const told = first.confirmed.then(() => order.push('first'));
    registrations.confirm(first.id);
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    registrations.confirm(second.id);
    await told;
    expect([...registrations].map(({ terms }) => terms.weight)).toEqual([2]);
  });

  it('tells those who wait that the one in its place was refused', async () => {
    const registrations = new LocalRegistrations();
    const first = registrations.add(service('a'), 6, { weight: 1 });
    const second = registrations.add(service('a'), 6, { weight: 2 });
    registrations.refuse(second.id, 'full');
    await expect(first.confirmed).rejects.toMatchObject({ code: 'ENOBUFS' });
  });
});

/** `vi.waitFor` would let the faked time go by. */
async function until(check: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return check();
    } catch (error) {
      if (tries >= 500) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
}
