// The registry against those that do not keep to its rules: clients, and holders that are none.
import type { Server, Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { REGISTRATIONS_PER_MEMBER_MAXIMUM, REGISTRY_HELLO_TIMEOUT } from '../../lib/limits';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { hello, oneHost, register, service } from './one-host';

describe('HostRegistry', () => {
  const { fresh, watch, dial, serveByHand, pair, settled } = oneHost();

  describe('against clients that break the rules', () => {
    it.each([
      ['garbage', ['\u0000\u00ff nonsense']],
      ['JSON that is no object', ['[]']],
      ['a registration before hello', [register(1, service('a'))]],
      ['goodbye before hello', [{ type: 'bye' }]],
      ['hello twice', [hello(4010), hello(4011)]],
      ['another version', [{ ...hello(4010), version: 1 }]],
      ["the holder's port", [hello(4001)]],
      ["a member's port", [hello(4002)]],
      ['an address instead of ports', [{ ...hello(4010), ports: ['192.0.2.66:80'] }]],
      ['a malformed registration', [hello(4010), { ...register(1, service('a')), prefix: 'acme' }]],
      ['the default prefix', [hello(4010), register(1, ServicePrefix.any)]],
      ['a line without end', [hello(4010), 'x'.repeat(5000)]],
    ])('refuses %s', async (_what, messages) => {
      const { holder, member } = await pair();
      const client = await dial();
      client.say(...messages);
      await client.closed;
      expect(JSON.parse(client.lines.at(-1)!)).toMatchObject({ type: 'refused', reason: expect.any(String) });
      await settled(member);
      // Refused, not dead: nobody's connections are failed for it.
      expect(holder.take()).toEqual(['add f -> 127.0.0.1:4002']);
      expect(holder.registry.memberCount).toBe(1);
    });

    it('undoes what a client registered before it broke them', async () => {
      const { holder } = await pair();
      const client = await dial();
      client.say(hello(4010), register(1, service('a')), 'nonsense', register(2, service('b')));
      await client.closed;
      expect(holder.take()).toEqual(['add a -> 127.0.0.1:4010', 'delete a -> 127.0.0.1:4010']);
    });

    it('reads lines that come a byte at a time', async () => {
      const { holder } = await pair();
      const client = await dial();
      for (const byte of Buffer.from(
        `${JSON.stringify(hello(4010))}\n${JSON.stringify(register(1, service('a')))}\n`,
      )) {
        client.socket.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await vi.waitFor(() => expect(holder.take()).toEqual(['add a -> 127.0.0.1:4010']));
    });

    it('takes so many registrations of one process, and no more', async () => {
      const { holder } = await pair();
      const client = await dial();
      client.say(hello(4010));
      const prefixes = (number: number) => ServicePrefix.of(ServiceID.fromHex(number.toString(16).padStart(64, '0'))!);
      for (let id = 1; id <= REGISTRATIONS_PER_MEMBER_MAXIMUM + 2; id++) {
        client.say(register(id, prefixes(id)));
        if (id % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await vi.waitFor(() => expect(client.lines).toHaveLength(REGISTRATIONS_PER_MEMBER_MAXIMUM + 3), {
        timeout: 10_000,
      });
      const refused = client.lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'refused');
      expect(refused.map(({ id }) => id - REGISTRATIONS_PER_MEMBER_MAXIMUM)).toEqual([1, 2]);
      expect(holder.take()).toHaveLength(REGISTRATIONS_PER_MEMBER_MAXIMUM);
    });

    it('cuts off a client that does not read', async () => {
      const { holder, member } = await pair();
      const client = await dial();
      client.socket.pause();
      client.say(hello(4010));
      const line = `${JSON.stringify(register(1, service('a')))}\n`.repeat(1000);
      let isOpen = true;
      client.socket.once('close', () => {
        isOpen = false;
      });
      // 50 MB of answers: as much as the kernel and the bound hold, and far more.
      for (let round = 0; isOpen && round < 2000; round++) {
        if (!client.socket.write(line))
          await Promise.race([client.closed, new Promise((resolve) => client.socket.once('drain', resolve))]);
      }
      expect(isOpen).toBe(false);
      await settled(member);
      expect(holder.registry.memberCount).toBe(1);
      expect(holder.take()).toEqual([
        'add a -> 127.0.0.1:4010',
        'delete a -> 127.0.0.1:4010',
        'add f -> 127.0.0.1:4002',
      ]);
    });

    it('closes a connection that never says hello', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      fresh();
      const holder = watch(4001);
      await holder.registry.start();
      const connections: Socket[] = [];
      (holder.registry as unknown as { holder: { server: Server } }).holder.server.on('connection', (socket) =>
        connections.push(socket),
      );
      const client = await dial();
      while (connections.length === 0) await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(REGISTRY_HELLO_TIMEOUT - 1);
      expect(connections[0]!.writable).toBe(true);
      vi.advanceTimersByTime(1);
      await client.closed;
      expect(JSON.parse(client.lines[0]!)).toEqual({ type: 'refused', reason: 'no hello' });
    });
  });

  describe('with a holder that is none', () => {
    it('goes on alone when it is never welcomed, and joins when it is', async () => {
      fresh();
      const sockets: Socket[] = [];
      await serveByHand((socket) => sockets.push(socket));
      const one = watch(4001);
      expect(await one.registry.start()).toBe('alone');
      expect(one.take()).toEqual(['add delay', 'delete delay', 'releaseDelayed', 'alone']);
      sockets[0]!.write(
        '{"type":"welcome","pid":1,"ports":[{"family":4,"port":9}],"service":[{"family":4,"port":8}]}\n',
      );
      await vi.waitFor(() => expect(one.told).toEqual(['add 0 -> 127.0.0.1:8', 'member']));
    });

    it('says what is wrong once, and takes the place when it is free', async () => {
      fresh();
      const server = await serveByHand((socket) => socket.end('nonsense\n'));
      const one = watch(4001);
      expect(await one.registry.start()).toBe('alone');
      expect(one.problems).toEqual([expect.stringContaining('malformed line')]);
      server.close();
      await vi.waitFor(() => expect(one.registry.role).toBe('holder'), { timeout: 3000 });
      expect(one.problems).toHaveLength(1);
    });

    it('says when the place cannot be had at all', async () => {
      fresh();
      const one = watch(4001, { endpoint: '/nonexistent/serval.sock' });
      expect(await one.registry.start()).toBe('alone');
      expect(one.problems).toEqual([expect.stringMatching(/EACCES|ENOENT/)]);
    });

    it('rejects a registration that the holder refuses, and keeps the others', async () => {
      fresh();
      await serveByHand((socket) => {
        socket.write('{"type":"welcome","pid":1,"ports":[],"service":[{"family":4,"port":8}]}\n');
        socket.write('{"type":"refused","id":1,"reason":"too many registrations"}\n{"type":"registered","id":2}\n');
      });
      const one = watch(4001);
      const refused = one.registry.register(service('a'), 6);
      const taken = one.registry.register(service('b'), 6);
      await one.registry.start();
      await expect(refused).rejects.toMatchObject({ code: 'ENOBUFS', serviceID: 'a'.repeat(64) });
      await taken;
    });
  });
});
