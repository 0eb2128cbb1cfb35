// The short way and the long way through a router are one way: whatever comes, both do the same with it.

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { type SalPacketHeader, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { type Node, type Packet, SERVICE, Wire } from './wire';

const ROUTER = '10.0.9.9';
const SEED = 7;
const random = SeededRandom.of(SEED);
const below = (count: number): number => random.uint32() % count;
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

/** Two routers that are alike, but one has the long way only. */
function twins(change: (node: Node) => void = () => {}) {
  const nodes = [new Wire(), new Wire()].map((wire) => {
    const node = wire.node(ROUTER, 5);
    node.sal.forwards = true;
    for (const [index, ip] of ['10.0.3.1', '10.0.3.2', 'fd00::3'].entries()) {
      const prefix = ServicePrefix.of(serviceOf(index), 8);
      node.forwardTo(NetworkAddress.parse(ip, 4000)!, { prefix });
    }
    node.forwardTo(NetworkAddress.parse('10.0.3.9', 4000)!, { prefix: ServicePrefix.of(serviceOf(3), 8) });
    node.forwardTo(NetworkAddress.parse('10.0.3.8', 4000)!, { prefix: ServicePrefix.of(serviceOf(3), 8) });
    node.listen();
    change(node);
    return node;
  });
  nodes[1]!.sal.firstPackets.forwardingPath.handleRow = () => false;
  return nodes as [Node, Node];
}

const serviceOf = (index: number): ServiceID => ServiceID.fromHex((0x10 + index).toString(16).repeat(32))!;

const ADDRESSES = [
  '10.0.0.1',
  '192.0.2.77',
  'fd00::1',
  '0.0.0.0',
  '::',
  '127.0.0.1',
  '224.0.0.1',
  ROUTER,
  '::ffff:10.0.0.1',
];

function randomAddress(): NetworkAddress {
  return NetworkAddress.parse(pick(ADDRESSES), pick([4000, 4000, 4001, 0]))!;
}

function randomHeader(): SalPacketHeader {
  const isSyn = below(2) === 0;
  const flags = pick([ControlFlag.syn, ControlFlag.syn, ControlFlag.syn | ControlFlag.rsyn, ControlFlag.fin]);
  const sourceLength = pick([0, 0, 1, 2, 3, 11, 12, 19, 20]);
  const source = Array.from({ length: sourceLength }, randomAddress);
  const nonce = FlowNonce.of(random.uint32(), random.uint32());
  const control = {
    flags,
    controlSequence: controlSequence(below(100)),
    controlAck: controlSequence(0),
    detail: pick([0, 0, 0, 1]),
    nonce,
  };
  return {
    sourceFlowID: flowID(random.uint32()),
    destinationFlowID: flowID(pick([0, 0, 0, 5])),
    protocol: pick([6, 17, 17, 1]),
    ...(isSyn ? { control } : {}),
    destinationService: pick([serviceOf(0), serviceOf(1), serviceOf(2), serviceOf(3), serviceOf(9), SERVICE]),
    ...(isSyn ? {} : { sourceService: serviceOf(7) }),
    ...(sourceLength === 0
      ? {}
      : { source, sourceFlags: pick([0, 0x80, 0x40, 0xe0]), sourceKind: 'endpointSource' as const }),
  };
}

function randomPacket(): Packet | undefined {
  const bytes = Buffer.alloc(2500);
  let length: number;
  try {
    length = writeSalPacketHeader(bytes, 0, randomHeader());
  } catch {
    return undefined; // a list of IPv6 addresses that is too long to write
  }
  const payload = pick([0, 2, 8, 57, 255, 256, 257, 1400]);
  for (let at = 0; at < payload; at++) bytes[length + at] = at * 7;
  // Some are damaged, and a damaged one may have a right checksum.
  if (below(8) === 0) bytes[below(length)]! ^= 1 << below(8);
  if (below(8) === 0) reseal(bytes, length);
  const cut = below(16) === 0 ? below(length + payload) : 0;
  const from = randomAddress();
  return {
    from,
    to: NetworkAddress.parse(ROUTER, 4000)!,
    bytes: Buffer.from(bytes.subarray(0, length + payload - cut)),
  };
}

function reseal(bytes: Buffer, length: number): void {
  bytes.writeUInt16BE(0, 10);
  let sum = 0;
  for (let at = 0; at < length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  bytes.writeUInt16BE(~sum & 0xffff, 10);
}

const described = (node: Node): string[] => node.takeSent().map(({ to, bytes }) => `${to} ${bytes.toString('hex')}`);

describe('the short way through a router', () => {
  it(`gives what the long way gives, byte for byte, and counts the same (seed ${SEED})`, () => {
    const [short, long] = twins();
    let forwarded = 0;
    for (let round = 0; round < 20_000; round++) {
      const packet = randomPacket();
      if (packet === undefined) continue;
      short.receive(packet, 0);
      long.receive(packet, 0);
      const sent = described(long);
      expect(described(short)).toEqual(sent);
      if (sent[0]?.includes(serviceOf(7).toString()) === true) forwarded++;
    }
    expect(short.sal.counters.toObject()).toEqual(long.sal.counters.toObject());
    expect(short.sal.serviceTable.totals).toEqual(long.sal.serviceTable.totals);
    expect(short.sal.counters.value('forwarded')).toBeGreaterThan(1000);
    for (const reason of ['forwardLoop', 'forwardTooFar', 'sourceAddress', 'badCheck']) {
      expect(short.sal.counters.value(reason), reason).toBeGreaterThan(10);
    }
    expect(forwarded).toBeGreaterThan(100);
  });

  it('is the one that plain packets take', () => {
    const wire = new Wire();
    const [client, router] = [wire.node('10.0.0.1', 1), wire.node(ROUTER, 2)];
    router.sal.forwards = true;
    router.forwardTo(NetworkAddress.parse('10.0.3.1', 4000)!);
    client.forwardTo(router.address);
    client.connect();
    const [syn] = client.takeSent();
    router.sal.firstPackets.handleReceived = () => {
      throw new Error('it went the long way');
    };
    wire.deliver(syn!);
    const [once] = router.takeSent();
    expect(once).toBeDefined();
    // Behind another router it is as plain: the list is there already.
    const second = wire.node('10.0.9.8', 3);
    second.sal.forwards = true;
    second.forwardTo(NetworkAddress.parse('10.0.3.1', 4000)!);
    second.sal.firstPackets.handleReceived = router.sal.firstPackets.handleReceived;
    wire.deliver({ ...once!, to: second.address });
    expect(second.takeSent()).toHaveLength(1);
  });

  it.each(['a broadcast', 'a stack that is no router'])('is closed to %s', (what) => {
    for (const node of twins()) {
      if (what !== 'a broadcast') node.sal.forwards = false;
      const bytes = Buffer.alloc(200);
      const destinationService = serviceOf(0);
      const header = { sourceFlowID: flowID(1), destinationFlowID: flowID(0), protocol: 17, destinationService };
      const length = writeSalPacketHeader(bytes, 0, { ...header, sourceService: serviceOf(7) });
      const from = NetworkAddress.parse('10.0.0.1', 4000)!;
      node.receive({ from, to: node.address, bytes: bytes.subarray(0, length + 8) }, what === 'a broadcast' ? 1 : 0);
      expect(node.takeSent()).toEqual([]);
    }
  });
});
