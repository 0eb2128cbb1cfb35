// A router at which the two ends of a flow meet that have both moved (§4.4): what it passes on, what it forgets, and what
// it cannot be made to do.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { RESYNC_LIFETIME, RESYNC_SOURCE_INTERVAL, RESYNC_SOURCE_MAXIMUM } from '../../lib/sal/signaling/resync-limits';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { EndpointSourceFlag } from '../../lib/wire/endpoint-source-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { RowFlag } from '../../lib/wire/received-batch';
import { type SalPacketHeader, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { decode, type Node, type Packet, Wire } from './wire';

const address = (ip: string, port = 4000): NetworkAddress => NetworkAddress.parse(ip, port)!;
const HERE = address('203.0.113.1', 5001);
const THERE = address('198.51.100.2', 5002);

/** The two ends of a flow: flowID and nonce. */
const NEAR = { id: flowID(0x1111), nonce: FlowNonce.of(1, 2) };
const FAR = { id: flowID(0x2222), nonce: FlowNonce.of(3, 4) };
type End = typeof NEAR;

function network(properties = {}): { wire: Wire; router: Node } {
  const wire = new Wire();
  const router = wire.node('10.1.0.1', 5, { kind: 'udp', ...properties });
  router.sal.forwards = true;
  return { wire, router };
}

/** A RSYN of `own` that asks a router for `peer`. */
function header(own: End, peer: End, number = 100, change: Partial<SalPacketHeader> = {}): SalPacketHeader {
  return {
    sourceFlowID: own.id,
    destinationFlowID: peer.id,
    protocol: 6,
    control: {
      flags: ControlFlag.rsyn,
      controlSequence: controlSequence(number),
      controlAck: controlSequence(7),
      detail: 0,
      nonce: own.nonce,
    },
    source: [NetworkAddress.fromWords(4, 0, 0, 0, 0, 0)],
    sourceKind: 'endpointSource',
    sourceFlags: EndpointSourceFlag.relay,
    peerNonce: peer.nonce,
    ...change,
  };
}

function packet(from: NetworkAddress, content: SalPacketHeader, payload = 0): Packet {
  const bytes = Buffer.alloc(400);
  const length = writeSalPacketHeader(bytes, 0, content) + payload;
  return { from, to: address('10.1.0.1'), bytes: bytes.subarray(0, length) };
}

/** Has the router hear both, the near end first; what it sends then. */
function meet(router: Node, near = header(NEAR, FAR), far = header(FAR, NEAR)): Packet[] {
  router.receive(packet(HERE, near), 0);
  router.receive(packet(THERE, far), 0);
  return router.takeSent();
}

describe('a router', () => {
  it('passes the RSYN of the second end on to the first, with where it came from', () => {
    const { router } = network();
    const [passed, ...rest] = meet(router);
    expect(rest).toEqual([]);
    expect(String(passed!.to)).toBe(String(HERE));
    const asked = header(FAR, NEAR);
    expect(decode(passed!)).toMatchObject({
      ...asked,
      source: [THERE],
      sourceFlags: EndpointSourceFlag.relayed,
      peerNonce: undefined,
    });
    expect(passed!.bytes.length).toBeLessThan(packet(THERE, asked).bytes.length);
    // And that of the first to the second, when it asks again.
    router.receive(packet(HERE, header(NEAR, FAR)), 0);
    expect(router.takeSent().map(({ to }) => String(to))).toEqual([String(THERE)]);
    expect(router.sal.counters.toObject()).toEqual({ resyncAlone: 1, resyncRelayed: 2 });
  });

  it('knows an end by all four names, and tells nobody who knows less', () => {
    const other = FlowNonce.of(9, 9);
    for (const [near, far] of [
      [header({ ...NEAR, nonce: other }, FAR), header(FAR, NEAR)],
      [header(NEAR, { ...FAR, nonce: other }), header(FAR, NEAR)],
      [header({ ...NEAR, id: flowID(5) }, FAR), header(FAR, NEAR)],
      [header(NEAR, { ...FAR, id: flowID(5) }), header(FAR, NEAR)],
      // The same end, from two places.
      [header(NEAR, FAR), header(NEAR, FAR)],
    ] as const) {
      const { router } = network();
      expect(meet(router, near, far)).toEqual([]);
      expect(router.sal.counters.value('resyncAlone')).toBe(2);
    }
  });

  it('remembers an end no longer than it must', () => {
    const { wire, router } = network();
    router.receive(packet(HERE, header(NEAR, FAR)), 0);
    wire.now = (wire.now + RESYNC_LIFETIME - 1) as Instant;
    router.receive(packet(THERE, header(FAR, NEAR)), 0);
    expect(router.takeSent()).toHaveLength(1);
    wire.now = (wire.now + 1) as Instant;
    router.receive(packet(THERE, header(FAR, NEAR)), 0);
    expect(router.takeSent()).toEqual([]);
  });

  it('keeps to the latest RSYN of an end, in whatever order they come', () => {
    const { router } = network();
    router.receive(packet(HERE, header(NEAR, FAR, 0xffffffff)), 0);
    router.receive(packet(address('203.0.113.9'), header(NEAR, FAR, 1)), 0);
    router.receive(packet(HERE, header(NEAR, FAR, 0xffffffff)), 0);
    router.receive(packet(THERE, header(FAR, NEAR)), 0);
    expect(router.takeSent().map(({ to }) => to.ip)).toEqual(['203.0.113.9']);
    expect(router.sal.counters.value('resyncOld')).toBe(1);
  });

  it('takes no more from one source than it can afford, and goes on with others', () => {
    const { wire, router } = network();
    const random = SeededRandom.of(3);
    const stranger = (): SalPacketHeader => header(NEAR, { ...FAR, id: flowID(random.uint32()) });
    for (let count = 0; count < RESYNC_SOURCE_MAXIMUM + 10; count++) {
      router.receive(packet(address('203.0.113.66', 1000 + count), stranger()), 0);
    }
    expect(router.sal.counters.toObject()).toEqual({ resyncAlone: RESYNC_SOURCE_MAXIMUM, resyncTooMany: 10 });
    expect(meet(router)).toHaveLength(1);
    wire.now = (wire.now + RESYNC_SOURCE_INTERVAL) as Instant;
    router.receive(packet(address('203.0.113.66'), stranger()), 0);
    expect(router.sal.counters.value('resyncTooMany')).toBe(10);
  });

  it('counts the addresses of one IPv6 network as one source', () => {
    const { router } = network();
    const six = { source: [NetworkAddress.fromWords(6, 0, 0, 0, 0, 0)] };
    for (let count = 0; count < RESYNC_SOURCE_MAXIMUM + 10; count++) {
      router.receive(packet(address(`2001:db8:0:5::${count + 1}`), header(NEAR, FAR, count, six)), 0);
    }
    expect(router.sal.counters.value('resyncTooMany')).toBe(10);
  });

  it('passes no IPv4 address on to who has none', () => {
    const { router } = network();
    const six = { source: [NetworkAddress.fromWords(6, 0, 0, 0, 0, 0)] };
    router.receive(packet(address('2001:db8::1'), header(NEAR, FAR, 1, six)), 0);
    router.receive(packet(THERE, header(FAR, NEAR)), 0);
    expect(router.takeSent()).toEqual([]);
  });

  const control = header(NEAR, FAR).control!;
  const unspecified = NetworkAddress.fromWords(4, 0, 0, 0, 0, 0);
  it.each<[string, Packet, number?]>([
    ['without RENDEZVOUS', packet(HERE, header(NEAR, FAR, 1, { peerNonce: undefined }))],
    [
      'that is a RSYN-ACK',
      packet(HERE, header(NEAR, FAR, 1, { control: { ...control, flags: ControlFlag.rsyn | ControlFlag.ack } })),
    ],
    ['with data', packet(HERE, header(NEAR, FAR), 20)],
    ['that says where it comes from', packet(HERE, header(NEAR, FAR, 1, { source: [address('203.0.113.7')] }))],
    ['with a port', packet(HERE, header(NEAR, FAR, 1, { source: [unspecified.withPort(5)] }))],
    ['with a list', packet(HERE, header(NEAR, FAR, 1, { source: [unspecified, HERE] }))],
    ['from this machine', packet(address('127.0.0.1'), header(NEAR, FAR))],
    ['sent to all', packet(HERE, header(NEAR, FAR)), RowFlag.broadcast],
  ])('refuses one %s', (_what, refused, flags = 0) => {
    const { router } = network();
    router.receive(refused, flags);
    router.receive(packet(THERE, header(FAR, NEAR)), 0);
    expect(router.takeSent()).toEqual([]);
    expect(router.sal.counters.toObject()).toEqual({ resyncRefused: 1, resyncAlone: 1 });
  });

  it('refuses one whose source is the broadcast address of a network', () => {
    const { router } = network();
    router.forwardTo(address('198.51.100.255', 54325), { broadcast: true });
    router.receive(packet(address('198.51.100.255'), header(FAR, NEAR)), 0);
    router.receive(packet(HERE, header(NEAR, FAR)), 0);
    expect(router.takeSent()).toEqual([]);
    expect(router.sal.counters.value('resyncRefused')).toBe(1);
  });

  it.each([
    ['a host that is no router', {}, false],
    ['a raw link', { encapsulated: false, kind: 'raw' as const }, true],
  ])('is not found in %s', (_what, properties, forwards) => {
    const { router } = network(properties);
    router.sal.forwards = forwards;
    expect(meet(router)).toEqual([]);
    expect(router.sal.counters.value('resyncRefused')).toBe(2);
  });

  it('is not moved by a flood: nothing is sent, memory stays as it is, and who has to meet does so in between', () => {
    const { wire, router } = network();
    const random = SeededRandom.of(11);
    const { batch } = router.sal.links.at(1);
    meet(router);
    const before = memory();
    let [made, met] = [0, 0];
    for (let count = 1; count <= FLOOD; count++) {
      const from = NetworkAddress.fromWords(4, 5000, (0x0b000000 + (random.uint32() & 0xffffff)) | 0, 0, 0, 0);
      // The flowIDs are those of a flow that there is, and every second time one nonce; both nobody can know.
      const guess = (): FlowNonce => FlowNonce.of(random.uint32(), random.uint32());
      const peer = { ...FAR, nonce: count % 2 === 0 ? FAR.nonce : guess() };
      router.receive(packet(from, header({ ...NEAR, nonce: guess() }, peer, count)), 0);
      if (batch.count > 0) made++;
      // 20,000 forged ones a second: the two ask within 50 ms of each other.
      if (count % 20 === 0) wire.now = (wire.now + 1) as Instant;
      if (count % 10_000 === 1000) router.receive(packet(HERE, header(NEAR, FAR, 200 + count)), 0);
      if (count % 10_000 === 2000) router.receive(packet(THERE, header(FAR, NEAR, 200 + count)), 0);
      if (batch.count > 0 && router.takeSent().some(({ to }) => to.equals(HERE))) met++;
    }
    expect(made).toBe(0);
    expect(met).toBeGreaterThanOrEqual((FLOOD / 10_000) * 0.9);
    // Fewer than eight bytes for each that came: nothing is kept of it that was not there before.
    expect(memory() - before).toBeLessThan(FLOOD * 8);
  });
});

const FLOOD = 200_000;

/** Bytes in use, behind two collections of garbage. */
function memory(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
