// Several registries in this process. What needs processes that die is in registry-processes.test.ts.
import { describe, expect, it, vi } from 'vitest';
import { PEER_GONE_GRACE } from '../../lib/limits';
import { ServicePrefix } from '../../lib/wire/service-id';
import { NOW, networkInterface } from '../controller/commands';
import { hello, oneHost, register, service } from './one-host';

/** Local connections and servers that keep this process alive. */
const referencedPipes = () =>
  process.getActiveResourcesInfo().filter((name) => /^Pipe(Server)?Wrap$/.test(name)).length;
const PIPES_AT_START = referencedPipes();

describe('HostRegistry', () => {
  const { fresh, watch, dial, serveByHand, pair, settled } = oneHost();

  it('makes the first the holder and the others members', async () => {
    fresh();
    const holder = watch(4001);
    expect(await holder.registry.start()).toBe('holder');
    expect(holder.take()).toEqual(['add delay', 'holder', 'delete delay', 'releaseDelayed']);
    const member = watch(4002);
    expect(await member.registry.start()).toBe('member');
    expect(member.take()).toEqual([
      'add delay',
      'add 0 -> 127.0.0.1:54325',
      'delete delay',
      'releaseDelayed',
      'member',
    ]);
    expect([holder.registry.memberCount, member.registry.memberCount]).toEqual([1, 0]);
    expect([...holder.problems, ...member.problems]).toEqual([]);
  });

  it('tells a member when its service can be reached, and lets go of it again', async () => {
    const { holder, member } = await pair();
    await member.registry.register(service('a'), 6);
    expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002']);
    member.registry.unregister(service('a'), 6);
    member.registry.unregister(service('a'), 6);
    await settled(member);
    expect(holder.take()).toEqual(['delete a -> 127.0.0.1:4002', 'add f -> 127.0.0.1:4002']);
  });

  it('follows the events of the stack', async () => {
    const { holder, member } = await pair();
    const prefix = service('a');
    member.registry.handleEvent({ kind: 'registered', prefix, protocol: 6, weight: 1024 }, NOW);
    member.registry.handleEvent({ kind: 'unregistered', prefix, protocol: 6 }, NOW);
    await settled(member);
    expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002', 'delete a -> 127.0.0.1:4002', 'add f -> 127.0.0.1:4002']);
  });

  it('brings along what was registered before it started', async () => {
    fresh();
    const holder = watch(4001);
    await holder.registry.start();
    holder.take();
    const member = watch(4002);
    const registered = member.registry.register(service('a'), 6);
    await member.registry.start();
    await registered;
    expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002']);
  });

  it("needs no telling of the holder's own services, nor of a default socket", async () => {
    const { holder, member } = await pair();
    await holder.registry.register(service('a'), 6);
    await member.registry.register(ServicePrefix.any, 6);
    await settled(member);
    expect(holder.take()).toEqual(['add f -> 127.0.0.1:4002']);
  });

  it('welcomes nobody before its owner receives first packets, and takes registrations all the same', async () => {
    fresh();
    const holder = watch(4001, {}, false);
    await holder.registry.start();
    expect(holder.take()).toEqual(['add delay', 'holder']);
    const member = watch(4002);
    const registered = member.registry.register(service('a'), 6);
    const joined = member.registry.start();
    await registered;
    expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002', 'releaseDelayed']);
    expect(member.take()).toEqual(['add delay']);
    holder.serve();
    expect(holder.take()).toEqual(['delete delay', 'releaseDelayed']);
    expect(await joined).toBe('member');
  });

  it('leads the members to another port, and says nothing when it is the same', async () => {
    const { holder, member } = await pair();
    holder.serve(4001);
    await vi.waitFor(() => expect(member.told).toEqual(['add 0 -> 127.0.0.1:4001', 'delete 0 -> 127.0.0.1:54325']));
    holder.serve(4001);
    await settled(member);
    expect(member.take()).toHaveLength(2);
  });

  it('hands over when the holder leaves, and nobody calls its connections dead', async () => {
    const { holder, member } = await pair();
    const third = watch(4003);
    await third.registry.start();
    await member.registry.register(service('a'), 6);
    await third.registry.register(service('b'), 6);
    third.take();
    await holder.registry.close();
    await vi.waitFor(() => expect([member.registry.role, third.registry.role].sort()).toEqual(['holder', 'member']));
    const [next, other] = member.registry.role === 'holder' ? [member, third] : [third, member];
    const letter = other === member ? 'a' : 'b';
    await vi.waitFor(() => expect(other.told).toContain('releaseDelayed'));
    expect(next.told).toContain(`add ${letter} -> 127.0.0.1:${other.port}`);
    // The new holder answers only when the others had time to register with it.
    expect(next.told.indexOf('releaseDelayed')).toBeGreaterThan(
      next.told.indexOf(`add ${letter} -> 127.0.0.1:${other.port}`),
    );
    expect([...next.told, ...other.told].filter((text) => text.startsWith('gone'))).toEqual([]);
  });

  it('fails the connections of an ended process by every address of the host, after a grace', async () => {
    const { holder } = await pair();
    const networkInterfaces = ['127.0.0.1', '10.0.0.1'].map((ip) => networkInterface('eth0', ip));
    for (const networkInterface of networkInterfaces) {
      holder.registry.handleEvent({ kind: 'interfaceUp', networkInterface }, NOW);
    }
    const client = await dial();
    client.say(hello(4009), register(1, service('a')));
    await vi.waitFor(() => expect(holder.take()).toEqual(['add a -> 127.0.0.1:4009']));
    client.socket.destroy();
    await vi.waitFor(() => expect(holder.told).toHaveLength(3));
    expect(holder.take()).toEqual(['delete a -> 127.0.0.1:4009', 'gone 127.0.0.1:4009', 'gone 10.0.0.1:4009']);
    const [deleted, gone] = holder.times.slice(-3);
    expect(gone! - deleted!).toBeGreaterThan(PEER_GONE_GRACE - 2);
  });

  it('does not keep the process alive, whatever its role, unless told to', async () => {
    const referenced = (count: number) => vi.waitFor(() => expect(referencedPipes()).toBe(PIPES_AT_START + count));
    fresh();
    await referenced(0);
    const holder = watch(4001);
    await holder.registry.start();
    const member = watch(4002);
    await member.registry.start();
    await referenced(0);
    member.registry.ref();
    await referenced(1);
    holder.registry.ref();
    // Its server, and its end of the member's connection.
    await referenced(3);
    member.registry.unref();
    holder.registry.unref();
    await referenced(0);
  });

  it('does not keep the process alive for a welcome that never comes', async () => {
    fresh();
    const server = await serveByHand((socket) => socket.unref());
    server.unref();
    const alone = watch(4003);
    expect(await alone.registry.start()).toBe('alone');
    await vi.waitFor(() => expect(referencedPipes()).toBe(PIPES_AT_START));
  });

  describe('closed', () => {
    it('does not start', async () => {
      fresh();
      const one = watch(4001);
      await one.registry.close();
      expect(await one.registry.start()).toBe('alone');
      expect(one.take()).toEqual([]);
    });

    it('while it searches, the search ends', async () => {
      fresh();
      await serveByHand(() => {});
      const one = watch(4001);
      const started = one.registry.start();
      await new Promise((resolve) => setImmediate(resolve));
      await one.registry.close();
      expect(await started).toBe('alone');
    });

    it('twice, before it started, and while it searches', async () => {
      fresh();
      const never = watch(4001);
      await never.registry.close();
      const searching = watch(4002);
      void searching.registry.start();
      const waiting = searching.registry.register(service('a'), 6);
      await searching.registry.close();
      await searching.registry.close();
      await waiting;
      // Whatever it was about to do, it does not hold the place.
      const next = watch(4003);
      expect(await next.registry.start()).toBe('holder');
      expect(searching.registry.role).toBeUndefined();
    });

    it('says nothing more, and registers nothing', async () => {
      const { holder, member } = await pair();
      await member.registry.register(service('a'), 6);
      await member.registry.close();
      await member.registry.register(service('b'), 6);
      await vi.waitFor(() => expect(holder.registry.memberCount).toBe(0));
      expect(holder.take()).toEqual(['add a -> 127.0.0.1:4002', 'delete a -> 127.0.0.1:4002']);
      expect(member.take()).toEqual([]);
    });
  });
});
