// A connect that is refused or not answered goes on elsewhere, within bounds (§4.2).

import { describe, expect, it } from 'vitest';
import {
  CONNECT_ATTEMPTS_MAXIMUM,
  CONNECT_BROADCAST_PAUSE,
  CONNECT_BROADCASTS,
  CONNECT_REPEAT_PAUSE,
  CONNECT_REPEATS_MAXIMUM,
  CONNECT_TIMEOUT,
  INSTANCE_FAILURES_MAXIMUM,
} from '../../lib/limits';
import { pickerNamed } from '../../lib/table/pickers/picker-names';
import { ControlFlag } from '../../lib/wire/control-extension';
import { ServicePrefix } from '../../lib/wire/service-id';
import { decode, type Node, type Packet, SERVICE, Wire } from './wire';

const EXACT = ServicePrefix.of(SERVICE);
const isSyn = (packet: Packet): boolean => decode(packet).control?.flags === ControlFlag.syn;
const isReset = (packet: Packet): boolean => ((decode(packet).control?.flags ?? 0) & ControlFlag.rst) !== 0;
const detailsOf = (packets: readonly Packet[]): (number | undefined)[] =>
  packets.filter(isSyn).map((packet) => decode(packet).control?.detail);

/** A client with a rule to each of `count` instances; those of `serving` listen. */
function instances(count: number, serving: readonly number[], terms: readonly { priority?: number }[] = []) {
  const wire = new Wire();
  const client = wire.node('10.0.0.1', 1);
  const servers = Array.from({ length: count }, (_, index) => wire.node(`10.0.1.${index + 1}`, index + 2));
  for (const [index, server] of servers.entries()) client.forwardTo(server.address, { prefix: EXACT, ...terms[index] });
  const listeners = new Map(serving.map((index) => [index, servers[index]!.listen()]));
  return { wire, client, servers, listeners };
}

/** The same behind a router without a memory of flows. */
function behindRouter(count: number, serving: readonly number[]) {
  const wire = new Wire();
  const client = wire.node('10.0.0.1', 1);
  const router = wire.node('10.0.0.2', 50);
  router.sal.forwards = true;
  client.forwardTo(router.address);
  const servers = Array.from({ length: count }, (_, index) => wire.node(`10.0.1.${index + 1}`, index + 2));
  for (const server of servers) router.forwardTo(server.address, { prefix: EXACT });
  for (const index of serving) servers[index]!.listen();
  return { wire, client, router, servers };
}

describe('a refused connect', () => {
  it('goes to each other instance once, at once, until one accepts', () => {
    const { wire, client, listeners } = instances(6, [4]);
    const { owner, flow } = client.connect();
    const packets = wire.settle();
    expect(owner.told).toEqual(['connected']);
    expect(flow.path!.remote.ip).toBe('10.0.1.5');
    expect(listeners.get(4)!.accepted).toHaveLength(1);
    const asked = packets.filter(isSyn).map(({ to }) => to.ip);
    expect(new Set(asked).size).toBe(asked.length);
    expect(detailsOf(packets)).toEqual(asked.map((_, index) => index));
  });

  it('is refused when all instances have refused, each of them once', () => {
    const { wire, client } = instances(5, []);
    const { owner } = client.connect();
    const packets = wire.settle();
    expect(owner.failure).toBe('refused');
    expect(new Set(packets.filter(isSyn).map(({ to }) => to.ip)).size).toBe(5);
    expect(packets.filter(isSyn)).toHaveLength(5);
    expect(client.sal.flowTable.size).toBe(0);
  });

  it('makes a bounded number of attempts', () => {
    const { wire, client } = instances(40, []);
    const { owner } = client.connect();
    expect(wire.settle().filter(isSyn)).toHaveLength(CONNECT_ATTEMPTS_MAXIMUM);
    expect(owner.failure).toBe('refused');
  });

  it('comes to a backup set when the first one refuses, not before', () => {
    const { wire, client } = instances(3, [2], [{ priority: 20 }, { priority: 20 }, { priority: 10 }]);
    const { owner } = client.connect();
    const asked = wire.settle().filter(isSyn);
    expect(asked.map(({ to }) => to.ip).at(-1)).toBe('10.0.1.3');
    expect(asked).toHaveLength(3);
    expect(owner.told).toEqual(['connected']);
  });

  it('comes to instances that are passed over when all others have refused: they may be well again', () => {
    const { wire, client, servers } = instances(4, [2]);
    for (const server of [servers[2]!, servers[3]!]) {
      client.sal.serviceTable.ejectRule({ action: 'forward', prefix: EXACT, address: server.address, link: 1 });
    }
    const { owner } = client.connect();
    const asked = wire.settle().filter(isSyn);
    expect(new Set(asked.slice(0, 2).map(({ to }) => to.ip))).toEqual(new Set(['10.0.1.1', '10.0.1.2']));
    expect(owner.told).toEqual(['connected']);
  });

  it('comes to the rule of a shorter prefix, but not past a default rule to those below it', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const [near, router, below] = [2, 3, 4].map((host) => wire.node(`10.0.0.${host}`, host)) as [Node, Node, Node];
    client.forwardTo(near.address, { prefix: EXACT });
    client.forwardTo(router.address, { priority: 100 });
    client.forwardTo(below.address, { priority: 1 });
    below.listen();
    const { owner } = client.connect();
    const asked = wire.settle().filter(isSyn);
    expect(asked.map(({ to }) => to.ip)).toEqual([near.address.ip, router.address.ip]);
    expect(owner.failure).toBe('refused');
  });

  it('keeps to a prefix whose rule may answer yet, though a default rule leads elsewhere', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const [slow, router] = [2, 3].map((host) => wire.node(`10.0.0.${host}`, host)) as [Node, Node];
    client.forwardTo(slow.address, { prefix: EXACT });
    client.forwardTo(router.address);
    client.connect();
    const asked: Packet[] = [];
    for (let time = 0; time < 5000; time += 100) {
      asked.push(...wire.settle(() => undefined));
      wire.now = (wire.now + 100) as typeof wire.now;
      client.sal.handleDeadline(wire.now);
    }
    expect(asked.map(({ to }) => to.ip)).toEqual(new Array(5).fill(slow.address.ip));
  });

  it('tells the controllers who refused', () => {
    const { wire, client, servers } = instances(3, []);
    client.connect();
    wire.settle();
    expect(client.failures.map(({ why, prefix }) => `${why} ${prefix.bits}`)).toEqual(new Array(3).fill('refused 256'));
    const told = client.failures.map(({ address }) => address.toString()).sort();
    expect(told).toEqual(servers.map(({ address }) => address.toString()).sort());
  });

  it('does not tell them more often than so many times in an interval', () => {
    const { wire, client } = instances(1, []);
    for (let count = 0; count < INSTANCE_FAILURES_MAXIMUM + 20; count++) client.connect();
    wire.settle();
    expect(client.failures).toHaveLength(INSTANCE_FAILURES_MAXIMUM);
    expect(client.sal.counters.value('instanceFailureUntold')).toBe(20);
  });

  it('goes elsewhere when an instance is full, and tells nobody of that: it is well', () => {
    const { wire, client, listeners } = instances(3, [0, 1, 2]);
    for (const index of [0, 1]) listeners.get(index)!.places = 0;
    for (let count = 0; count < 10; count++) {
      const { owner, flow } = client.connect();
      wire.settle();
      expect(owner.told).toEqual(['connected']);
      expect(flow.path!.remote.ip).toBe('10.0.1.3');
    }
    expect(client.failures).toEqual([]);
  });

  it('asks full ones again when all are, after a pause, and takes the first place', () => {
    const { wire, client, listeners } = instances(2, [0, 1]);
    for (const listener of listeners.values()) listener.places = 0;
    const { owner } = client.connect();
    expect(wire.settle().filter(isSyn)).toHaveLength(2);
    expect(owner.told).toEqual([]);
    listeners.get(1)!.places = 5;
    wire.advance(CONNECT_REPEAT_PAUSE);
    expect(owner.told).toEqual(['connected']);
  });

  it('is refused when they are still full then', () => {
    const { wire, client, listeners } = instances(2, [0, 1]);
    for (const listener of listeners.values()) listener.places = 0;
    const { owner } = client.connect();
    const since = wire.now;
    wire.settle();
    wire.advance((CONNECT_REPEATS_MAXIMUM + 1) * CONNECT_REPEAT_PAUSE);
    expect(owner.failure).toBe('refused');
    expect(wire.now - since).toBeLessThan(200);
  });

  it('leaves the choice of an address to whoever chose it', () => {
    const { wire, client, servers } = instances(3, [1, 2]);
    const { owner } = client.connect({ via: [servers[0]!.address] });
    expect(wire.settle().filter(isSyn)).toHaveLength(1);
    expect(owner.failure).toBe('refused');
  });

  it('is not made to fail, or to send, by a RST without its nonce', () => {
    const { wire, client, servers } = instances(2, []);
    const { owner } = client.connect();
    const [syn] = client.takeSent();
    wire.deliver(syn!);
    const refusing = servers.find(({ address }) => address.equals(syn!.to))!;
    const [reset] = refusing.takeSent();
    const forged = Buffer.from(reset!.bytes);
    forged[12 + 12]! ^= 1;
    wire.deliver({ ...reset!, bytes: sealed(forged) });
    expect(client.takeSent()).toEqual([]);
    expect(owner.told).toEqual([]);
    expect(client.failures).toEqual([]);
    expect(client.sal.counters.value('badNonce')).toBe(1);
  });
});

describe('a connect without an answer', () => {
  it('goes to another instance with each retransmission, and to all again when all were silent', () => {
    const { wire, client } = instances(3, []);
    const { owner } = client.connect();
    const asked: Packet[] = [];
    const lose = (packet: Packet): undefined => void (isSyn(packet) && asked.push(packet));
    wire.settle(lose);
    for (let time = 0; time < CONNECT_TIMEOUT - 500; time += 100) {
      wire.now = (wire.now + 100) as typeof wire.now;
      client.sal.handleDeadline(wire.now);
      wire.settle(lose);
    }
    expect(asked).toHaveLength(5);
    expect(new Set(asked.slice(0, 3).map(({ to }) => to.ip)).size).toBe(3);
    expect(detailsOf(asked)).toEqual([0, 1, 2, 3, 4]);
    expect(client.failures.every(({ why }) => why === 'unanswered')).toBe(true);
    expect(owner.told).toEqual([]);
    wire.advance(1000);
    expect(owner.failure).toBe('timedOut');
  });

  it('asks one that was silent again before it gives up, when the others refuse', () => {
    const { wire, client, servers, listeners } = instances(2, [0]);
    const { owner } = client.connect();
    let lost = 0;
    // The first SYN to the one that serves is lost, whenever it comes.
    const loseOne = (packet: Packet): Packet | undefined =>
      isSyn(packet) && packet.to.equals(servers[0]!.address) && lost++ === 0 ? undefined : packet;
    wire.settle(loseOne);
    for (let time = 0; time < 1000; time += 50) {
      wire.now = (wire.now + 50) as typeof wire.now;
      client.sal.handleDeadline(wire.now);
      wire.settle(loseOne);
    }
    expect(owner.told).toEqual(['connected']);
    expect(listeners.get(0)!.accepted).toHaveLength(1);
  });

  it('gets a RST to the one that answers when another has answered already', () => {
    const { wire, client, servers, listeners } = instances(2, [0, 1]);
    client.connect();
    const [first] = client.takeSent();
    wire.now = (wire.now + 300) as typeof wire.now;
    client.sal.handleDeadline(wire.now);
    const [second] = client.takeSent();
    expect(second!.to.equals(first!.to)).toBe(false);
    wire.deliver(first!);
    wire.deliver(second!);
    const packets = wire.settle();
    expect(packets.filter(isReset)).toHaveLength(1);
    expect([...listeners.values()].map(({ accepted }) => accepted.length).sort()).toEqual([0, 1]);
    expect(servers.reduce((sum, { sal }) => sum + sal.flowTable.size, 0)).toBe(1);
  });
});

describe('a refusal that comes late', () => {
  it('says nothing of the connection to another instance', () => {
    const { wire, client, servers, listeners } = instances(2, [0, 1]);
    const { owner, flow } = client.connect();
    const [first] = client.takeSent();
    wire.now = (wire.now + 300) as typeof wire.now;
    client.sal.handleDeadline(wire.now);
    const [second] = client.takeSent();
    // The first was slow only. The second takes no more connections.
    listeners.get(servers.findIndex(({ address }) => address.equals(second!.to)))!.places = 0;
    wire.deliver(first!);
    wire.settle();
    wire.deliver(second!);
    expect(wire.settle().filter(isReset)).toHaveLength(1);
    expect(owner.told).toEqual(['connected']);
    expect(flow.state).toBe('connected');
  });

  it('says nothing of the connection to the same instance, which meanwhile takes no more', () => {
    const { wire, client, servers, listeners } = instances(1, [0]);
    const { owner, flow } = client.connect();
    const [syn] = client.takeSent();
    wire.deliver(syn!);
    wire.settle();
    listeners.get(0)!.places = 0;
    wire.deliver({ ...syn!, to: servers[0]!.address });
    const [reset] = servers[0]!.takeSent();
    expect(isReset(reset!)).toBe(true);
    wire.deliver(reset!);
    expect(owner.told).toEqual(['connected']);
    expect(flow.state).toBe('connected');
  });
});

describe('a connect by way of a router', () => {
  it.each(['random', 'rendezvous', 'least-loaded', 'power-of-two'] as const)(
    'gets another instance from it with each attempt, whatever picks there: %s',
    (picker) => {
      const { wire, client, router } = behindRouter(6, [3]);
      router.sal.serviceTable.setPicker(EXACT, pickerNamed(picker));
      for (let count = 0; count < 20; count++) {
        const { owner, flow } = client.connect();
        const asked = wire.settle().filter((packet) => isSyn(packet) && packet.from.equals(router.address));
        expect(asked.length).toBeLessThanOrEqual(7);
        // Where loads decide, the first may be asked again, and the client pauses before it goes on.
        wire.advance(CONNECT_REPEAT_PAUSE);
        expect(owner.told).toEqual(['connected']);
        expect(flow.path!.remote.ip).toBe('10.0.1.4');
      }
    },
  );

  it('is refused soon when the only instance refuses, and again after a pause', () => {
    const { wire, client, router } = behindRouter(1, []);
    const { owner } = client.connect();
    const since = wire.now;
    expect(wire.settle().filter((packet) => isSyn(packet) && packet.from.equals(router.address))).toHaveLength(2);
    expect(owner.told).toEqual([]);
    wire.advance(3 * CONNECT_REPEAT_PAUSE);
    expect(owner.failure).toBe('refused');
    expect(wire.now - since).toBeLessThan(200);
  });

  it('reaches an instance that registers in that pause', () => {
    const { wire, client, router } = behindRouter(1, []);
    const started = wire.node('10.0.9.9', 99);
    started.listen();
    const { owner } = client.connect();
    wire.settle();
    router.forwardTo(started.address, { prefix: EXACT, priority: 9 });
    wire.advance(CONNECT_REPEAT_PAUSE);
    expect(owner.told).toEqual(['connected']);
  });

  it('is refused at once when the router itself knows nobody', () => {
    const { wire, client } = behindRouter(0, []);
    const { owner } = client.connect();
    expect(wire.settle().filter(isSyn)).toHaveLength(1);
    expect(owner.failure).toBe('refused');
  });

  it('gets one from it that is passed over, when the only other one refuses', () => {
    const { wire, client, router, servers } = behindRouter(3, [1]);
    for (const server of servers.slice(1)) {
      router.sal.serviceTable.ejectRule({ action: 'forward', prefix: EXACT, address: server.address, link: 1 });
    }
    const { owner } = client.connect();
    wire.settle();
    wire.advance(2 * CONNECT_REPEAT_PAUSE);
    expect(owner.told).toEqual(['connected']);
  });

  it('has the router tell its controllers of the instance that it passed the attempt before to', () => {
    const { wire, client, router, servers } = behindRouter(4, [1, 2, 3]);
    const refusing = servers[0]!.address;
    for (let count = 0; count < 40; count++) client.connect();
    wire.settle();
    const told = router.failures.map(({ address, why }) => `${why} ${address}`);
    expect(told.length).toBeGreaterThan(3);
    expect(new Set(told)).toEqual(new Set([`retried ${refusing}`]));
    // The client has a rule to the router alone, and nothing to say of that.
    expect(client.failures).toEqual([]);
  });
});

describe('a broadcast connect', () => {
  function segment() {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    client.forwardTo(client.address.withPort(4000), { broadcast: true });
    return { wire, client };
  }

  it('waits for those who may accept when one refuses', () => {
    const { wire, client } = segment();
    const [refusing, slow] = [wire.node('10.0.0.2', 2), wire.node('10.0.0.3', 3)];
    slow.listen();
    const { owner } = client.connect();
    const [syn] = client.takeSent();
    // As a host does whose member has ended a moment ago.
    wire.deliver({ ...syn!, to: refusing.address });
    wire.deliver(refusing.takeSent()[0]!);
    expect(owner.told).toEqual([]);
    expect(client.takeSent()).toEqual([]);
    wire.deliver({ ...syn!, to: slow.address });
    wire.settle();
    expect(owner.told).toEqual(['connected']);
  });

  it('is refused when the same ones refuse again and nobody accepts', () => {
    const { wire, client } = segment();
    const refusing = wire.node('10.0.0.2', 2);
    const { owner } = client.connect();
    const since = wire.now;
    for (let round = 0; round < 9 && owner.failure === undefined; round++) {
      for (const syn of client.takeSent()) wire.deliver({ ...syn, to: refusing.address });
      for (const reset of refusing.takeSent()) wire.deliver(reset);
      if (owner.failure === undefined) {
        wire.now = client.sal.nextDeadline();
        client.sal.handleDeadline(wire.now);
      }
    }
    expect(owner.failure).toBe('refused');
    expect(wire.now - since).toBe(CONNECT_BROADCASTS * CONNECT_BROADCAST_PAUSE);
  });
});

describe('a router of many hops', () => {
  it('spreads what another spread: their draws have nothing to do with each other', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const routers = [20, 21, 22].map((host) => wire.node(`10.0.0.${host}`, host));
    const [top, ...middle] = routers as [Node, Node, Node];
    for (const router of routers) router.sal.forwards = true;
    client.forwardTo(top.address);
    for (const router of middle) top.forwardTo(router.address, { prefix: EXACT });
    const servers = Array.from({ length: 4 }, (_, index) => wire.node(`10.0.1.${index + 1}`, index + 2));
    const listeners = servers.map((server) => server.listen(10_000));
    for (const router of middle) for (const server of servers) router.forwardTo(server.address, { prefix: EXACT });
    for (let count = 0; count < 1000; count++) client.connect();
    wire.settle();
    for (const { accepted } of listeners) expect(Math.abs(accepted.length - 250)).toBeLessThan(70);
  });
});

describe('a client that is to stay with an instance', () => {
  it('does, connect by connect, and by way of any router', () => {
    const { wire, client, router, servers } = behindRouter(5, [0, 1, 2, 3, 4]);
    const other = wire.node('10.0.0.3', 51);
    other.sal.forwards = true;
    for (const server of servers) other.forwardTo(server.address, { prefix: EXACT });
    for (const each of [router, other]) each.sal.serviceTable.setPicker(EXACT, pickerNamed('rendezvous'));
    const reached = new Set<string>();
    for (let count = 0; count < 20; count++) {
      const { flow } = client.connect(count % 2 === 0 ? {} : { via: [other.address] });
      wire.settle();
      reached.add(flow.path!.remote.toString());
    }
    expect(reached.size).toBe(1);
  });
});

/** The check over header and extensions made right again. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt16BE(0, 10);
  let sum = 0;
  for (let at = 0; at < bytes.readUInt8(8) * 4; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 10);
  return bytes;
}
