import { describe, expect, it } from 'vitest';
import { SOURCE_ADDRESSES_MAXIMUM } from '../../lib/limits';
import { Flow } from '../../lib/sal/flow';
import { randomNonce, startHandshake } from '../../lib/sal/signaling/handshake';
import { Ping } from '../../lib/sal/signaling/ping';
import { TRACE_ANSWERS_MAXIMUM } from '../../lib/sal/trace-stops';
import { ControlFlag } from '../../lib/wire/control-extension';
import { NetworkAddress } from '../../lib/wire/network-address';
import { writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { decode, FakeSegments, type Node, type Packet, SERVICE, Wire } from './wire';

const address = (ip: string): NetworkAddress => NetworkAddress.parse(ip, 4000)!;

function ping(wire: Wire, node: Node, via?: readonly NetworkAddress[], stop?: number, nonce = randomNonce(node.sal)) {
  const ended: Ping[] = [];
  const made = new Ping(wire.now, (each) => ended.push(each), stop);
  const flow = new Flow(nonce, node.sal.random.uint32(), 6, new FakeSegments());
  flow.service = SERVICE;
  flow.via = via;
  flow.stopsAtAnswer = true;
  flow.owner = made;
  const outcome = startHandshake(node.sal, flow, undefined, wire.now);
  return { ping: made, ended, outcome };
}

/** A client, so many routers in a row, a server. */
function chain(length: number, properties = {}) {
  const wire = new Wire();
  const client = wire.node('10.0.0.1', 1, properties);
  const routers = Array.from({ length }, (_, index) => wire.node(`10.1.0.${index + 1}`, index + 2, properties));
  const server = wire.node('10.0.0.2', 100, properties);
  const hops = [...routers, server];
  client.forwardTo(hops[0]!.address);
  for (const [index, router] of routers.entries()) {
    router.sal.forwards = true;
    router.forwardTo(hops[index + 1]!.address);
  }
  return { wire, client, routers, server };
}

describe('a ping', () => {
  it('is answered by an instance whose application sees nothing of it, and leaves nothing behind', () => {
    const { wire, client, server } = chain(0);
    const listener = server.listen();
    const { ping: made, ended } = ping(wire, client);
    const [syn] = client.takeSent();
    wire.deliver(syn!);
    expect([listener.halfOpen.size, server.sal.flowTable.size]).toEqual([1, 1]);
    wire.now = (wire.now + 30) as typeof wire.now;
    const [synAck, reset, ...more] = wire.settle();
    expect(decode(synAck!).control!.flags).toBe(ControlFlag.syn | ControlFlag.ack);
    expect(decode(reset!).control!.flags).toBe(ControlFlag.rst | ControlFlag.ack);
    expect(decode(reset!).destinationService).toBeUndefined();
    expect(more).toEqual([]);
    expect(ended).toEqual([made]);
    expect(made.answer).toEqual({ roundTripTime: 30, address: server.address, routers: [], attempts: 1 });
    expect([listener.halfOpen.size, listener.accepted.length]).toEqual([0, 0]);
    expect([client.sal.flowTable.size, server.sal.flowTable.size]).toEqual([0, 0]);
    expect(client.sal.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([1, 3, SOURCE_ADDRESSES_MAXIMUM - 1])('tells the way through %i routers, which keep nothing', (length) => {
    const { wire, client, routers, server } = chain(length);
    server.listen();
    const { ping: made } = ping(wire, client);
    const packets = wire.settle();
    expect(made.answer!.routers.map(String)).toEqual(routers.map((router) => String(router.address)));
    expect(made.answer!.address.equals(server.address)).toBe(true);
    expect(routers.map((router) => router.sal.flowTable.size)).toEqual(routers.map(() => 0));
    // The answer goes past the routers, to where the first of them saw the client.
    expect(packets.slice(length + 1).map(({ from, to }) => `${from.ip} > ${to.ip}`)).toEqual([
      '10.0.0.2 > 10.0.0.1',
      '10.0.0.1 > 10.0.0.2',
    ]);
  });

  it.each([1, 3])('tells it on a raw link, too, where the original answers alike (§5.1): %i routers', (length) => {
    const { wire, client, routers, server } = chain(length, { encapsulated: false, kind: 'raw' });
    const withoutPort = (packet: Packet): Packet => ({
      ...packet,
      from: packet.from.withPort(0),
      to: packet.to.withPort(0),
    });
    server.listen();
    const { ping: made } = ping(wire, client);
    const [syn] = wire.settle(withoutPort);
    expect(decode(syn!).source).toBeUndefined();
    expect(made.answer!.routers.map(String)).toEqual(routers.map((router) => router.address.ip));
  });

  it('gets no more bytes back than it sent, however short its SYN is', () => {
    const { wire, client, server } = chain(0);
    server.listen();
    ping(wire, client);
    const [syn] = client.takeSent();
    const { control, destinationService, sourceFlowID } = decode(syn!);
    for (const count of [1, 2, 12]) {
      const source = Array.from({ length: count }, (_, index) => address(index === 0 ? '10.0.0.1' : `fd00::${index}`));
      const header = { control, destinationService, sourceFlowID, source, sourceFlags: 0x80 };
      const bytes = Buffer.alloc(512);
      const length = writeSalPacketHeader(bytes, 0, { ...header, protocol: 6, destinationFlowID: 0 as never });
      bytes.set([1, 0xa5], length);
      // Another one each time: a repeated one has its first answer again.
      bytes[3] = count;
      const altered = { ...syn!, bytes: bytes.subarray(0, length + 2) };
      wire.deliver(resealed(altered));
      const [answer] = server.takeSent();
      expect(decode(answer!).source!.map(String)).toEqual(source.map(String));
      expect(answer!.bytes.length).toBeLessThanOrEqual(altered.bytes.length);
    }
  });

  it('is answered with the list only where it asks for it', () => {
    const { wire, client, server } = chain(1);
    server.listen();
    client.connect();
    const [, , synAck] = wire.settle();
    expect(decode(synAck!).control!.flags).toBe(ControlFlag.syn | ControlFlag.ack);
    expect(decode(synAck!).source).toBeUndefined();
  });

  it('fails as a connect does: refused, and for want of a route', () => {
    const { wire, client } = chain(0);
    const refused = ping(wire, client);
    wire.settle();
    expect([refused.ping.failure, refused.ping.answer]).toEqual(['refused', undefined]);
    const lonely = wire.node('10.0.0.9', 9);
    expect(ping(wire, lonely).outcome).toBe('noRoute');
  });

  it('times out where nobody answers', () => {
    const { wire, client } = chain(0);
    client.forwardTo(address('10.9.9.9'), { priority: 50_000 });
    const { ping: made, ended } = ping(wire, client);
    wire.advance(60_000);
    expect(made.failure).toBe('timedOut');
    expect(ended).toHaveLength(1);
    expect(client.sal.flowTable.size).toBe(0);
  });

  it('is repeated when it is lost, and says so', () => {
    const { wire, client, server } = chain(1);
    server.listen();
    const { ping: made } = ping(wire, client);
    client.takeSent();
    wire.advance(1000);
    expect(made.answer).toMatchObject({ attempts: 2 });
    expect(made.answer!.roundTripTime).toBeGreaterThanOrEqual(200);
  });

  it('that many hear frees the half-open requests of all of them', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const servers = ['10.0.0.2', '10.0.0.3', '10.0.0.4'].map((ip, index) => wire.node(ip, index + 2));
    const listeners = servers.map((server) => server.listen());
    client.forwardTo(address('10.0.0.255'), { broadcast: true });
    const { ping: made, ended } = ping(wire, client);
    wire.deliverBroadcast(client.takeSent()[0]!);
    expect(listeners.map((each) => each.halfOpen.size)).toEqual([1, 1, 1]);
    wire.settle();
    expect(made.answer!.address.equals(servers[0]!.address)).toBe(true);
    expect(ended).toHaveLength(1);
    expect(listeners.map((each) => each.halfOpen.size)).toEqual([0, 0, 0]);
    expect(listeners.map((each) => each.accepted.length)).toEqual([0, 0, 0]);
  });

  it('asks whom it is told to, whatever the table says', () => {
    const { wire, client, server } = chain(0);
    const other = wire.node('10.0.0.7', 7);
    other.listen();
    server.listen();
    const { ping: made } = ping(wire, client, [other.address]);
    wire.settle();
    expect(made.answer!.address.equals(other.address)).toBe(true);
  });

  it('does not end by a SYN-ACK that does not answer it', () => {
    const { wire, client, server } = chain(0);
    server.listen();
    const { ended } = ping(wire, client);
    wire.deliver(client.takeSent()[0]!);
    const [synAck] = server.takeSent();
    const bytes = Buffer.from(synAck!.bytes);
    bytes[12 + 11]! ^= 1; // its acknowledgment
    wire.deliver(resealed({ ...synAck!, bytes }));
    expect(ended).toEqual([]);
    expect(client.takeSent()).toEqual([]);
  });
});

describe('a ping that is to stop on its way', () => {
  it.each([1, 2, 3])(
    'is answered by router %i of three, with fewer bytes than came, and nobody keeps anything',
    (stop) => {
      const { wire, client, routers, server } = chain(3);
      server.listen();
      const { ping: made, ended } = ping(wire, client, undefined, stop);
      const begun = wire.now;
      const packets: Packet[] = [];
      wire.settle((packet) => {
        packets.push(packet);
        wire.now = (wire.now + 10) as typeof wire.now;
        return packet;
      });
      const [answer, question] = [packets.at(-1)!, packets.at(-2)!];
      expect(decode(answer).control).toMatchObject({ flags: ControlFlag.rst | ControlFlag.ack, detail: stop - 1 });
      expect([answer.from, answer.to].map(String)).toEqual([
        String(routers[stop - 1]!.address),
        String(client.address),
      ]);
      expect(answer.bytes.length).toBeLessThan(question.bytes.length);
      expect(packets).toHaveLength(stop + 1);
      expect([ended, made.answer, made.failure]).toEqual([[made], undefined, undefined]);
      expect(made.stoppedAfter).toBe(wire.now - begun);
      for (const node of [client, ...routers, server]) expect(node.sal.flowTable.size).toBe(0);
      expect(client.failures).toEqual([]);
    },
  );

  it('is answered by the instance where that comes first, and refused where nobody is', () => {
    const { wire, client, server } = chain(1);
    const refused = ping(wire, client, undefined, 2);
    wire.settle();
    // The last one is no router, but it is what stands at that place.
    expect(refused.ping.stoppedAfter).toBe(0);
    server.listen();
    const { ping: made } = ping(wire, client, undefined, 2);
    wire.settle();
    expect(made.answer).toMatchObject({ address: server.address });
    const early = ping(wire, client, undefined, 3);
    server.sal.serviceTable.deleteRule([...server.sal.serviceTable.rules()][0]!);
    wire.settle();
    expect([early.ping.failure, early.ping.stoppedAfter]).toEqual(['refused', undefined]);
  });

  it('gets no answer where the router that is meant passes it on, from whoever stands behind it', () => {
    const { wire, client, routers, server } = chain(2);
    server.listen();
    for (const [index, node] of [routers[1]!, server].entries()) {
      const { ping: made } = ping(wire, client, undefined, 1 + index);
      // As it looks behind one that does not know: its entry is there, and the packet went on.
      const [syn] = client.takeSent();
      const { control, destinationService, sourceFlowID, sourceFlags } = decode(syn!);
      const passed = routers.slice(0, 1 + index).map((router) => router.address);
      const bytes = Buffer.alloc(256);
      const length = writeSalPacketHeader(bytes, 0, {
        control,
        destinationService,
        sourceFlowID,
        sourceFlags,
        source: [client.address, ...passed],
        protocol: 6,
        destinationFlowID: 0 as never,
      });
      bytes.set([1, 0xa5], length);
      wire.deliver({ ...syn!, to: node.address, bytes: bytes.subarray(0, length + 2) });
      expect(wire.settle()).toEqual([]);
      expect(node.sal.counters.value('traceUnanswered')).toBe(1);
      expect(made.failure).toBeUndefined();
    }
    expect(server.sal.flowTable.size).toBe(0);
  });

  it('goes the way of one with the same nonce', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const router = wire.node('10.1.0.1', 2);
    router.sal.forwards = true;
    client.forwardTo(router.address);
    const others = Array.from({ length: 8 }, (_, index) => wire.node(`10.2.0.${index + 1}`, index + 10));
    for (const other of others) router.forwardTo(other.address);
    const seen = new Set<string>();
    for (let count = 0; count < 20; count++) {
      const nonce = randomNonce(client.sal);
      const ways = [undefined, 2, 2].map((stop) => {
        ping(wire, client, undefined, stop, nonce);
        return wire.settle()[1]!.to.ip;
      });
      expect(new Set(ways).size).toBe(1);
      seen.add(ways[0]!);
    }
    expect(seen.size).toBeGreaterThan(3);
  });

  it('is answered so often in a second, and no more; its client does not take a router for gone', () => {
    const { wire, client, routers } = chain(1);
    const ask = () => {
      const asked = ping(wire, client, [routers[0]!.address], 1);
      wire.settle();
      return asked.ping;
    };
    for (let count = 0; count < TRACE_ANSWERS_MAXIMUM; count++) expect(ask().stoppedAfter).toBe(0);
    const one = ask();
    expect([one.stoppedAfter, routers[0]!.sal.counters.value('traceUnanswered')]).toEqual([undefined, 1]);
    // Asked again a second later it answers.
    wire.advance(3000);
    expect(one.stoppedAfter).toBeGreaterThan(0);
    expect(client.failures).toEqual([]);
  });

  it('a connect is not stopped by what is no ping', () => {
    const { wire, client, server } = chain(1);
    server.listen();
    const { owner } = client.connect();
    wire.settle();
    expect(owner.told).toContain('connected');
  });
});

/** With a checksum that fits what was changed. */
function resealed(packet: Packet): Packet {
  const bytes = Buffer.from(packet.bytes);
  const length = bytes[8]! * 4;
  bytes.writeUInt16BE(0, 10);
  let sum = 0;
  for (let at = 0; at < length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  bytes.writeUInt16BE(~sum & 0xffff, 10);
  return { ...packet, bytes };
}
