// Service routers in a simulated network: how far a first packet goes, and what is left of it where it has passed (§4.2).

import { describe, expect, it } from 'vitest';
import { SOURCE_ADDRESSES_MAXIMUM } from '../../lib/limits';
import { milliseconds, type SimulatedHost, seconds, World } from '../../lib/sim';
import { connect, createServer } from '../../lib/socket/connections';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';

const service = ServiceID.fromHex('0a'.repeat(32))!;
const prefix = ServicePrefix.of(service);

/** client, so many routers in a row, server, all on one LAN on which nobody is asked by broadcast. */
function chain(length: number) {
  const world = new World({ seed: 21 });
  const lan = world.segment('lan');
  const host = (name: string, forwards: boolean): SimulatedHost => {
    // What is counted are the packets of one client: routers that ask each other would be counted, too.
    const made = world.host(name, { forwards, ejects: false });
    world.attach(made, lan);
    return made;
  };
  const client = host('client', false);
  const routers = Array.from({ length }, (_, index) => host(`router${index}`, true));
  const server = host('server', false);
  const hops = [...routers, server];
  client.forward(hops[0]!.address(), prefix);
  for (const [index, router] of routers.entries()) router.forward(hops[index + 1]!.address(), prefix);
  return { world, client, routers, server };
}

const counted = (hosts: readonly SimulatedHost[], name: string): number[] =>
  hosts.map((host) => host.stack.sal.counters.value(name));

async function outcome(world: World, client: SimulatedHost): Promise<string> {
  let told = '';
  const socket = connect({ serviceID: service, host: client, timeout: 2000 });
  socket.on('connect', () => {
    told = 'connected';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    told = error.code ?? '';
  });
  await world.runAsync({ until: () => told !== '' });
  socket.destroy();
  return told;
}

describe('a chain of service routers', () => {
  it(`may have ${SOURCE_ADDRESSES_MAXIMUM - 1} of them: client and routers fill the list`, async () => {
    const { world, client, routers, server } = chain(SOURCE_ADDRESSES_MAXIMUM - 1);
    createServer({ host: server }).listen({ serviceID: service });
    expect(await outcome(world, client)).toBe('connected');
    expect(counted(routers, 'forwarded')).toEqual(routers.map(() => 1));
    expect(routers.map((router) => router.stack.sal.flowTable.size)).toEqual(routers.map(() => 0));
  });

  it('ends a first packet at the next one, which keeps nothing of it', async () => {
    const { world, client, routers, server } = chain(SOURCE_ADDRESSES_MAXIMUM);
    createServer({ host: server }).listen({ serviceID: service });
    expect(await outcome(world, client)).toBe('ETIMEDOUT');
    const last = routers.at(-1)!;
    expect(counted([last], 'forwardTooFar')[0]).toBeGreaterThan(0);
    expect(counted([last, server], 'forwarded')).toEqual([0, 0]);
    expect(last.stack.sal.flowTable.size).toBe(0);
  });

  it('that leads back into itself ends it at the first that knows it again', async () => {
    const { world, client, routers } = chain(3);
    routers[2]!.command({ kind: 'deleteRule', rule: [...routers[2]!.stack.sal.serviceTable.rulesOf(prefix)][0]! });
    routers[2]!.forward(routers[0]!.address(), prefix);
    expect(await outcome(world, client)).toBe('ECONNREFUSED');
    const [first, ...others] = counted(routers, 'forwardLoop');
    expect(first).toBeGreaterThan(0);
    expect(others).toEqual([0, 0]);
    // Each SYN has gone round once.
    expect(counted(routers, 'forwarded')).toEqual([first, first, first]);
  });

  it('has no state of flows: a thousand connects leave its tables as they were', async () => {
    const { world, client, routers, server } = chain(1);
    let accepted = 0;
    createServer({ host: server }, (socket) => {
      accepted++;
      socket.resume();
    }).listen({ serviceID: service });
    const [router] = routers;
    const rules = router!.stack.sal.serviceTable.size;
    const sockets = Array.from({ length: 1000 }, () => connect({ serviceID: service, host: client }));
    await world.runAsync({ until: () => accepted === sockets.length });
    expect(counted(routers, 'forwarded')).toEqual([1000]);
    expect(router!.stack.sal.flowTable.size).toBe(0);
    expect(router!.stack.sal.serviceTable.size).toBe(rules);
    expect(router!.stack.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    for (const socket of sockets) socket.destroy();
    await world.runAsync({ for: seconds(1) });
  });
});

describe('a broadcast first packet', () => {
  it('is broadcast by nobody else, however many routers hear it', async () => {
    const world = new World({ seed: 22 });
    const lan = world.segment('lan');
    const names = ['client', 'r1', 'r2', 'r3'];
    for (const name of names) world.attach(world.host(name, { forwards: name !== 'client' }), lan);
    // Each of them has the default rule that broadcasts.
    for (const host of world.hosts) expect([...host.stack.sal.serviceTable.rules()].some(isBroadcast)).toBe(true);
    const socket = connect({ serviceID: service, host: world.host('client') });
    socket.on('error', () => {});
    await world.runAsync({ for: milliseconds(2000) });
    const senders = new Set(world.trace.entries.filter(({ event }) => event === 'sent').map(({ host }) => host));
    expect([...senders]).toEqual(['client']);
    socket.destroy();
    await world.runAsync({ for: milliseconds(100) });
  });
});

const isBroadcast = (rule: object): boolean => 'broadcast' in rule && rule.broadcast === true;
