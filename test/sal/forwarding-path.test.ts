// The short way and the long way through a router are one way: whatever comes, both do the same with it.

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../lib/time/seeded-random';
import { flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServicePrefix } from '../../lib/wire/service-id';
import { RandomFirstPackets, ROUTER, serviceOf } from './random-first-packet';
import { type Node, Wire } from './wire';

const SEED = 7;

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

const described = (node: Node): string[] => node.takeSent().map(({ to, bytes }) => `${to} ${bytes.toString('hex')}`);

describe('the short way through a router', () => {
  it(`gives what the long way gives, byte for byte, and counts the same (seed ${SEED})`, () => {
    const [short, long] = twins();
    const packets = new RandomFirstPackets(SeededRandom.of(SEED));
    let forwarded = 0;
    for (let round = 0; round < 20_000; round++) {
      const packet = packets.next();
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
