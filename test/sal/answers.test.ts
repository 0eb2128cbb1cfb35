// Where a stack answers to, and where never: a peer must not make us send to others (§4.2; reliability S4, S12).

import { describe, expect, it } from 'vitest';
import { ControlFlag } from '../../lib/wire/control-extension';
import { NetworkAddress } from '../../lib/wire/network-address';
import { writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServicePrefix } from '../../lib/wire/service-id';
import { decode, type Packet, SERVICE, Wire } from './wire';

const address = (ip: string, port = 4000): NetworkAddress => NetworkAddress.parse(ip, port)!;

function host(isRouter = false) {
  const wire = new Wire();
  const attacker = wire.node('10.0.0.66', 1);
  const server = wire.node('10.0.0.2', 2);
  server.sal.forwards = isRouter;
  server.forwardTo(address('10.0.0.255'), { broadcast: true });
  attacker.forwardTo(server.address);
  return { wire, attacker, server };
}

/** The same packet with a SOURCE list in front of its segment. */
function withSource(packet: Packet, source: readonly NetworkAddress[]): Packet {
  const decoded = decode(packet);
  const bytes = Buffer.alloc(512);
  const length = writeSalPacketHeader(bytes, 0, { ...decoded, source, sourceKind: 'endpointSource' });
  const { transportOffset } = decoded;
  packet.bytes.copy(bytes, length, transportOffset);
  return { ...packet, bytes: bytes.subarray(0, length + packet.bytes.length - transportOffset) };
}

const NOBODY = [
  ['loopback', '127.0.0.1', 4000],
  ['loopback in IPv6', '::1', 4000],
  ['limited broadcast', '255.255.255.255', 4000],
  ["the interface's broadcast", '10.0.0.255', 4000],
  ['multicast', '224.0.0.1', 4000],
  ['multicast in IPv6', 'ff02::1', 4000],
  ['a host of no network', '0.1.2.3', 4000],
  ['a class without hosts', '240.0.0.1', 4000],
  ['IPv4 dressed as IPv6', '::ffff:127.0.0.1', 4000],
  ['a port that nobody has', '10.0.0.9', 0],
] as const;

describe('who is answered', () => {
  it.each(NOBODY)('a SYN that claims to come from %s: nobody', (_name, ip, port) => {
    for (const isRouter of [false, true]) {
      for (const listens of [false, true]) {
        const { wire, attacker, server } = host(isRouter);
        if (listens) server.listen();
        attacker.connect();
        const [syn] = attacker.takeSent();
        wire.deliver(withSource(syn!, [address(ip, port), address('10.0.0.1')]));
        expect(server.takeSent()).toEqual([]);
        expect(server.sal.counters.value('sourceAddress')).toBe(1);
        expect(server.sal.flowTable.size).toBe(0);
      }
    }
  });

  it.each(NOBODY.slice(0, 9))('a third ACK of an unknown flow that claims to come from %s: nobody', (_name, ip) => {
    const { wire, attacker, server } = host();
    server.listen();
    attacker.connect();
    const [ack] = wire.settle().slice(-1);
    expect(decode(ack!).control!.flags).toBe(ControlFlag.ack);
    const { server: restarted, wire: later } = host();
    later.deliver(ack!);
    expect(restarted.takeSent()).toHaveLength(1);
    later.deliver(withSource(ack!, [address(ip), address('10.0.0.1')]));
    expect(restarted.takeSent()).toEqual([]);
  });

  it('a packet that itself comes from where no host is: nobody', () => {
    const { wire, attacker, server } = host();
    attacker.connect();
    const [syn] = attacker.takeSent();
    for (const ip of ['255.255.255.255', '224.0.0.1', '0.0.0.0', '10.0.0.255']) {
      wire.deliver({ ...syn!, from: address(ip) });
    }
    expect(server.takeSent()).toEqual([]);
  });

  it('a client on this machine may be known by its loopback address, to this machine', () => {
    const { wire, attacker, server } = host();
    server.listen();
    attacker.connect();
    const [syn] = attacker.takeSent();
    const client = address('127.0.0.1', 5000);
    wire.deliver({ ...withSource(syn!, [client, address('127.0.0.1', 54325)]), from: address('127.0.0.1', 54325) });
    expect(server.takeSent().map((packet) => String(packet.to))).toEqual([String(client)]);
  });
});

describe('an address that has not shown that it wants the connection', () => {
  it('is not reached by the third ACK of another: the application would write to it', () => {
    const { wire, attacker, server } = host();
    const listener = server.listen();
    attacker.connect();
    const victim = address('10.0.0.77');
    const isThirdAck = (packet: Packet): boolean => decode(packet).control?.flags === ControlFlag.ack;
    const packets = wire.settle((packet) => (isThirdAck(packet) ? { ...packet, from: victim } : packet));
    expect(packets.some(isThirdAck)).toBe(true);
    expect(listener.accepted).toEqual([]);
    expect(server.sal.counters.value('thirdAckElsewhere')).toBe(1);
    // From where the SYN-ACK went it is welcome.
    wire.deliver(packets.find(isThirdAck)!);
    expect(listener.accepted).toHaveLength(1);
  });

  it('gets one SYN-ACK for each SYN that claims it, and none for those of others', () => {
    const { wire, attacker, server } = host();
    server.listen();
    attacker.connect();
    const [syn] = attacker.takeSent();
    const victim = address('10.0.0.77');
    wire.deliver({ ...syn!, from: victim });
    for (let count = 0; count < 3; count++) wire.deliver(syn!);
    const answers = server.takeSent().map((packet) => packet.to.ip);
    expect(answers).toEqual(['10.0.0.77', '10.0.0.66', '10.0.0.66', '10.0.0.66']);
  });

  it('is not answered by all of a set: a stranger reaches one, and this machine all', () => {
    for (const [from, count] of [
      ['10.0.0.66', 1],
      ['127.0.0.1', 3],
    ] as const) {
      const { wire, attacker, server } = host(true);
      const prefix = ServicePrefix.of(SERVICE);
      for (const ip of ['10.0.0.3', '10.0.0.4', '10.0.0.5']) server.forwardTo(address(ip), { prefix, selectAll: true });
      attacker.connect();
      wire.deliver({ ...attacker.takeSent()[0]!, from: address(from) });
      expect(server.takeSent()).toHaveLength(count);
    }
  });
});
