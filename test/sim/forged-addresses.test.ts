// Lists of addresses, and SYNs of further flows, from somebody who does not know the nonce: nothing comes of them. From
// one who does, a peer that means ill: what they cost us and others is bounded (§4.4).

import { describe, expect, it } from 'vitest';
import { connect } from '../../lib/index';
import { FLOWS_PER_STREAM_MAXIMUM, JOIN_TIMEOUT, JOINS_PER_TIMEOUT } from '../../lib/limits';
import type { Flow } from '../../lib/sal/flow';
import type { SimulatedHost } from '../../lib/sim/simulated-host';
import { milliseconds } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { type SalPacketHeader, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { opened, sink, twoHosts } from './several-paths';

const LINES = [
  { rate: 20, delay: 5 },
  { rate: 20, delay: 10 },
];

/** Twelve addresses where nobody is, or somebody who has nothing to do with it. */
function strangers(random: SeededRandom): NetworkAddress[] {
  const word = (): number => 0xc6336400 | (random.uint32() & 0xff);
  return Array.from({ length: 12 }, () => NetworkAddress.fromWords(4, 1 + (random.uint32() % 60_000), word(), 0, 0, 0));
}

async function attacked(multipath = true) {
  const { world, client, server } = twoHosts(LINES);
  const counted = sink(server);
  const socket = connect('test/sink', { host: client, multipath });
  if (multipath) await opened(socket, world, 2);
  await world.runAsync({ for: milliseconds(500) });
  const of = ({ stack }: SimulatedHost): Flow => [...stack.connections][0]!.flows[0]!;
  return { world, client, server, counted, socket, flows: { client: of(client), server: of(server) } };
}

/** Has the packet arrive at the host as if the peer of `flow` had sent it. */
function forge(to: SimulatedHost, flow: Flow, header: SalPacketHeader): void {
  const bytes = new Uint8Array(600);
  const length = writeSalPacketHeader(bytes, 0, header);
  const { local, remote } = flow.path!;
  const networkInterface = to.interfaces.find(({ addresses }) =>
    addresses.some((each) => each.address.sameIp(local!)),
  )!;
  const packet = {
    serial: 0,
    from: 'attacker',
    source: remote,
    destination: local!.withPort(49_152),
    encapsulated: true,
    bytes: bytes.subarray(0, length),
    damaged: false,
  };
  networkInterface.receive(packet, networkInterface);
}

function listFrom(
  flow: Flow,
  random: SeededRandom,
  forged: Partial<{ nonce: FlowNonce; source: number; destination: number; flags: number; number: number }>,
): SalPacketHeader {
  const nonce = forged.nonce ?? flow.remoteNonce;
  const flags = forged.flags ?? ControlFlag.ack;
  return {
    sourceFlowID: flowID(forged.source ?? flow.remoteFlowID),
    destinationFlowID: flowID(forged.destination ?? flow.localFlowID),
    protocol: 6,
    control: {
      flags,
      controlSequence: flow.control.receiveNext,
      controlAck: flow.control.sendNext,
      nonce,
    },
    addresses: {
      controlSequence: controlSequence(forged.number ?? 1000 + (random.uint32() % 1000)),
      controlAck: controlSequence(random.uint32() % 4),
      addresses: strangers(random),
      flags: random.uint32() & 3,
    },
    addressesKind: 'endpointAddress',
  };
}

const known = ({ stack }: SimulatedHost): unknown =>
  [...stack.connections].flatMap(({ flows }) => flows.map(({ peerAddresses }) => peerAddresses?.map(String)));

describe('lists of addresses from off the path', () => {
  it('have no effect: 10,000 with a wrong nonce or flowID, at both ends, while data runs', async () => {
    const { world, client, server, counted, socket, flows } = await attacked();
    const random = SeededRandom.of(7);
    const before = [known(client), known(server)];
    const sizes = [client.stack.sal.flowTable.size, server.stack.sal.flowTable.size];
    const backups = socket.flows.map(({ backup }) => backup);
    socket.write(Buffer.alloc(2_000_000));
    for (let at = 0; at < 1000; at++) {
      world.in(milliseconds(at), () => {
        for (const [host, flow] of [
          [client, flows.client],
          [server, flows.server],
        ] as const) {
          const nonce = FlowNonce.of(random.uint32(), random.uint32());
          forge(host, flow, listFrom(flow, random, { nonce }));
          forge(host, flow, listFrom(flow, random, { nonce: FlowNonce.of(flow.remoteNonce.high, random.uint32()) }));
          forge(host, flow, listFrom(flow, random, { source: random.uint32() }));
          forge(host, flow, listFrom(flow, random, { destination: random.uint32() }));
          forge(host, flow, { ...listFrom(flow, random, { nonce, flags: ControlFlag.syn }), addresses: undefined });
        }
      });
    }
    await world.runAsync({ for: milliseconds(2000) });
    expect([known(client), known(server)]).toEqual(before);
    expect([client.stack.sal.flowTable.size, server.stack.sal.flowTable.size]).toEqual(sizes);
    expect(socket.flows.map(({ backup }) => backup)).toEqual(backups);
    expect(counted.socket!.flows.length).toBe(2);
    for (const { stack } of [client, server]) {
      expect(stack.sal.counters.value('badNonce')).toBeGreaterThan(3000);
      expect(stack.sal.counters.value('unknownFlow')).toBeGreaterThan(900);
    }
    socket.end();
    await world.runAsync({ until: () => counted.ended });
    expect(counted.bytes).toBe(2_000_000);
  });

  it('from a peer that means ill make us ask a few of them, and keep no more than twelve', async () => {
    const { world, client, flows } = await attacked();
    const random = SeededRandom.of(8);
    const duration = 20_000;
    for (let at = 0; at < duration; at += 2) {
      world.in(milliseconds(at), () => {
        forge(client, flows.client, listFrom(flows.client, random, { number: 10 + at }));
        // Whoever is asked may refuse at once, and make room for the next.
        for (const flow of [...client.stack.sal.flowTable.values()]) {
          if (at % 20 === 0 && flow.isJoining) client.stack.sal.close(flow, 'refused', world.now);
        }
        expect(client.stack.sal.flowTable.size).toBeLessThanOrEqual(FLOWS_PER_STREAM_MAXIMUM);
        expect(flows.client.peerAddresses!.length).toBeLessThanOrEqual(12);
      });
    }
    const before = client.stack.sal.counters.value('joinStarted');
    await world.runAsync({ for: milliseconds(duration) });
    const begun = client.stack.sal.counters.value('joinStarted') - before;
    expect(begun).toBeGreaterThan(0);
    expect(begun).toBeLessThanOrEqual(JOINS_PER_TIMEOUT * (duration / JOIN_TIMEOUT + 1));
  });

  it('make an end that asked for one flow open none', async () => {
    const { world, client, flows } = await attacked(false);
    const random = SeededRandom.of(9);
    for (let at = 0; at < 2000; at += 2) {
      world.in(milliseconds(at), () =>
        forge(client, flows.client, listFrom(flows.client, random, { number: 10 + at })),
      );
    }
    await world.runAsync({ for: milliseconds(3000) });
    expect(client.stack.sal.flowTable.size).toBe(1);
  });
});
