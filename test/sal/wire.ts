// Two or more SALs joined by a wire without a network: packets are passed on when the test says so, and the
// test may lose, repeat or change them. No transport is involved: handshake segments are two marked bytes.

import type { LocalSocket } from '../../lib/sal/first-packets';
import { Flow, type FlowFailure, type FlowOwner, type SynListener } from '../../lib/sal/flow';
import { HalfOpenFlows } from '../../lib/sal/half-open-flows';
import type { InstanceFailure } from '../../lib/sal/instance-failures';
import type { LinkProperties } from '../../lib/sal/link-properties';
import { ServiceAccessLayer } from '../../lib/sal/service-access-layer';
import { randomNonce, startHandshake } from '../../lib/sal/signaling/handshake';
import type { HandshakeSegments } from '../../lib/sal/signaling/handshake-segments';
import { DEFAULT_RULE_PRIORITY, DEMUX_PRIORITY, type ForwardRule } from '../../lib/table/service-rule';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ReceivedBatch, RowFlag } from '../../lib/wire/received-batch';
import { parseSalPacket, type SalPacket } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { cutTrain } from '../../lib/wire/train-cutter';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { TransmitField } from '../../lib/wire/transmit-batch';
import { createWireErrorCounters } from '../../lib/wire/wire-error';

export const SERVICE = ServiceID.fromHex('5e'.repeat(32))!;

export interface Packet {
  readonly from: NetworkAddress;
  readonly to: NetworkAddress;
  readonly bytes: Buffer;
}

/** What a test sees of a packet: decoded, and valid. */
export function decode(packet: Packet): SalPacket {
  const parsed = parseSalPacket(packet.bytes, 0, packet.bytes.length);
  if (typeof parsed === 'string') throw new Error(`an invalid packet was sent: ${parsed}`);
  return parsed;
}

export class Wire {
  now = 1000 as Instant;
  private readonly nodes: Node[] = [];

  node(ip: string, seed: number, properties: Partial<LinkProperties> = {}): Node {
    const node = new Node(this, NetworkAddress.parse(ip, 4000)!, seed, properties);
    this.nodes.push(node);
    return node;
  }

  /** Passes packets on until no more are sent. `alter` may drop (undefined) or change each. */
  settle(alter: (packet: Packet) => Packet | undefined = (packet) => packet): Packet[] {
    const seen: Packet[] = [];
    for (let round = 0; round < 100; round++) {
      const packets = this.nodes.flatMap((node) => node.takeSent());
      if (packets.length === 0) return seen;
      for (const packet of packets) {
        seen.push(packet);
        const altered = alter(packet);
        if (altered !== undefined) this.deliver(altered);
      }
    }
    throw new Error('the conversation does not end');
  }

  deliver(packet: Packet, flags = 0): void {
    const node = this.nodes.find((each) => each.address.sameIp(packet.to));
    node?.receive(packet, flags);
  }

  deliverBroadcast(packet: Packet): void {
    for (const node of this.nodes) if (!node.address.sameIp(packet.from)) node.receive(packet, RowFlag.broadcast);
  }

  /** Lets time pass; deadlines on the way are met in order. */
  advance(duration: number): void {
    const end = (this.now + duration) as Instant;
    for (;;) {
      const next = Math.min(...this.nodes.map((node) => node.sal.nextDeadline())) as Instant;
      if (next > end) break;
      this.now = Math.max(next, this.now) as Instant;
      for (const node of this.nodes) node.sal.handleDeadline(this.now);
      this.settle();
    }
    this.now = end;
  }
}

export class Node {
  readonly sal: ServiceAccessLayer;
  /** Services of sockets that take nobody for now. */
  readonly withdrawn = new Set<string>();
  readonly delayed: ServiceID[] = [];
  readonly abandoned: ServiceID[] = [];
  readonly failures: InstanceFailure[] = [];
  readonly retried: ServiceID[] = [];
  private readonly counters = createWireErrorCounters();

  constructor(
    private readonly wire: Wire,
    readonly address: NetworkAddress,
    seed: number,
    properties: Partial<LinkProperties>,
  ) {
    this.sal = new ServiceAccessLayer(SeededRandom.of(seed), {
      delayed: (service) => this.delayed.push(service),
      abandoned: (service) => this.abandoned.push(service),
      instanceFailed: (event) => {
        if (event.kind === 'instanceFailed') this.failures.push(event);
        else this.retried.push(event.serviceID);
      },
      isWithdrawn: (service) => this.withdrawn.has(service.toString()),
    });
    this.sal.attachLink({ kind: 'memory', encapsulated: false, role: 'data', mtu: 65_535 });
    this.sal.attachLink({ kind: 'memory', encapsulated: true, role: 'data', mtu: 1500, ...properties });
  }

  forwardTo(to: NetworkAddress, options: Partial<ForwardRule> = {}): void {
    this.sal.serviceTable.addRule(
      {
        action: 'forward',
        prefix: ServicePrefix.any,
        address: to,
        link: 1,
        broadcast: false,
        scope: 'network',
        priority: DEFAULT_RULE_PRIORITY,
        weight: 1,
        ...options,
      },
      this.wire.now,
    );
  }

  listen(limit = 100): FakeListener {
    const listener = new FakeListener(ServicePrefix.of(SERVICE), limit);
    this.bind(listener, 6);
    return listener;
  }

  bind(socket: LocalSocket, protocol: 6 | 17): void {
    const prefix = ServicePrefix.of(SERVICE);
    const rule = { action: 'demux', prefix, protocol, socket, priority: DEMUX_PRIORITY, weight: 1 } as const;
    this.sal.serviceTable.addRule(rule, this.wire.now);
  }

  connect(options: { readonly via?: readonly NetworkAddress[] } = {}): {
    flow: Flow;
    owner: FakeOwner;
    outcome: string;
  } {
    const flow = new Flow(randomNonce(this.sal), this.sal.random.uint32(), 6, new FakeSegments());
    const owner = new FakeOwner();
    flow.owner = owner;
    flow.service = SERVICE;
    flow.via = options.via;
    return { flow, owner, outcome: startHandshake(this.sal, flow, undefined, this.wire.now) };
  }

  takeSent(): Packet[] {
    const packets: Packet[] = [];
    this.sal.pollTransmit();
    const { batch } = this.sal.links.at(1);
    const scratch = new Uint8Array(70_000);
    for (let row = 0; row < batch.count; row++) {
      const at = (field: number): number => batch.field(row, TransmitField.destinationFamilyPort + field);
      const to = NetworkAddress.fromWords(at(0) >>> 16 === 6 ? 6 : 4, at(0) & 0xffff, at(1), at(2), at(3), at(4));
      cutTrain(batch, row, scratch, (bytes) => packets.push({ from: this.address, to, bytes: Buffer.from(bytes) }));
    }
    batch.reset();
    return packets;
  }

  receive(packet: Packet, flags: number): void {
    const batch = new ReceivedBatch(4, Buffer.from(packet.bytes));
    new TrainJoiner(this.counters).append(batch, packet.from, packet.to, flags, 0, packet.bytes.length);
    this.sal.handleReceived(1, batch, this.wire.now);
  }
}

/** Handshake segments of two bytes: a kind and a check. */
export class FakeSegments implements HandshakeSegments {
  writeSyn = (bytes: Uint8Array, at: number): number => write(bytes, at, 1);
  writeSynAck = (bytes: Uint8Array, at: number): number => write(bytes, at, 2);
  writeAck = (bytes: Uint8Array, at: number): number => write(bytes, at, 3);
  handleSyn = (bytes: Uint8Array, offset: number, length: number): boolean => is(bytes, offset, length, 1);
  handleSynAck = (bytes: Uint8Array, offset: number, length: number): boolean => is(bytes, offset, length, 2);
  handleAck = (bytes: Uint8Array, offset: number, length: number): boolean => is(bytes, offset, length, 3);
}

function write(bytes: Uint8Array, at: number, kind: number): number {
  bytes[at] = kind;
  bytes[at + 1] = 0xa5;
  return 2;
}

function is(bytes: Uint8Array, offset: number, length: number, kind: number): boolean {
  return length === 2 && bytes[offset] === kind && bytes[offset + 1] === 0xa5;
}

export class FakeOwner implements FlowOwner {
  readonly told: string[] = [];
  failure: FlowFailure | undefined;

  flowConnected(): void {
    this.told.push('connected');
  }

  flowTrain(): void {
    this.told.push('train');
  }

  flowMessage(): void {
    this.told.push('message');
  }

  flowFinished(): void {
    this.told.push('finished');
  }

  flowMigrating(): void {
    this.told.push('migrating');
  }

  flowMigrated(): void {
    this.told.push('migrated');
  }

  flowRenewed(): void {
    this.told.push('renewed');
  }

  flowReverted(): void {
    this.told.push('reverted');
  }

  flowMigrationFailed(): void {
    this.told.push('migrationFailed');
  }

  flowClosed(_flow: Flow, failure: FlowFailure | undefined): void {
    this.failure = failure;
    this.told.push('closed');
  }
}

export class FakeListener implements LocalSocket, SynListener {
  readonly halfOpen = new HalfOpenFlows(SeededRandom.of(3));
  readonly accepted: { flow: Flow; owner: FakeOwner }[] = [];
  readonly synListener: SynListener = this;
  /** Connections that may still come. */
  places = Number.POSITIVE_INFINITY;

  constructor(
    readonly prefix: ServicePrefix,
    private readonly limit: number,
  ) {}

  get isFull(): boolean {
    return this.halfOpen.size >= this.places;
  }

  get hasRoom(): boolean {
    return this.halfOpen.size < this.limit;
  }

  createSegments(): HandshakeSegments {
    return new FakeSegments();
  }

  accept(flow: Flow): FlowOwner {
    const owner = new FakeOwner();
    this.accepted.push({ flow, owner });
    return owner;
  }
}
