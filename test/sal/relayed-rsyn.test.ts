// The end of a flow that looks for its peer through a router (§4.4): when it asks, whom, and what it believes of what
// comes back.

import { describe, expect, it } from 'vitest';
import { MIGRATION_AMPLIFICATION } from '../../lib/limits';
import type { Flow } from '../../lib/sal/flow';
import { cutPath, startMigration } from '../../lib/sal/signaling/migration';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { EndpointSourceFlag } from '../../lib/wire/endpoint-source-extension';
import { FlowNonce } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { type SalPacketHeader, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { decode, type Node, type Packet, Wire } from './wire';

const address = (ip: string, port = 4000): NetworkAddress => NetworkAddress.parse(ip, port)!;
const MOVED = address('203.0.113.5', 4007);

interface Scene {
  readonly wire: Wire;
  readonly client: Node;
  readonly server: Node;
  readonly router: Node;
  readonly flow: Flow;
  readonly peer: Flow;
}

/** A connection through a router; then the server is gone from where it was. */
function scene(routers = 1, prepare: (nodes: Pick<Scene, 'client' | 'server'>) => void = () => {}): Scene {
  const wire = new Wire();
  const client = wire.node('10.0.0.1', 1, { kind: 'udp' });
  const hops = Array.from({ length: routers }, (_, index) =>
    wire.node(`10.1.0.${index + 1}`, 10 + index, { kind: 'udp' }),
  );
  const server = wire.node('10.0.0.2', 2, { kind: 'udp' });
  prepare({ client, server });
  const listener = server.listen();
  const way = [...hops, server];
  client.forwardTo(way[0]!.address);
  for (const [index, hop] of hops.entries()) {
    hop.sal.forwards = true;
    hop.forwardTo(way[index + 1]!.address);
  }
  const { flow } = client.connect();
  wire.settle();
  return { wire, client, server, router: hops[0]!, flow, peer: listener.accepted[0]!.flow };
}

/** The flow's address is gone, and it has another; what it says at first. */
function move({ wire, client }: Scene, flow: Flow, node = client): Packet[] {
  cutPath(node.sal, flow, wire.now);
  const path = node.sal.pathOf(1, node.address.withPort(0), flow.path!.remote);
  startMigration(node.sal, flow, path, node.sal.links.at(1), wire.now);
  return node.takeSent();
}

/** What it says again, when nobody has answered. */
function repeat({ wire, client }: Scene, node = client): Packet[] {
  wire.now = node.sal.nextDeadline();
  node.sal.handleDeadline(wire.now);
  return node.takeSent();
}

const hops = (packets: readonly Packet[]): string[] => packets.map(({ to }) => to.ip);

/** The server's RSYN, as the router passes it on. */
function passed(
  { router, client, flow, peer }: Scene,
  change: Partial<SalPacketHeader> = {},
  nonce = peer.localNonce,
): Packet {
  const bytes = Buffer.alloc(200);
  const length = writeSalPacketHeader(bytes, 0, {
    sourceFlowID: peer.localFlowID,
    destinationFlowID: flow.localFlowID,
    protocol: 6,
    control: {
      flags: ControlFlag.rsyn,
      controlSequence: controlSequence(peer.control.sendNext + 3),
      controlAck: peer.control.receiveNext,
      nonce,
    },
    source: [MOVED],
    sourceKind: 'endpointSource',
    sourceFlags: EndpointSourceFlag.relayed,
    ...change,
  });
  return { from: router.address, to: client.address, bytes: bytes.subarray(0, length) };
}

describe('an end that moves', () => {
  it('asks the peer alone at first, and the router too when it does not answer', () => {
    const set = scene();
    expect(hops(move(set, set.flow))).toEqual(['10.0.0.2']);
    const [direct, asking, ...rest] = repeat(set);
    expect([hops([direct!, asking!]), rest]).toEqual([['10.0.0.2', '10.1.0.1'], []]);
    expect(decode(asking!)).toMatchObject({
      control: decode(direct!).control,
      source: [NetworkAddress.fromWords(4, 0, 0, 0, 0, 0)],
      sourceFlags: EndpointSourceFlag.relay,
      peerNonce: set.peer.localNonce,
    });
  });

  it('asks no router when the peer answers', () => {
    const set = scene();
    for (const packet of move(set, set.flow)) set.wire.deliver(packet);
    set.wire.settle();
    set.wire.advance(10_000);
    expect(set.flow.migration?.own).toBeUndefined();
    const { counters } = set.router.sal;
    expect(counters.value('resyncAlone') + counters.value('resyncRelayed')).toBe(0);
  });

  it('knows the first router and the last when it is the server, and the first when it is the client', () => {
    const set = scene(3);
    move(set, set.flow);
    expect(hops(repeat(set))).toEqual(['10.0.0.2', '10.1.0.1']);
    move(set, set.peer, set.server);
    expect(hops(repeat(set, set.server))).toEqual(['10.0.0.1', '10.1.0.1', '10.1.0.3']);
  });

  it('asks the router that its host is registered with, once', () => {
    const set = scene();
    set.client.sal.oldRouters.registered = set.router.address;
    move(set, set.flow);
    expect(hops(repeat(set))).toEqual(['10.0.0.2', '10.1.0.1']);
    set.client.sal.oldRouters.registered = address('10.1.0.9', 54325);
    expect(hops(repeat(set))).toEqual(['10.0.0.2', '10.1.0.1', '10.1.0.9']);
    // None that it could not be seen by from where it is to be.
    set.client.sal.oldRouters.registered = address('2001:db8::9', 54325);
    expect(hops(repeat(set))).toEqual(['10.0.0.2', '10.1.0.1']);
  });

  it('has the flows of a host that came by one router share what they know of it', () => {
    const set = scene();
    const { flow } = set.client.connect();
    set.wire.settle();
    expect(flow.routers).toBe(set.flow.routers);
  });
});

describe('an end whose first packet has passed no router', () => {
  const ROUTER = address('10.1.0.9', 54325);
  const other = {
    name: 'eth0',
    index: 2,
    address: address('2001:db8::5', 0),
    prefixBits: 64,
    mtu: 1500,
    isLoopback: false,
  };

  it.each(['client', 'server'] as const)('hears of one when the %s is registered there', (who) => {
    const set = scene(0, (nodes) => {
      nodes[who].sal.oldRouters.registered = ROUTER;
    });
    const [end, node] = who === 'client' ? [set.peer, set.server] : [set.flow, set.client];
    expect(end.routers?.map(String)).toEqual([String(ROUTER)]);
    move(set, end, node);
    expect(hops(repeat(set, node))).toEqual([node === set.client ? '10.0.0.2' : '10.0.0.1', ROUTER.ip]);
  });

  it.each([
    ['client', true],
    // Its SYN-ACK would be longer than the SYN.
    ['server', false],
  ] as const)('hears of one besides an address of the other family, where there is room: %s %s', (who, isTold) => {
    const set = scene(0, (nodes) => {
      nodes[who].sal.oldRouters.registered = ROUTER;
      nodes[who].sal.interfaces.handleUp(other);
    });
    const end = who === 'client' ? set.peer : set.flow;
    expect(end.peerAddresses?.map(({ ip }) => ip)).toEqual(['2001:db8::5']);
    expect(end.routers !== undefined).toBe(isTold);
  });

  it('does not believe in one that is on its own machine', () => {
    const set = scene(0, ({ client }) => {
      client.sal.oldRouters.registered = address('127.0.0.1', 54325);
    });
    expect(set.peer.routers).toBeUndefined();
  });
});

describe('a RSYN that a router passes on', () => {
  it('is answered to where the router says that the peer is, and our own goes there', () => {
    const set = scene();
    move(set, set.flow);
    repeat(set);
    set.client.receive(passed(set), 0);
    const answers = set.client.takeSent();
    const flags = answers.filter(({ to }) => to.equals(MOVED)).map((packet) => decode(packet).control!.flags);
    expect(flags.sort()).toEqual([ControlFlag.rsyn, ControlFlag.rsyn | ControlFlag.ack]);
  });

  it.each<[string, (set: Scene) => Packet, string]>([
    ['has a wrong nonce', (set) => passed(set, {}, FlowNonce.of(1, 1)), 'badNonce'],
    [
      'comes from somebody that was not asked',
      (set) => ({ ...passed(set), from: address('10.9.9.9') }),
      'rsynUnexpected',
    ],
    [
      'names an address of the other family',
      (set) => passed(set, { source: [address('2001:db8::1')] }),
      'rsynUnexpected',
    ],
    ['names ourselves', (set) => passed(set, { source: [address('127.0.0.1')] }), 'rsynUnexpected'],
    ['names no host', (set) => passed(set, { source: [address('224.0.0.1')] }), 'rsynUnexpected'],
    ['names several', (set) => passed(set, { source: [MOVED, set.router.address] }), 'rsynUnexpected'],
  ])('counts for nothing when it %s', (_what, make, counter) => {
    const set = scene();
    move(set, set.flow);
    repeat(set);
    set.client.receive(make(set), 0);
    expect(set.client.takeSent()).toEqual([]);
    expect(set.client.sal.counters.value(counter)).toBe(1);
    expect(set.flow.migration?.peer).toBeUndefined();
  });

  it('counts for nothing when nobody has asked for it', () => {
    const set = scene();
    set.client.receive(passed(set), 0);
    // Nor before the router was asked.
    move(set, set.flow);
    set.client.receive(passed(set), 0);
    expect(set.client.takeSent()).toEqual([]);
    expect(set.client.sal.counters.value('rsynUnexpected')).toBe(2);
  });

  it('makes nobody send more to where it says than a RSYN from there would', () => {
    const set = scene();
    move(set, set.flow);
    let [received, sent] = [0, 0];
    const note = (packets: readonly Packet[]): void => {
      for (const { to, bytes } of packets) if (to.equals(MOVED)) sent += bytes.length;
    };
    note(repeat(set));
    const packet = passed(set);
    set.client.receive(packet, 0);
    received += packet.bytes.length;
    note(set.client.takeSent());
    for (let time = 0; time < 30; time++) note(repeat(set));
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(MIGRATION_AMPLIFICATION * received);
    expect(set.flow.path!.remote.ip).toBe('10.0.0.2');
  });
});
