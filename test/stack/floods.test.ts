// Many packets of one kind: what a peer can fill has a bound, and who was there before goes on (§3.2; reliability
// S1, S5, S9, S10).

import { describe, expect, it } from 'vitest';
import type { StreamHandle } from '../../lib/driver/handles';
import {
  DATAGRAM_PEERS_MAXIMUM,
  DATAGRAM_QUEUE_MAXIMUM,
  DELAYED_PER_SERVICE,
  DELAYED_PER_SOURCE,
  DELAYED_TOTAL,
  HALF_OPEN_MAXIMUM,
  HALF_OPEN_TIMEOUT,
} from '../../lib/limits';
import type { Flow } from '../../lib/sal/flow';
import { FlowTable } from '../../lib/table/flow-table';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ReceivedBatch } from '../../lib/wire/received-batch';
import { sealSalHeader } from '../../lib/wire/sal-header';
import { parseSalPacket, type SalPacket, type SalPacketHeader, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { writeUdpHeader } from '../../lib/wire/udp-header';
import { createWireErrorCounters } from '../../lib/wire/wire-error';
import { AttackedHost, Clock } from './attacked-host';
import { HonestEnd, SILENT } from './honest-end';

const SERVICE = ServiceID.fromHex('1'.repeat(64))!;
const PREFIX = ServicePrefix.of(SERVICE);
const address = (ip: string, port = 4000): NetworkAddress => NetworkAddress.parse(ip, port)!;

/** A server and an honest client with one connection; a flooder with its own packets. */
class Scene {
  readonly clock = new Clock();
  readonly server = new AttackedHost(this.clock, address('10.0.0.1'), 1);
  readonly client = new AttackedHost(this.clock, address('10.0.0.2'), 2);
  readonly random = SeededRandom.of(3);
  readonly ends: HonestEnd[] = [];
  private readonly bytes = Buffer.alloc(1024);
  private readonly batch = new ReceivedBatch(256, Buffer.alloc(65_536));
  private readonly joiner = new TrainJoiner(createWireErrorCounters());
  private filled = 0;

  listenAndConnect(): void {
    this.client.forward(SERVICE, this.server.address);
    this.server.sockets.listen(PREFIX, {}, { connection: (handle) => this.addEnd(handle) });
    this.connect();
  }

  connect(): HonestEnd {
    const end = this.addEnd(this.client.sockets.connect(SERVICE, {}, SILENT));
    this.settle();
    return end;
  }

  /** Queues a packet of the flooder; 256 make one burst. */
  flood(header: SalPacketHeader, from: NetworkAddress, writeTransport?: (bytes: Buffer, at: number) => number): void {
    const { batch, bytes } = this;
    let end = writeSalPacketHeader(bytes, 0, header);
    if (writeTransport !== undefined) end += writeTransport(bytes, end);
    if (batch.count === batch.capacity || this.filled + end > batch.slab.length) this.burst();
    bytes.copy(batch.slab, this.filled, 0, end);
    this.joiner.append(batch, from, this.server.address, 0, this.filled, end);
    this.filled += end;
  }

  burst(): void {
    this.server.driver.received(1, this.batch);
    this.batch.reset();
    this.filled = 0;
  }

  /** Passes on what the honest say. Returns what went elsewhere. */
  settle(): number {
    let elsewhere = 0;
    for (;;) {
      this.server.turn();
      this.client.turn();
      const packets = [...this.server.takeSent(), ...this.client.takeSent()];
      if (packets.length === 0) return elsewhere;
      for (const { from, to, bytes } of packets) {
        if (to.equals(this.server.address)) this.server.receive(bytes, from, to, 0);
        else if (to.equals(this.client.address)) this.client.receive(bytes, from, to, 0);
        else elsewhere++;
      }
    }
  }

  advance(duration: number): void {
    const end = (this.clock.now + duration) as Instant;
    for (;;) {
      const next = Math.min(this.server.nextDeadline, this.client.nextDeadline) as Instant;
      if (next > end) break;
      this.clock.now = Math.max(next, this.clock.now) as Instant;
      this.settle();
    }
    this.clock.now = end;
  }

  randomAddress(): NetworkAddress {
    return NetworkAddress.fromWords(
      4,
      1 + (this.random.uint32() % 65_535),
      0x0b00_0000 | (this.random.uint32() >>> 8),
      0,
      0,
      0,
    );
  }

  syn(protocol: 6 | 17, service = SERVICE): SalPacketHeader {
    return {
      sourceFlowID: flowID(this.random.uint32()),
      destinationFlowID: flowID(0),
      protocol,
      control: this.control(ControlFlag.syn),
      destinationService: service,
    };
  }

  control(flags: number): NonNullable<SalPacketHeader['control']> {
    const word = (): number => this.random.uint32();
    return {
      flags,
      controlSequence: controlSequence(word()),
      controlAck: controlSequence(word()),
      nonce: FlowNonce.of(word(), word()),
    };
  }

  count(name: string): number {
    return this.server.stack.sal.counters.value(name);
  }

  private addEnd(handle: StreamHandle): HonestEnd {
    const end = new HonestEnd(handle, 0);
    this.ends.push(end);
    return end;
  }
}

/** A SAL header with CONTROL; the nonce stands at its end. */
const GUESS_BYTES = 32;

const tcpSyn = (bytes: Buffer, at: number): number =>
  writeTcpHeader(bytes, at, { sequence: 1, acknowledgment: 0, flags: TcpFlag.syn, window: 1000 });
const udp = (bytes: Buffer, at: number): number => writeUdpHeader(bytes, at, 0);

describe('floods', () => {
  it('100,000 SYNs from anywhere: bounded, the established go on, and others connect afterwards', () => {
    const scene = new Scene();
    scene.listenAndConnect();
    const [client, server] = scene.ends as [HonestEnd, HonestEnd];
    const { sal } = scene.server.stack;
    const sizes: number[] = [];
    let answers = 0;
    for (let count = 1; count <= 100_000; count++) {
      scene.flood(scene.syn(6), scene.randomAddress(), tcpSyn);
      if (count % 1000 !== 0) continue;
      scene.burst();
      client.write(500);
      server.write(500);
      answers += scene.settle();
      sizes.push(sal.flowTable.size);
      scene.advance(1);
    }
    expect(Math.max(...sizes)).toBe(HALF_OPEN_MAXIMUM + 1);
    expect(answers).toBe(HALF_OPEN_MAXIMUM);
    expect(scene.count('synBacklogFull')).toBe(100_000 - HALF_OPEN_MAXIMUM);
    expect([client.read, server.read, client.failure, server.failure]).toEqual([50_000, 50_000, '', '']);
    const late = scene.connect();
    expect(late.isConnected).toBe(false);
    scene.advance(HALF_OPEN_TIMEOUT);
    expect(late.isConnected).toBe(true);
    // Its SYN took the place of one that nobody completed; the rest has gone by itself.
    expect(scene.count('halfOpenOverflow')).toBe(1);
    scene.advance(1000);
    expect(sal.flowTable.size).toBe(2);
  });

  it('1,000,000 RST, FIN and ACK with all but the nonce right: none is taken, none is answered', () => {
    const scene = new Scene();
    scene.listenAndConnect();
    const [client, server] = scene.ends as [HonestEnd, HonestEnd];
    const [flow] = scene.server.stack.sal.flowTable.values();
    const { localFlowID, remoteFlowID, control: channel } = flow!;
    const flags = [ControlFlag.rst, ControlFlag.rst | ControlFlag.ack, ControlFlag.fin, ControlFlag.ack];
    const numbers = { controlSequence: channel.receiveNext, controlAck: channel.sendNext };
    const base = { sourceFlowID: remoteFlowID, destinationFlowID: localFlowID, protocol: 6 };
    // One burst of 200, filled with other nonces again and again.
    const slab = Buffer.alloc(200 * GUESS_BYTES);
    const batch = new ReceivedBatch(200, slab);
    for (let at = 0; at < slab.length; at += GUESS_BYTES) {
      const control = { flags: flags[(at / GUESS_BYTES) & 3]!, ...numbers, nonce: FlowNonce.zero };
      writeSalPacketHeader(slab, at, { ...base, control });
      const { client: from, server: to } = scene;
      new TrainJoiner(createWireErrorCounters()).append(batch, from.address, to.address, 0, at, GUESS_BYTES);
    }
    for (let round = 0; round < 5000; round++) {
      for (let end = GUESS_BYTES; end <= slab.length; end += GUESS_BYTES) {
        slab.writeInt32LE(scene.random.uint32() | 0, end - 8);
        slab.writeInt32LE(scene.random.uint32() | 0, end - 4);
        sealSalHeader(slab, end - GUESS_BYTES);
      }
      scene.server.driver.received(1, batch);
    }
    expect(scene.count('badNonce')).toBe(1_000_000);
    expect(scene.server.takeSent()).toEqual([]);
    expect(flow!.state).toBe('connected');
    client.write(1000);
    server.write(1000);
    scene.settle();
    expect([client.read, server.read]).toEqual([1000, 1000]);
  });
});

describe('bounds of what a peer can fill', () => {
  it('the flow table: SYNs are dropped when it is full', () => {
    const scene = new Scene();
    Object.assign(scene.server.stack.sal, { flowTable: new FlowTable<Flow>(10) });
    scene.listenAndConnect();
    for (let count = 0; count < 100; count++) scene.flood(scene.syn(6), scene.randomAddress(), tcpSyn);
    scene.burst();
    expect(scene.server.stack.sal.flowTable.size).toBe(10);
    expect(scene.count('flowTableFull')).toBe(91);
  });

  it('datagrams that wait for the application', () => {
    const { server, clock } = new Scene();
    const endpoint = server.stack.openDatagram(PREFIX, clock.now)!;
    const header = { sourceFlowID: flowID(1), destinationFlowID: flowID(0), protocol: 17 };
    const bytes = Buffer.alloc(256);
    const end = writeSalPacketHeader(bytes, 0, { ...header, destinationService: SERVICE, sourceService: SERVICE });
    const length = end + writeUdpHeader(bytes, end, 0);
    const batch = new ReceivedBatch(1, bytes);
    new TrainJoiner(createWireErrorCounters()).append(batch, address('10.0.0.9'), server.address, 0, 0, length);
    for (let count = 0; count < DATAGRAM_QUEUE_MAXIMUM + 10; count++) {
      server.stack.handleReceived(1, batch, clock.now);
    }
    expect(server.stack.sal.counters.value('datagramQueueFull')).toBe(10);
    let read = 0;
    while (endpoint.read(() => read++));
    expect(read).toBe(DATAGRAM_QUEUE_MAXIMUM);
  });

  it('peers of a datagram socket: the one that was silent longest makes room, and is told', () => {
    const scene = new Scene();
    const { server } = scene;
    const ignore = { message() {}, connected() {}, failed() {}, closed() {} };
    server.sockets.openDatagram(PREFIX, ignore);
    const accepted = Array.from({ length: DATAGRAM_PEERS_MAXIMUM }, () => handshake(scene));
    const [first, second] = accepted as [Peer, Peer];
    speak(scene, first);
    handshake(scene);
    expect(server.stack.sal.flowTable.size).toBe(DATAGRAM_PEERS_MAXIMUM);
    expect(server.stack.sal.flowTable.get(first.answer.sourceFlowID)?.state).toBe('connected');
    expect(server.stack.sal.flowTable.get(second.answer.sourceFlowID)).toBe(undefined);
  });

  it('packets behind a DELAY rule: for one service, from one source, in all', () => {
    const scene = new Scene();
    const { driver, stack } = scene.server;
    driver.command({ kind: 'addRule', rule: { action: 'delay', prefix: ServicePrefix.any, priority: 1, weight: 1 } });
    const anyService = (): ServiceID => ServiceID.fromWords(Array.from({ length: 8 }, () => scene.random.uint32()));
    const fill = (from: () => NetworkAddress, service: () => ServiceID): number => {
      for (let count = 0; count < 3000; count++) scene.flood(scene.syn(6, service()), from(), tcpSyn);
      scene.burst();
      const { waiting } = stack.sal.firstPackets.delayed;
      driver.command({ kind: 'discardDelayed', prefix: ServicePrefix.any });
      return waiting;
    };
    const random = (): NetworkAddress => scene.randomAddress();
    expect(fill(random, () => SERVICE)).toBe(DELAYED_PER_SERVICE);
    expect(fill(() => address('10.0.0.9'), anyService)).toBe(DELAYED_PER_SOURCE);
    expect(fill(random, anyService)).toBe(DELAYED_TOTAL);
    expect(stack.sal.firstPackets.delayed.waiting).toBe(0);
  });
});

interface Peer {
  readonly from: NetworkAddress;
  readonly answer: SalPacket;
}

/** A datagram handshake of a real peer. */
function handshake(scene: Scene): Peer {
  const from = scene.randomAddress();
  const syn = scene.syn(17);
  scene.flood(syn, from, udp);
  scene.burst();
  const [synAck] = scene.server.takeSent();
  const answer = parseSalPacket(synAck!.bytes, 0, synAck!.bytes.length) as SalPacket;
  const control = {
    flags: ControlFlag.ack,
    controlSequence: controlSequence(syn.control!.controlSequence + 1),
    controlAck: controlSequence(answer.control!.controlSequence + 1),
    nonce: syn.control!.nonce,
  };
  scene.flood({ ...syn, destinationFlowID: answer.sourceFlowID, control }, from, udp);
  scene.burst();
  scene.server.takeSent();
  return { from, answer };
}

function speak(scene: Scene, { from, answer }: Peer): void {
  const { sourceFlowID: destinationFlowID, destinationFlowID: sourceFlowID } = answer;
  scene.flood({ sourceFlowID, destinationFlowID, protocol: 17 }, from, udp);
  scene.burst();
}
