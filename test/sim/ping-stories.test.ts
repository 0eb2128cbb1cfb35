// Pings through a simulated network, as `Host.ping` does them.

import { describe, expect, it } from 'vitest';
import { Delay, milliseconds, World } from '../../lib/sim';
import { createServer } from '../../lib/socket/connections';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const service = ServiceID.fromHex('0a'.repeat(32))!;

/** client - router - router - server, 10 ms from each to the next; whom the client asks first, the second passes on. */
function line() {
  const world = new World({ seed: 11 });
  const client = world.host('client');
  const routers = ['near', 'far'].map((name) => world.host(name, { forwards: true }));
  const server = world.host('server');
  const segment = world.segment('lan');
  for (const host of [client, ...routers, server])
    world.attach(host, segment, { outbound: [new Delay(milliseconds(10))] });
  const prefix = ServicePrefix.of(service);
  client.forward(routers[0]!.address(), prefix);
  routers[0]!.forward(routers[1]!.address(), prefix);
  routers[1]!.forward(server.address(), prefix);
  return { world, client, routers, server };
}

async function settled<T>(world: World, promise: Promise<T>): Promise<T> {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  promise.then(end, end);
  await world.runAsync({ until: () => isOver });
  return promise;
}

describe('Host.ping', () => {
  it('tells the time of a first packet and its answer, the instance, and the way; no application notices', async () => {
    const { world, client, routers, server } = line();
    let accepted = 0;
    createServer({ host: server }, () => accepted++).listen({ serviceID: service });
    const answer = await settled(world, client.ping(service));
    expect(answer.roundTripTime).toBeCloseTo(40, 0);
    expect(answer.address.ip).toBe(server.address().ip);
    expect(answer.routers.map(String)).toEqual(routers.map((router) => String(router.address())));
    expect(answer.attempts).toBe(1);
    await world.runAsync({ for: milliseconds(1000) });
    expect(accepted).toBe(0);
    for (const host of world.hosts) expect(host.stack.sal.flowTable.size).toBe(0);
  });

  it('asks datagram services, too', async () => {
    const { world, client, server } = line();
    server.openDatagram(ServicePrefix.of(service), { message() {}, connected() {}, failed() {}, closed() {} });
    const answer = await settled(world, client.ping(service, { transport: 'datagram' }));
    expect(answer.routers).toHaveLength(2);
    await expect(settled(world, client.ping(service))).rejects.toMatchObject({ code: 'ECONNREFUSED', syscall: 'ping' });
  });

  it('fails in the time it is given', async () => {
    const { world, client, server } = line();
    server.crash();
    const begun = world.now;
    const failed = settled(world, client.ping(service, { timeout: 500 }));
    await expect(failed).rejects.toMatchObject({ code: 'ETIMEDOUT', syscall: 'ping', serviceID: service.toString() });
    expect(world.now - begun).toBeLessThan(600);
  });
});

describe('Host.trace', () => {
  it('tells how far each router is', async () => {
    const { world, client, routers, server } = line();
    let accepted = 0;
    createServer({ host: server }, () => accepted++).listen({ serviceID: service });
    const { hops, roundTripTime, address, routers: way } = await settled(world, client.trace(service));
    expect(hops.map((hop) => String(hop.address))).toEqual(routers.map((router) => String(router.address())));
    expect(way.map(String)).toEqual(hops.map((hop) => String(hop.address)));
    // There by all of them, back straight.
    expect(hops.map((hop) => Math.round(hop.roundTripTime!))).toEqual([20, 30]);
    expect([Math.round(roundTripTime), address.ip]).toEqual([40, server.address().ip]);
    await world.runAsync({ for: milliseconds(1000) });
    expect(accepted).toBe(0);
    for (const host of world.hosts) expect(host.stack.sal.flowTable.size).toBe(0);
  });

  it('waits for a router that says nothing no longer than it should', async () => {
    const { world, client, routers, server } = line();
    createServer({ host: server }, () => {}).listen({ serviceID: service });
    // It has answered too many others in this second, and in the next.
    for (const second of [0, 1, 2]) {
      world.in(milliseconds(second * 500), () => {
        for (let count = 0; count < 200; count++) routers[1]!.stack.sal.firstPackets.traceAnswers.take(world.now);
      });
    }
    const begun = world.now;
    const { hops } = await settled(world, client.trace(service));
    expect(hops.map((hop) => hop.roundTripTime === null)).toEqual([false, true]);
    expect(world.now - begun).toBeLessThan(1100);
  });

  it('of one without routers, and of one that nobody answers', async () => {
    const { world, client, server } = line();
    client.forward(server.address(), ServicePrefix.of(service), 1_000_000);
    await expect(settled(world, client.trace(service))).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      syscall: 'ping',
    });
    createServer({ host: server }, () => {}).listen({ serviceID: service });
    const { hops } = await settled(world, client.trace(service, { via: [server.address()] }));
    expect(hops).toEqual([]);
  });
});
