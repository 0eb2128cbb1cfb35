// Kernels, segments and routes, with raw packets and no stack.

import { describe, expect, it } from 'vitest';
import { Corruption } from '../../lib/sim/elements/corruption';
import { Delay } from '../../lib/sim/elements/delay';
import { Mtu } from '../../lib/sim/elements/mtu';
import { SimulatedNetwork } from '../../lib/sim/network';
import type { NetworkElement } from '../../lib/sim/network-element';
import { summarize } from '../../lib/sim/packet-summary';
import { path } from '../../lib/sim/path';
import type { PortHandler, SimulatedKernel } from '../../lib/sim/simulated-kernel';
import type { SimulatedPacket } from '../../lib/sim/simulated-packet';
import { milliseconds } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';

const PORT = 54325;

/** Notes what arrives at a port. */
class Recorder implements PortHandler {
  readonly lines: string[] = [];

  received(packet: { source: NetworkAddress; bytes: Uint8Array }, local: NetworkAddress, broadcast: boolean): void {
    this.lines.push(`${packet.source} > ${local}${broadcast ? ' broadcast' : ''} ${packet.bytes.length}`);
  }

  packetTooBig(address: NetworkAddress, mtu: number): void {
    this.lines.push(`too big ${address} ${mtu}`);
  }

  unreachable(address: NetworkAddress): void {
    this.lines.push(`unreachable ${address}`);
  }
}

function recordAt(kernel: SimulatedKernel, port = PORT): string[] {
  const recorder = new Recorder();
  kernel.bind(port, recorder);
  return recorder.lines;
}

function run(network: SimulatedNetwork): void {
  while (network.clock.step());
}

const ip = (text: string, port = PORT): NetworkAddress => NetworkAddress.parse(text, port)!;
const bytes = (length: number): Uint8Array => new Uint8Array(length);

describe('two hosts on a wire', () => {
  const wire = (...elements: NetworkElement[]) => {
    const network = new SimulatedNetwork(SeededRandom.of(1));
    const [a, b] = [network.kernel('a'), network.kernel('b')];
    network.connect(a, b, path(...elements));
    return { network, a, b };
  };

  it('carries IPv4 and IPv6 both ways', () => {
    const { network, a, b } = wire(new Delay(milliseconds(10)));
    const [atA, atB] = [recordAt(a), recordAt(b)];
    a.send(PORT, ip('10.1.0.2'), undefined, bytes(100));
    b.send(PORT, ip('fd00:0:0:1::1'), undefined, bytes(50));
    run(network);
    expect(atB).toEqual(['10.1.0.1:54325 > 10.1.0.2:54325 100']);
    expect(atA).toEqual(['[fd00:0:0:1::2]:54325 > [fd00:0:0:1::1]:54325 50']);
    expect(network.clock.now()).toBe(10);
  });

  it('tells the sender that nobody has the port', () => {
    const { network, a } = wire();
    const atA = recordAt(a);
    a.send(PORT, ip('10.1.0.2', 7), undefined, bytes(100));
    run(network);
    expect(atA).toEqual(['unreachable 10.1.0.2:7']);
  });

  it('tells the sender of a packet larger than its interface, and of one larger than a hop', () => {
    const { network, a, b } = wire(new Mtu(1280, false));
    const [atA, atB] = [recordAt(a), recordAt(b)];
    a.send(PORT, ip('10.1.0.2'), undefined, bytes(1500 - 27));
    a.send(PORT, ip('10.1.0.2'), undefined, bytes(1500 - 28));
    a.send(PORT, ip('10.1.0.2'), undefined, bytes(1280 - 28));
    run(network);
    expect(atA.sort()).toEqual(['too big 10.1.0.2:54325 1280', 'too big 10.1.0.2:54325 1500']);
    expect(atB).toEqual(['10.1.0.1:54325 > 10.1.0.2:54325 1252']);
  });

  it('finds damage by the UDP checksum, and lets a raw packet through with it', () => {
    const { network, a, b } = wire(new Corruption(1, 'bit'));
    const [atB, rawAtB] = [recordAt(b), recordAt(b, 0)];
    a.send(PORT, ip('10.1.0.2'), undefined, bytes(100));
    a.send(0, ip('10.1.0.2', 0), undefined, bytes(100));
    run(network);
    expect(atB).toEqual([]);
    expect(rawAtB).toEqual(['10.1.0.1 > 10.1.0.2 100']);
    expect(network.trace.counts.get('dropped: bad UDP checksum')).toBe(1);
  });

  it('carries nothing over an interface that is down at either end', () => {
    const { network, a, b } = wire(new Delay(milliseconds(10)));
    const atB = recordAt(b);
    a.send(PORT, ip('10.1.0.2'), undefined, bytes(1));
    b.networkInterfaces[0]!.down();
    run(network);
    a.networkInterfaces[0]!.down();
    a.send(PORT, ip('10.1.0.2'), undefined, bytes(1));
    run(network);
    expect(atB).toEqual([]);
    expect(a.describe()).toEqual([]);
  });

  it('delivers to an address only while the host has it', () => {
    const { network, a, b } = wire(new Delay(milliseconds(10)));
    const atB = recordAt(b);
    const [eth0] = b.networkInterfaces;
    a.send(PORT, ip('10.1.0.2'), undefined, bytes(1));
    eth0!.renumber([{ address: ip('10.1.0.77', 0), prefixBits: 16 }]);
    a.send(PORT, ip('10.1.0.77'), undefined, bytes(2));
    run(network);
    expect(atB).toEqual(['10.1.0.1:54325 > 10.1.0.77:54325 2']);
  });
});

describe('a LAN', () => {
  const lan = (count: number) => {
    const network = new SimulatedNetwork(SeededRandom.of(1));
    const kernels = Array.from({ length: count }, (_, index) => network.kernel(`h${index + 1}`));
    for (const kernel of kernels) network.plug(kernel, network.segment('lan'));
    return { network, kernels };
  };

  it('carries a broadcast to every host, its sender included, and a unicast to one', () => {
    const { network, kernels } = lan(3);
    const lines = kernels.map((kernel) => recordAt(kernel));
    kernels[0]!.send(PORT, ip('10.1.255.255'), undefined, bytes(9));
    kernels[0]!.send(PORT, ip('ff02::1'), undefined, bytes(8));
    kernels[0]!.send(PORT, ip('10.1.0.3'), undefined, bytes(7));
    run(network);
    expect(lines[1]).toEqual([
      '10.1.0.1:54325 > 10.1.0.2:54325 broadcast 9',
      '[fd00:0:0:1::1]:54325 > [fd00:0:0:1::2]:54325 broadcast 8',
    ]);
    expect(lines[2]!.length).toBe(3);
    expect(lines[0]!.length).toBe(2);
  });

  it('does not answer a broadcast to a port that nobody has', () => {
    const { network, kernels } = lan(2);
    const lines = recordAt(kernels[0]!, 1);
    kernels[0]!.send(1, ip('10.1.255.255'), undefined, bytes(9));
    run(network);
    expect(lines).toEqual([]);
  });

  it('is cut by a partition, one way or both, and healed', () => {
    const { network, kernels } = lan(3);
    const lines = kernels.map((kernel) => recordAt(kernel));
    network.partition.block('h1', 'h2');
    kernels[0]!.send(PORT, ip('10.1.0.2'), undefined, bytes(1));
    kernels[1]!.send(PORT, ip('10.1.0.1'), undefined, bytes(2));
    run(network);
    expect(lines).toEqual([['10.1.0.2:54325 > 10.1.0.1:54325 2'], [], []]);
    network.partition.separate(['h1', 'h2'], ['h3']);
    kernels[2]!.send(PORT, ip('10.1.255.255'), undefined, bytes(3));
    run(network);
    expect(lines.map((each) => each.length)).toEqual([1, 0, 1]);
    network.partition.heal();
    kernels[0]!.send(PORT, ip('10.1.0.2'), undefined, bytes(4));
    run(network);
    expect(lines[1]!.length).toBe(1);
  });

  it('reaches a joined segment by unicast, not by broadcast', () => {
    const { network, kernels } = lan(1);
    const far = network.kernel('far');
    network.plug(far, network.segment('other'));
    const join = path(new Delay(milliseconds(30)), new Mtu(1280, false));
    network.segment('lan').join(network.segment('other'), join);
    const [near, atFar] = [recordAt(kernels[0]!), recordAt(far)];
    kernels[0]!.send(PORT, ip('10.2.0.1'), undefined, bytes(5));
    kernels[0]!.send(PORT, ip('10.1.255.255'), undefined, bytes(6));
    far.send(PORT, ip('10.1.0.1'), undefined, bytes(1400));
    run(network);
    expect(atFar).toEqual(['10.1.0.1:54325 > 10.2.0.1:54325 5', 'too big 10.1.0.1:54325 1280']);
    expect(near).toEqual(['10.1.0.1:54325 > 10.1.0.1:54325 broadcast 6']);
    expect(network.clock.now()).toBeGreaterThanOrEqual(30);
  });
});

describe('a host with two interfaces', () => {
  it('sends from the interface of the source address, or of the destination', () => {
    const network = new SimulatedNetwork(SeededRandom.of(1));
    const [a, b] = [network.kernel('a'), network.kernel('b')];
    network.connect(a, b, path());
    network.connect(a, b, path());
    const atB = recordAt(b);
    a.send(PORT, ip('10.2.0.2'), undefined, bytes(1));
    a.send(PORT, ip('10.1.0.2'), ip('10.1.0.1', 0), bytes(2));
    a.send(PORT, ip('10.9.0.2'), undefined, bytes(3));
    run(network);
    expect(atB).toEqual(['10.2.0.1:54325 > 10.2.0.2:54325 1', '10.1.0.1:54325 > 10.1.0.2:54325 2']);
    expect(network.trace.counts.get('dropped: no route')).toBe(1);
  });

  it('reaches itself by its own addresses', () => {
    const network = new SimulatedNetwork(SeededRandom.of(1));
    const a = network.kernel('a');
    network.plug(a, network.segment('lan'));
    const atA = recordAt(a);
    a.send(PORT, ip('10.1.0.1'), undefined, bytes(1));
    a.send(PORT, ip('127.0.0.1'), undefined, bytes(2));
    run(network);
    expect(atA).toEqual(['10.1.0.1:54325 > 10.1.0.1:54325 1', '127.0.0.1:54325 > 127.0.0.1:54325 2']);
  });
});

describe('the trace', () => {
  it('tells where every packet went, and keeps no more than its capacity', () => {
    const network = new SimulatedNetwork(SeededRandom.of(1));
    const [a, b] = [network.kernel('a'), network.kernel('b')];
    network.connect(a, b, path());
    recordAt(b);
    for (let index = 0; index < 2000; index++) a.send(PORT, ip('10.1.0.2'), undefined, bytes(1));
    run(network);
    expect(network.trace.entries.length).toBe(network.trace.capacity);
    expect(network.trace.counts.get('sent')).toBe(2000);
    expect(network.trace.counts.get('received')).toBe(2000);
    expect(network.trace.format(1)).toMatch(
      /b {6}received #2000 10\.1\.0\.1:54325 > 10\.1\.0\.2:54325 29B truncated: 00/,
    );
  });

  it('says what a packet says', () => {
    const syn =
      '000000020000000011063481' +
      '10148000bde10e3300000000a1906e4267d08684' +
      `2024000000004001${'0'.repeat(56)}` +
      '00000000b295f8ca0000000070020000c3300000020405a801030301';
    const packet = { ...PACKET, bytes: Uint8Array.from(Buffer.from(syn, 'hex')) };
    expect(summarize(packet)).toBe('2>0 syn bde10e33/0 to 00004001 tcp syn seq 2996173002+0 ack 0 win 0');
    expect(summarize({ ...packet, bytes: packet.bytes.slice(0, 40), damaged: true })).toMatch(
      /^damaged truncated: 0000/,
    );
    expect(summarize({ ...PACKET, report: { kind: 'packetTooBig', about: ip('10.1.0.2'), mtu: 1280 } })).toBe(
      'packetTooBig 10.1.0.2:54325',
    );
  });
});

const PACKET: SimulatedPacket = {
  serial: 1,
  from: 'a',
  source: ip('10.1.0.1'),
  destination: ip('10.1.0.2'),
  encapsulated: true,
  bytes: bytes(0),
  damaged: false,
};
