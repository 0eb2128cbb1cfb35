import { describe, expect, it } from 'vitest';
import {
  CONNECT_TIMEOUT,
  CONTROL_TIMEOUT_INITIAL,
  DELAY_TIMEOUT,
  DELAYED_PER_SERVICE,
  SOURCE_ADDRESSES_MAXIMUM,
} from '../../lib/limits';
import { DEMUX_PRIORITY } from '../../lib/table/service-rule';
import { NetworkAddress } from '../../lib/wire/network-address';
import { salPacketHeaderBytes, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServicePrefix } from '../../lib/wire/service-id';
import { decode, SERVICE, Wire } from './wire';

const address = (ip: string): NetworkAddress => NetworkAddress.parse(ip, 4000)!;

/** client a, routers b and e, instance g: Figure 5 of the paper. */
function figure5() {
  const wire = new Wire();
  const a = wire.node('10.0.0.1', 1);
  const b = wire.node('10.0.1.2', 2);
  const e = wire.node('10.0.2.3', 3);
  const g = wire.node('10.0.3.4', 4);
  for (const router of [b, e]) router.sal.forwards = true;
  a.forwardTo(b.address);
  b.forwardTo(e.address);
  e.forwardTo(g.address, { prefix: ServicePrefix.of(SERVICE) });
  return { wire, a, b, e, g };
}

describe('forwarding (§4.2, Figure 5)', () => {
  it('binds late, through routers, and then talks directly', () => {
    const { wire, a, b, e, g } = figure5();
    const listener = g.listen();
    const { flow, owner } = a.connect();
    const packets = wire.settle();
    expect(packets.map((packet) => `${packet.from.ip} > ${packet.to.ip}`)).toEqual([
      '10.0.0.1 > 10.0.1.2',
      '10.0.1.2 > 10.0.2.3',
      '10.0.2.3 > 10.0.3.4',
      '10.0.3.4 > 10.0.0.1',
      '10.0.0.1 > 10.0.3.4',
    ]);
    expect(packets.slice(0, 3).map((packet) => decode(packet).source?.map(String))).toEqual([
      undefined,
      ['10.0.0.1:4000', '10.0.1.2:4000'],
      ['10.0.0.1:4000', '10.0.1.2:4000', '10.0.2.3:4000'],
    ]);
    expect(owner.told).toEqual(['connected']);
    expect(flow.path!.remote.equals(g.address)).toBe(true);
    expect(listener.accepted).toHaveLength(1);
    expect([b.sal.flowTable.size, e.sal.flowTable.size]).toEqual([0, 0]);
  });

  it('refuses a SYN that comes back to a router, so that its client goes elsewhere at once', () => {
    const { wire, a, b, e, g } = figure5();
    g.listen();
    e.forwardTo(b.address, { prefix: ServicePrefix.of(SERVICE), priority: DEMUX_PRIORITY });
    const { owner } = a.connect();
    const [syn, first, second, refusal] = wire.settle().map(({ from, to }) => `${from.ip} > ${to.ip}`);
    expect([syn, first, second]).toEqual(['10.0.0.1 > 10.0.1.2', '10.0.1.2 > 10.0.2.3', '10.0.2.3 > 10.0.1.2']);
    expect(refusal).toBe('10.0.1.2 > 10.0.0.1');
    expect(b.sal.counters.value('forwardLoop')).toBe(2);
    b.forwardTo(g.address, { prefix: ServicePrefix.of(SERVICE), priority: DEMUX_PRIORITY });
    wire.advance(100);
    expect(owner.told).toEqual(['connected']);
  });

  it('drops a datagram that comes back to a router', () => {
    const { wire, a, b, e } = figure5();
    e.forwardTo(b.address, { prefix: ServicePrefix.of(SERVICE), priority: DEMUX_PRIORITY });
    a.connect();
    const [syn] = a.takeSent();
    const header = { ...decode(syn!), control: undefined, protocol: 17, sourceService: SERVICE };
    const bytes = Buffer.alloc(salPacketHeaderBytes(header) + 8);
    writeSalPacketHeader(bytes, 0, header);
    bytes[bytes.length - 3] = 8;
    wire.deliver({ ...syn!, bytes });
    expect(wire.settle()).toHaveLength(2);
    expect(b.sal.counters.value('forwardLoop')).toBe(1);
  });

  it('bounds the number of routers', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const routers = Array.from({ length: SOURCE_ADDRESSES_MAXIMUM + 5 }, (_, index) =>
      wire.node(`10.1.0.${index + 1}`, index + 2),
    );
    client.forwardTo(routers[0]!.address);
    for (const [index, router] of routers.entries()) {
      router.sal.forwards = true;
      if (index + 1 < routers.length) router.forwardTo(routers[index + 1]!.address);
    }
    client.connect();
    expect(wire.settle()).toHaveLength(SOURCE_ADDRESSES_MAXIMUM);
  });

  it('drops a packet whose list of IPv6 routers is full, instead of failing over it', () => {
    const { wire, a, b } = figure5();
    a.connect();
    const [syn] = a.takeSent();
    const source = Array.from({ length: 14 }, (_, index) =>
      address(index < 11 ? `fd00::${index + 1}` : `10.7.0.${index}`),
    );
    const { control, destinationService, sourceFlowID } = decode(syn!);
    const bytes = Buffer.alloc(512);
    const header = { control, destinationService, sourceFlowID, source, protocol: 6, destinationFlowID: 0 as never };
    const length = writeSalPacketHeader(bytes, 0, header);
    wire.deliver({ ...syn!, bytes: bytes.subarray(0, length) });
    expect(b.takeSent()).toEqual([]);
    expect(b.sal.counters.value('forwardTooFar')).toBe(1);
  });

  it('is not done by a host that is no router', () => {
    const { wire, a, b } = figure5();
    b.sal.forwards = false;
    const { owner } = a.connect();
    wire.settle();
    expect(owner.failure).toBe('refused');
  });

  it('never passes a broadcast on to a broadcast address (no storms)', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const router = wire.node('10.0.0.2', 2);
    router.sal.forwards = true;
    router.forwardTo(address('10.0.0.255'), { broadcast: true });
    client.forwardTo(address('10.0.0.255'), { broadcast: true });
    client.connect();
    wire.deliverBroadcast(client.takeSent()[0]!);
    expect(router.takeSent()).toEqual([]);
  });

  it('passes a broadcast on to a process of this host', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const holder = wire.node('10.0.0.2', 2);
    holder.sal.forwards = true;
    holder.forwardTo(address('127.0.0.1'), { prefix: ServicePrefix.of(SERVICE), scope: 'host' });
    client.forwardTo(address('10.0.0.255'), { broadcast: true });
    client.connect();
    wire.deliverBroadcast(client.takeSent()[0]!);
    expect(holder.takeSent().map((packet) => packet.to.ip)).toEqual(['127.0.0.1']);
  });

  it('does not broadcast for strangers (S4)', () => {
    const wire = new Wire();
    const stranger = wire.node('10.0.0.1', 1);
    const router = wire.node('10.0.0.2', 2);
    router.sal.forwards = true;
    router.forwardTo(address('10.0.0.255'), { broadcast: true });
    stranger.forwardTo(router.address);
    const { owner } = stranger.connect();
    wire.settle();
    expect(owner.failure).toBe('refused');
  });

  it.each([
    ['IPv4', '10.0.0.2', '10.0.0.3'],
    ['IPv6, though the client asked by IPv4', 'fd00::2', 'fd00::3'],
  ])('hides the loopback address of a local client from other hosts: %s', (_name, holderIp, serverIp) => {
    const wire = new Wire();
    const client = wire.node('127.0.0.1', 1);
    const holder = wire.node(holderIp, 2);
    const server = wire.node(serverIp, 3);
    holder.sal.forwards = true;
    client.forwardTo(holder.address);
    holder.forwardTo(server.address);
    server.listen();
    client.connect();
    wire.deliver(client.takeSent()[0]!);
    const [forwarded] = holder.takeSent();
    expect(decode(forwarded!).source!.map(String)).toEqual(['0.0.0.0:4000', String(holder.address)]);
    wire.deliver(forwarded!);
    // The server answers to where the packet came from, at the client's port.
    expect(server.takeSent().map((packet) => String(packet.to))).toEqual([String(holder.address)]);
  });
});

describe('delayed resolution (§4.3)', () => {
  function delaying() {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const server = wire.node('10.0.0.2', 2);
    const prefix = ServicePrefix.of(SERVICE);
    client.sal.serviceTable.addRule({ action: 'delay', prefix, priority: 1, weight: 1 }, wire.now);
    return { wire, client, server, prefix };
  }

  it('holds a first packet until a rule comes', () => {
    const { wire, client, server, prefix } = delaying();
    server.listen();
    const { owner } = client.connect();
    expect(wire.settle()).toEqual([]);
    expect(client.delayed.map(String)).toEqual([String(SERVICE)]);
    client.forwardTo(server.address, { prefix, priority: 2 });
    client.sal.releaseDelayed(prefix, wire.now);
    wire.settle();
    expect(owner.told).toEqual(['connected']);
  });

  it('tells the controller once, and bounds what waits', () => {
    const { client } = delaying();
    for (let index = 0; index < DELAYED_PER_SERVICE + 10; index++) client.connect();
    expect(client.delayed).toHaveLength(1);
    expect(client.sal.firstPackets.delayed).toEqual({ waiting: DELAYED_PER_SERVICE, dropped: 10 });
    expect(client.abandoned).toEqual([]);
  });

  it('has a SYN of another host wait once, however often it is repeated, and forwards it once', () => {
    const { wire, client, server: router, prefix } = delaying();
    const server = wire.node('10.0.0.3', 3);
    server.listen();
    router.sal.forwards = true;
    router.sal.serviceTable.addRule({ action: 'delay', prefix, priority: 1, weight: 1 }, wire.now);
    client.forwardTo(router.address, { prefix, priority: 2 });
    client.connect();
    wire.settle();
    wire.advance(CONTROL_TIMEOUT_INITIAL * 3);
    expect(router.sal.firstPackets.delayed).toEqual({ waiting: 1, dropped: 0 });
    router.forwardTo(server.address, { prefix, priority: 2 });
    router.sal.releaseDelayed(prefix, wire.now);
    expect(router.takeSent()).toHaveLength(1);
  });

  it('forgets in time what was received and is not repeated, and tells the controller', () => {
    const { wire, client, server: router, prefix } = delaying();
    router.sal.forwards = true;
    router.sal.serviceTable.addRule({ action: 'delay', prefix, priority: 1, weight: 1 }, wire.now);
    client.forwardTo(router.address, { prefix, priority: 2 });
    client.connect();
    for (const packet of client.takeSent()) wire.deliver(packet);
    expect(router.sal.firstPackets.delayed.waiting).toBe(1);
    expect(router.sal.nextDeadline()).toBe(wire.now + DELAY_TIMEOUT);
    expect(router.abandoned).toEqual([]);
    router.sal.handleDeadline(router.sal.nextDeadline());
    expect(router.sal.firstPackets.delayed).toEqual({ waiting: 0, dropped: 1 });
    expect(router.sal.counters.value('delayDropped')).toBe(1);
    expect(router.abandoned.map(String)).toEqual([String(SERVICE)]);
  });

  it('has a connect wait once, however often it repeats its SYN, and as long as it lasts', () => {
    const { wire, client } = delaying();
    const { owner } = client.connect();
    wire.advance(CONNECT_TIMEOUT - 1);
    expect(client.sal.firstPackets.delayed).toEqual({ waiting: 1, dropped: 0 });
    expect(client.delayed).toHaveLength(1);
    wire.advance(1);
    expect(owner.failure).toBe('timedOut');
    expect(client.sal.firstPackets.delayed).toEqual({ waiting: 0, dropped: 0 });
    expect(client.abandoned.map(String)).toEqual([String(SERVICE)]);
  });

  it('is over when the SYN has found a way without a release', () => {
    const { wire, client, server } = delaying();
    server.listen();
    const { owner } = client.connect();
    client.forwardTo(server.address, { prefix: ServicePrefix.of(SERVICE), priority: 2 });
    wire.advance(CONTROL_TIMEOUT_INITIAL);
    expect(owner.told).toEqual(['connected']);
    expect(client.sal.firstPackets.delayed.waiting).toBe(0);
    client.sal.releaseDelayed(ServicePrefix.any, wire.now);
    expect(client.takeSent()).toEqual([]);
  });

  it('waits for the release when a rule comes: there may be more of them to come', () => {
    const { wire, client, server, prefix } = delaying();
    server.listen();
    const { owner } = client.connect();
    client.forwardTo(server.address, { prefix, priority: 2 });
    client.sal.retryFirstPackets(prefix, wire.now);
    expect(client.takeSent()).toEqual([]);
    client.sal.releaseDelayed(prefix, wire.now);
    wire.settle();
    expect(owner.told).toEqual(['connected']);
  });
});

describe('a DROP rule that refuses', () => {
  const rule = { action: 'drop', prefix: ServicePrefix.of(SERVICE), priority: 5, weight: 1 } as const;

  it('answers a SYN by RST, as a host without the service does', () => {
    const wire = new Wire();
    const [client, router] = [wire.node('10.0.0.1', 1), wire.node('10.0.0.2', 2)];
    client.forwardTo(router.address);
    router.sal.serviceTable.addRule({ ...rule, refuses: true }, wire.now);
    const { owner } = client.connect();
    wire.settle();
    expect(owner.failure).toBe('refused');
    expect(router.sal.counters.value('ruleRefused')).toBe(1);
  });

  it('fails a connect of our own at once, also one that waits already', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const { prefix } = rule;
    client.sal.serviceTable.addRule({ action: 'delay', prefix, priority: 1, weight: 1 }, wire.now);
    const first = client.connect();
    client.sal.serviceTable.addRule({ ...rule, refuses: true }, wire.now);
    client.sal.releaseDelayed(prefix, wire.now);
    const second = client.connect();
    expect([first.owner.failure, second.owner.failure]).toEqual(['refused', 'refused']);
    expect(client.takeSent()).toEqual([]);
    expect(client.sal.flowTable.size).toBe(0);
    expect(wire.settle()).toEqual([]);
  });

  it('says nothing without the wish to refuse', () => {
    const wire = new Wire();
    const [client, router] = [wire.node('10.0.0.1', 1), wire.node('10.0.0.2', 2)];
    client.forwardTo(router.address);
    router.sal.serviceTable.addRule(rule, wire.now);
    const { owner } = client.connect();
    wire.settle();
    expect(owner.failure).toBeUndefined();
    expect(router.sal.counters.value('ruleDrop')).toBe(1);
  });
});
