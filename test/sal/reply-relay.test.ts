import { describe, expect, it } from 'vitest';
import { RELAY_LIFETIME } from '../../lib/limits';
import { Flow } from '../../lib/sal/flow';
import { randomNonce, startHandshake } from '../../lib/sal/signaling/handshake';
import { Ping } from '../../lib/sal/signaling/ping';
import type { ForwardRule } from '../../lib/table/service-rule';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag } from '../../lib/wire/control-extension';
import { EndpointSourceFlag } from '../../lib/wire/endpoint-source-extension';
import { NetworkAddress } from '../../lib/wire/network-address';
import { type SalPacketHeader, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { RandomFirstPackets, ROUTER } from './random-first-packet';
import { decode, FakeSegments, type Node, type Packet, SERVICE, Wire } from './wire';

const address = (ip: string, port = 4000): NetworkAddress => NetworkAddress.parse(ip, port)!;

/** client behind a firewall, the router that it knows, `further` more routers, a server. */
function network({ relays = true, further = 0 } = {}) {
  const wire = new Wire();
  const client = wire.node('10.0.0.1', 1);
  const routers = Array.from({ length: 1 + further }, (_, index) => wire.node(`10.1.0.${index + 1}`, index + 2));
  const server = wire.node('10.0.0.2', 99);
  const hops = [...routers, server];
  client.forwardTo(hops[0]!.address);
  for (const [index, router] of routers.entries()) {
    router.sal.forwards = true;
    router.forwardTo(hops[index + 1]!.address);
  }
  routers[0]!.sal.relaysReplies = relays;
  return { wire, client, router: routers[0]!, routers, server };
}

/** Lets in only what comes from where its receiver has sent to. */
function firewall(...inside: Node[]): (packet: Packet) => Packet | undefined {
  const known = new Set<string>();
  const isInside = (address: NetworkAddress): boolean => inside.some((node) => node.address.sameIp(address));
  return (packet) => {
    const [fromInside, toInside] = [isInside(packet.from), isInside(packet.to)];
    if (fromInside && !toInside) known.add(`${packet.to} ${packet.from}`);
    return toInside && !fromInside && !known.has(`${packet.from} ${packet.to}`) ? undefined : packet;
  };
}

/** Until it has failed, or for a second. */
function settleFor(wire: Wire, client: Node, filter: (packet: Packet) => Packet | undefined): void {
  for (let waited = 0; waited < 1000; waited += 50) {
    wire.settle(filter);
    wire.now = (wire.now + 50) as typeof wire.now;
    client.sal.handleDeadline(wire.now);
  }
}

const hop = ({ from, to }: Packet): string => `${from.ip} > ${to.ip}`;

/** The packet with another header, or other bytes behind it. */
function altered(packet: Packet, change: Partial<SalPacketHeader>, payload?: Uint8Array): Packet {
  const header = decode(packet);
  const bytes = Buffer.alloc(600);
  const length = writeSalPacketHeader(bytes, 0, { ...header, ...change });
  const rest = payload ?? packet.bytes.subarray(header.transportOffset);
  bytes.set(rest, length);
  return { ...packet, bytes: bytes.subarray(0, length + rest.length) };
}

/** Up to the server's answer, which is under way to the router. */
function untilAnswer(options = {}) {
  const made = network(options);
  made.server.listen();
  const connected = made.client.connect();
  made.wire.deliver(made.client.takeSent()[0]!);
  made.wire.deliver(made.router.takeSent()[0]!);
  return { ...made, ...connected, answer: made.server.takeSent()[0]! };
}

describe('a router that relays replies (§7)', () => {
  it.each([0, 2])(
    'lets a client connect that hears nobody else, and the rest go directly: %i more routers',
    (further) => {
      const { wire, client, router, routers, server } = network({ further });
      const listener = server.listen();
      const { flow, owner } = client.connect();
      const packets = wire.settle(firewall(client));
      expect(owner.told).toEqual(['connected']);
      expect(listener.accepted).toHaveLength(1);
      expect(flow.path!.remote.equals(server.address)).toBe(true);
      expect(listener.accepted[0]!.flow.path!.remote.equals(client.address)).toBe(true);
      expect(packets.slice(1 + routers.length).map(hop)).toEqual([
        '10.0.0.2 > 10.1.0.1',
        '10.1.0.1 > 10.0.0.1',
        '10.0.0.1 > 10.0.0.2',
      ]);
      const [syn, , , relayed] = [packets[routers.length]!, 0, 0, packets[2 + routers.length]!];
      expect(relayed.bytes.length).toBeLessThanOrEqual(syn.bytes.length);
      expect(router.sal.flowTable.size).toBe(0);
      expect(router.sal.counters.value('relayed')).toBe(1);
    },
  );

  it('is needed there: without it nothing comes through', () => {
    const { wire, client, server } = network({ relays: false });
    server.listen();
    const { owner } = client.connect();
    wire.settle(firewall(client));
    expect(owner.told).toEqual([]);
  });

  it('relays refusals, too', () => {
    const { wire, client } = network();
    const { owner } = client.connect();
    settleFor(wire, client, firewall(client));
    expect(owner.failure).toBe('refused');
  });

  it('answers pings, which tell the instance and the way as ever', () => {
    const { wire, client, routers, server } = network({ further: 1 });
    const listener = server.listen();
    const ping = new Ping(wire.now, () => {});
    const flow = new Flow(randomNonce(client.sal), client.sal.random.uint32(), 6, new FakeSegments());
    Object.assign(flow, { service: SERVICE, stopsAtAnswer: true, owner: ping });
    startHandshake(client.sal, flow, undefined, wire.now);
    wire.settle(firewall(client));
    expect(ping.answer!.address.equals(server.address)).toBe(true);
    expect(ping.answer!.routers.map(String)).toEqual(routers.map((router) => String(router.address)));
    expect(listener.halfOpen.size).toBe(0);
  });

  it('answers a repeated SYN once more: the first answer may have been lost', () => {
    const { wire, client, owner } = untilAnswer();
    wire.advance(1000);
    expect(owner.told).toEqual(['connected']);
    expect(client.sal.flowTable.size).toBe(1);
  });

  it('passes on one answer for each SYN, and only for so long', () => {
    const { wire, router, answer } = untilAnswer();
    wire.deliver(answer);
    expect(router.takeSent()).toHaveLength(1);
    wire.deliver(answer);
    expect(router.takeSent()).toEqual([]);
    expect(router.sal.counters.value('relayUnasked')).toBe(1);
    const late = untilAnswer();
    late.wire.now = (late.wire.now + RELAY_LIFETIME) as typeof late.wire.now;
    late.wire.deliver(late.answer);
    expect(late.router.takeSent()).toEqual([]);
  });

  it.each<[string, string, (answer: Packet) => Packet]>([
    ['to another flow', 'relayUnasked', (answer) => altered(answer, { destinationFlowID: 5 as never })],
    [
      'that answers another SYN',
      'relayUnasked',
      (answer) => altered(answer, { control: { ...decode(answer).control!, controlAck: 5 as never } }),
    ],
    [
      'of somebody who says that another one answers',
      'relayRefused',
      (answer) => ({
        ...altered(answer, { sourceFlags: EndpointSourceFlag.relay | EndpointSourceFlag.relayed }),
        from: address('10.0.0.66'),
      }),
    ],
    ['with data', 'relayRefused', (answer) => altered(answer, {}, new Uint8Array(200))],
    [
      'that is none',
      'relayRefused',
      (answer) => altered(answer, { control: { ...decode(answer).control!, flags: ControlFlag.fin } }),
    ],
  ])('sends nothing %s', (_what, counter, change) => {
    const { wire, router, answer } = untilAnswer();
    wire.deliver(change(answer));
    expect(router.takeSent()).toEqual([]);
    expect(router.sal.counters.value(counter)).toBe(1);
  });

  it('sends nothing that does not fit: the answer came by IPv6', () => {
    const { wire, router, answer } = untilAnswer();
    const source = [address('10.0.0.1'), ...Array.from({ length: 12 }, (_, index) => address(`fd00::${index + 1}`))];
    wire.deliver({ ...altered(answer, { source }), from: address('fd00::99') });
    expect(router.takeSent()).toEqual([]);
    expect(router.sal.counters.value('relayRefused')).toBe(1);
  });

  it('is not heeded on a raw link, where no list can say who is meant', () => {
    const { wire, client, router, server } = network();
    server.listen();
    client.connect();
    wire.deliver(client.takeSent()[0]!);
    const [syn] = router.takeSent();
    const raw = wire.node('10.0.0.50', 50, { encapsulated: false, kind: 'raw' });
    raw.listen();
    const source = [address('10.0.0.1', 0), address('10.1.0.1', 0)];
    const plain = { ...altered(syn!, { source }), from: address('10.1.0.1', 0), to: raw.address.withPort(0) };
    raw.receive(plain, 0);
    expect(raw.takeSent().map(({ to }) => to.ip)).toEqual(['10.0.0.1']);
  });

  it.each([true, false])(
    'is not broken by whatever comes, nor made to answer more than it was asked (UDP: %s)',
    (encapsulated) => {
      const wire = new Wire();
      const router = wire.node(ROUTER, 5, { encapsulated, kind: encapsulated ? 'udp' : 'raw' });
      router.sal.forwards = true;
      router.sal.relaysReplies = true;
      router.forwardTo(address('10.0.3.1'));
      router.listen();
      router.connect();
      const packets = new RandomFirstPackets(SeededRandom.of(9));
      for (let round = 0; round < 20_000; round++) {
        const packet = packets.next();
        if (packet === undefined) continue;
        router.receive(packet, round % 50 === 0 ? 1 : 0);
        for (const sent of router.takeSent()) decode(sent);
      }
      const { counters } = router.sal;
      expect(counters.value('relayed')).toBeLessThanOrEqual(counters.value('forwarded'));
      if (encapsulated) expect(counters.value('relayUnasked') + counters.value('relayRefused')).toBeGreaterThan(100);
    },
  );

  it.each(['10.0.0.77', '224.0.0.1'])('sends it to the client, whoever the answer says that is: %s', (ip) => {
    const { wire, client, router, answer } = untilAnswer();
    wire.deliver(altered(answer, { source: [address(ip)] }));
    expect(router.takeSent().map(({ to }) => String(to))).toEqual([String(client.address)]);
  });

  it('has to be told to be one', () => {
    const { wire, router, answer } = untilAnswer({ relays: false });
    expect(answer.to.ip).toBe('10.0.0.1');
    wire.deliver({
      ...altered(answer, { source: [answer.to], sourceFlags: EndpointSourceFlag.relay }),
      to: router.address,
    });
    expect(router.takeSent()).toEqual([]);
    expect(router.sal.counters.value('relayUnasked')).toBe(1);
  });

  it('refuses its clients itself from where they have asked', () => {
    const { wire, client, router } = network();
    router.sal.serviceTable.deleteRule([...router.sal.serviceTable.rules()][0] as ForwardRule);
    const { owner } = client.connect();
    wire.settle(firewall(client));
    expect(owner.failure).toBe('refused');
  });
});

describe('routers in a row, each behind a firewall that knows the next one alone (§7)', () => {
  /** client | router 1 | router 2 | router 3 - server; `relaying`: which of them pass answers back. */
  function chain(relaying: readonly number[]) {
    const made = network({ relays: false, further: 2 });
    for (const index of relaying) made.routers[index]!.sal.relaysReplies = true;
    const [first, second] = made.routers as [Node, Node];
    const walls = [firewall(made.client), firewall(made.client, first), firewall(made.client, first, second)];
    const filter = (packet: Packet): Packet | undefined =>
      walls.every((wall) => wall(packet) !== undefined) ? packet : undefined;
    return { ...made, filter };
  }

  it('pass an answer back from one to the next', () => {
    const { wire, client, server, filter } = chain([0, 1, 2]);
    const listener = server.listen();
    const { owner, flow } = client.connect();
    const packets = wire.settle(filter);
    expect(owner.told).toEqual(['connected']);
    expect(flow.path!.remote.equals(server.address)).toBe(true);
    expect(listener.accepted[0]!.flow.path!.remote.equals(client.address)).toBe(true);
    expect(packets.slice(4).map(hop)).toEqual([
      '10.0.0.2 > 10.1.0.3',
      '10.1.0.3 > 10.1.0.2',
      '10.1.0.2 > 10.1.0.1',
      '10.1.0.1 > 10.0.0.1',
      '10.0.0.1 > 10.0.0.2',
    ]);
  });

  it.each([[[0]], [[0, 1]], [[1, 2]]])('are all needed for it: with %j of them nothing comes through', (relaying) => {
    const { wire, client, server, filter } = chain(relaying);
    server.listen();
    const { owner } = client.connect();
    wire.settle(filter);
    expect(owner.told).toEqual([]);
  });

  it.each([
    ['the server', (_: ReturnType<typeof chain>) => {}],
    ['the last router', ({ routers }: ReturnType<typeof chain>) => forget(routers[2]!)],
    ['the second router', ({ routers }: ReturnType<typeof chain>) => forget(routers[1]!)],
  ])('pass back a refusal of %s', (_, prepare) => {
    const made = chain([0, 1, 2]);
    prepare(made);
    const { wire, client, filter } = made;
    const { owner } = client.connect();
    settleFor(wire, client, filter);
    expect(owner.failure).toBe('refused');
  });

  it('tell a ping the way in its order', () => {
    const { wire, client, routers, server, filter } = chain([0, 1, 2]);
    server.listen();
    const ping = new Ping(wire.now, () => {});
    const flow = new Flow(randomNonce(client.sal), client.sal.random.uint32(), 6, new FakeSegments());
    Object.assign(flow, { service: SERVICE, stopsAtAnswer: true, owner: ping });
    startHandshake(client.sal, flow, undefined, wire.now);
    wire.settle(filter);
    expect(ping.answer!.address.equals(server.address)).toBe(true);
    expect(ping.answer!.routers.map(String)).toEqual(routers.map((router) => String(router.address)));
  });

  const forget = (router: Node): void => {
    for (const rule of [...router.sal.serviceTable.rules()]) router.sal.serviceTable.deleteRule(rule);
  };
});

describe('a client', () => {
  it('believes only the router that it asked when it is told that somebody else answers', () => {
    const { wire, client, server, owner, answer } = untilAnswer();
    const victim = address('10.0.0.66');
    const forged = altered(answer, { source: [victim], sourceFlags: EndpointSourceFlag.relayed });
    wire.deliver({ ...forged, from: server.address, to: client.address });
    expect(client.takeSent()).toEqual([]);
    expect(owner.told).toEqual([]);
    expect(client.sal.counters.value('synAckUnacceptable')).toBe(1);
  });

  it('is told by the router who answers, whatever the server says', () => {
    const { wire, router, answer } = untilAnswer();
    wire.deliver(answer);
    const [relayed] = router.takeSent();
    expect(decode(relayed!).source!.map(String)).toEqual([String(answer.from)]);
    expect(decode(relayed!).sourceFlags).toBe(EndpointSourceFlag.relayed);
  });
});

describe('a server whose answer was relayed', () => {
  it.each([
    ['the port that a NAT gave the client towards it', address('10.0.0.1', 4001), 1],
    ['no other host', address('10.0.0.3'), 0],
  ])('accepts the third ACK from %s', (_what, from, accepted) => {
    const { wire, client, router, server } = network();
    const listener = server.listen();
    client.connect();
    const packets: Packet[] = [];
    for (let step = 0; step < 4; step++) {
      const next = [client, router, server].flatMap((node) => node.takeSent());
      packets.push(...next);
      for (const packet of next) {
        const isThirdAck = decode(packet).control!.flags === ControlFlag.ack;
        wire.deliver(isThirdAck ? { ...packet, from } : packet);
      }
    }
    for (const packet of client.takeSent()) wire.deliver({ ...packet, from });
    expect(listener.accepted).toHaveLength(accepted);
  });
});
