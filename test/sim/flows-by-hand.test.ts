// Flows of a connection that the application closes and opens itself while data runs (§4.4).

import { describe, expect, it } from 'vitest';
import { connect } from '../../lib/index';
import { milliseconds } from '../../lib/time/instant';
import { addressOf, MEBIBYTE, opened, sink, twoHosts } from './several-paths';

const ALIKE = [
  { rate: 10, delay: 10 },
  { rate: 10, delay: 10 },
] as const;

describe('a flow closed by hand', () => {
  it.each([0, 1])('is gone at both ends, and the stream goes on: flow %i', async (number) => {
    const { world, client, server } = twoHosts(ALIKE);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    await world.runAsync({ until: () => counted.socket!.flows.length === 2 });
    let told = 0;
    counted.socket!.on('flows', () => told++);
    socket.end(Buffer.alloc(4 * MEBIBYTE));
    await world.runAsync({ for: milliseconds(500) });
    const [kept] = socket.flows.filter((_flow, index) => index !== number);
    expect(socket.flows[number]!.close()).toBe(true);
    expect(socket.flows.map(({ localFlowID }) => localFlowID)).toEqual([kept!.localFlowID]);
    const closedAt = world.now;
    await world.runAsync({ until: () => counted.socket!.flows.length === 1 || world.now > closedAt + 1000 });
    expect(world.now - closedAt).toBeLessThan(200);
    expect(counted.socket!.flows[0]!.localFlowID).toBe(kept!.remoteFlowID);
    expect(told).toBe(1);
    await world.runAsync({ until: () => socket.closed });
    expect(counted).toMatchObject({ bytes: 4 * MEBIBYTE, ended: true });
    await world.runAsync({ for: milliseconds(5000) });
    for (const host of [client, server]) {
      expect([host.stack.connections.size, host.stack.sal.flowTable.size]).toEqual([0, 0]);
    }
  });

  it('may be closed by the server, and is not opened again by itself', async () => {
    const { world, client, server } = twoHosts(ALIKE);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    await world.runAsync({ for: milliseconds(200) });
    expect(counted.socket!.flows[1]!.close()).toBe(true);
    await opened(socket, world, 1);
    await world.runAsync({ for: milliseconds(60_000) });
    expect(socket.flows.length).toBe(1);
  });

  it('is not the only one', async () => {
    const { world, client, server } = twoHosts(ALIKE.slice(0, 1));
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await world.runAsync({ for: milliseconds(1000) });
    expect(socket.flows[0]!.close()).toBe(false);
    socket.end(Buffer.alloc(MEBIBYTE));
    await world.runAsync({ until: () => socket.closed });
    expect(counted.bytes).toBe(MEBIBYTE);
  });

  it('may be over already', async () => {
    const { world, client, server } = twoHosts(ALIKE);
    sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    const [, second] = socket.flows;
    expect(second!.close()).toBe(true);
    expect(second!.close()).toBe(false);
    socket.destroy();
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is gone at the other end though packets are lost: seed %i', async (seed) => {
    const lossy = ALIKE.map((line) => ({ ...line, loss: 0.1 }));
    const { world, client, server } = twoHosts(lossy, seed);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    await world.runAsync({ until: () => counted.socket!.flows.length === 2 });
    socket.flows[1]!.close();
    await world.runAsync({ for: milliseconds(1500) });
    expect(counted.socket!.flows.length).toBe(1);
  });
});

describe('a flow opened by hand', () => {
  it('carries the stream of a connection that asked for one flow only', async () => {
    const { world, client, server } = twoHosts(ALIKE);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client });
    await world.runAsync({ for: milliseconds(1000) });
    const remoteAddress = addressOf(server, 1);
    const opening = socket.openFlow({ interface: 'eth1', remoteAddress });
    await opened(socket, world, 2);
    await opening;
    expect(socket.flows[1]!.remoteAddress.ip).toBe(remoteAddress);
    const start = world.now;
    socket.end(Buffer.alloc(4 * MEBIBYTE));
    await world.runAsync({ until: () => socket.closed });
    expect(counted.bytes).toBe(4 * MEBIBYTE);
    // One path would need 3.4 s.
    expect(world.now - start).toBeLessThan(2400);
  });

  it('takes the place of one that was closed', async () => {
    const { world, client, server } = twoHosts(ALIKE);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    socket.flows[1]!.close();
    await world.runAsync({ for: milliseconds(2000) });
    const opening = socket.openFlow({ interface: 'eth1' });
    await opened(socket, world, 2);
    await opening;
    await world.runAsync({ for: milliseconds(100) });
    expect(counted.socket!.flows.length).toBe(2);
  });

  it('may be opened by the server', async () => {
    const { world, client, server } = twoHosts(ALIKE);
    const counted = sink(server);
    const socket = connect('test/sink', { host: client, multipath: true });
    await opened(socket, world, 2);
    await world.runAsync({ for: milliseconds(200) });
    socket.flows[1]!.close();
    await world.runAsync({ for: milliseconds(2000) });
    const opening = counted.socket!.openFlow({ interface: 'eth1', remoteAddress: addressOf(client, 1) });
    await opened(socket, world, 2);
    await opening;
  });

  it('is refused with a code', async () => {
    const { world, client, server } = twoHosts(ALIKE);
    sink(server, { multipath: false });
    const socket = connect('test/sink', { host: client });
    await expect(socket.openFlow({ interface: 'eth1' })).rejects.toMatchObject({ code: 'ENOTCONN' });
    await world.runAsync({ for: milliseconds(1000) });
    await expect(socket.openFlow({ interface: 'eth7' })).rejects.toMatchObject({ code: 'ENODEV' });
    await expect(socket.openFlow({ address: '10.99.9.9' })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
    await expect(socket.openFlow({ interface: 'eth0' })).rejects.toMatchObject({ code: 'EISCONN' });
    const remoteAddress = addressOf(server, 1);
    const refused = expect(socket.openFlow({ interface: 'eth1', remoteAddress })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      syscall: 'openFlow',
    });
    await world.runAsync({ for: milliseconds(1000) });
    await refused;
    const silent = expect(socket.openFlow({ interface: 'eth1', remoteAddress: '10.200.0.9' })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
    await world.runAsync({ for: milliseconds(10_000) });
    await silent;
    expect(() => socket.openFlow({ interface: 'eth1', remoteAddress: 'nowhere' })).toThrow(TypeError);
    expect(() => socket.openFlow({} as never)).toThrow(TypeError);
  });

  it('ends with the connection', async () => {
    const { world, client, server } = twoHosts(ALIKE);
    sink(server);
    const socket = connect('test/sink', { host: client });
    await world.runAsync({ for: milliseconds(1000) });
    const ended = expect(socket.openFlow({ interface: 'eth1', remoteAddress: '10.200.0.9' })).rejects.toMatchObject({
      code: 'ENOTCONN',
    });
    socket.end();
    await world.runAsync({ until: () => socket.closed });
    await ended;
    await world.runAsync({ for: milliseconds(1000) });
    expect(client.stack.sal.flowTable.size).toBe(0);
  });
});
