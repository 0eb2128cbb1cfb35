// Two stream transports joined by a network in memory under virtual time: rows are cut into packets, packets
// are lost, delayed and reordered as a seed says, and what arrives at one instant is joined to rows again. Further
// paths between the two, each with a flow of its own, can be added while it runs.

import { SimulatedClock } from '../../lib/sim/clock';
import { type Duration, type Instant, NEVER } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { StreamHandshake } from '../../lib/transport/stream/stream-handshake';
import { FIRST_FLOW, type StreamOptions, StreamTransport } from '../../lib/transport/stream/stream-transport';
import type { Subflow } from '../../lib/transport/stream/subflow';
import { type PathSize, type SegmentSink, TransportSignal } from '../../lib/transport/transport';
import { flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ReceivedBatch } from '../../lib/wire/received-batch';
import { writeBareSalHeader } from '../../lib/wire/sal-header';
import { packetCount, packetLength, writePacket } from '../../lib/wire/train-cutter';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { TransmitBatch } from '../../lib/wire/transmit-batch';
import { createWireErrorCounters } from '../../lib/wire/wire-error';

/** One direction of the network. */
export interface Direction {
  /** One way, milliseconds. */
  delay: number;
  /** Megabits a second of what is behind IP and UDP; unlimited when absent. */
  rate?: number;
  /** Bytes that wait for the rate; unlimited when absent. */
  queue?: number;
  /** Directions of the same line share its rate and its queue. */
  line?: Line;
  loss?: number;
  duplication?: number;
  /** Share of packets that take up to `reorderDelay` longer. */
  reordering?: number;
  reorderDelay?: number;
  /** Larger packets (SAL header and behind) vanish. */
  mtu?: number;
  /** Decides about single packets, before chance does. */
  drop?: (packet: Uint8Array, index: number) => boolean;
}

export interface Line {
  busyUntil: number;
}

export interface PipeOptions {
  /** Several pipes may share one, and lines with it. */
  clock?: SimulatedClock;
  seed?: number;
  forth?: Direction;
  back?: Direction;
  a?: StreamOptions;
  b?: StreamOptions;
  size?: PathSize;
  initialSequences?: readonly [number, number];
}

export const ETHERNET: PathSize = { base: 1160, maximum: 1460 };

const ADDRESS_A = NetworkAddress.parse('192.0.2.1', 1)!;
const ADDRESS_B = NetworkAddress.parse('192.0.2.2', 2)!;
const SLAB_BYTES = 1_048_576;

export class Pipe {
  readonly clock: SimulatedClock;
  readonly a: PipeEnd;
  readonly b: PipeEnd;
  readonly forth: Direction;
  readonly back: Direction;

  private readonly random: SeededRandom;
  private readonly size: PathSize;

  constructor(options: PipeOptions = {}) {
    const random = SeededRandom.of(options.seed ?? 1);
    this.random = random;
    this.clock = options.clock ?? new SimulatedClock(1000 as Instant);
    this.forth = options.forth ?? { delay: 10 };
    this.back = options.back ?? { ...this.forth };
    const [first, second] = options.initialSequences ?? [random.uint32(), random.uint32()];
    const size = options.size ?? ETHERNET;
    this.size = size;
    this.a = new PipeEnd(this.clock, options.a ?? {}, ADDRESS_A, ADDRESS_B);
    this.b = new PipeEnd(this.clock, options.b ?? {}, ADDRESS_B, ADDRESS_A);
    this.connect(this.forth, this.back);
    const client = new StreamHandshake({
      initialSequence: first,
      maximumSegment: size.maximum - 20,
      receiveBuffer: 65_535,
    });
    const server = new StreamHandshake({
      initialSequence: second,
      maximumSegment: size.maximum - 20,
      receiveBuffer: 65_535,
    });
    shakeHands(client, server);
    this.a.establish(client, size);
    this.b.establish(server, size);
  }

  get now(): Instant {
    return this.clock.now();
  }

  /** A further path, which the stream uses from now on. */
  addPath(forth: Direction, back: Direction = { ...forth }, isBackup = false): void {
    this.connect(forth, back);
    const flow = { peerMaximumSegment: this.size.maximum - 20, size: this.size, isBackup };
    for (const end of [this.a, this.b]) {
      end.do((transport, now) => {
        if (!transport.join(flow, now)) throw new Error('a flow of two of our own could not join');
      });
    }
  }

  /** The flow of this number ends, on both ends at once: they agreed on it elsewhere. */
  removePath(number: number): void {
    for (const end of [this.a, this.b]) {
      end.removeWire(number);
      end.do((transport) => transport.leave(number));
    }
  }

  private connect(forth: Direction, back: Direction): void {
    const path = {};
    this.a.addWire(path, new Wire(this.clock, forth, this.random, (packet) => this.b.arrive(packet, path)));
    this.b.addWire(path, new Wire(this.clock, back, this.random, (packet) => this.a.arrive(packet, path)));
  }

  /** Lets `milliseconds` of virtual time pass. */
  run(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (let next = this.clock.nextAt(); next !== undefined && next <= end; next = this.clock.nextAt()) {
      this.clock.step();
    }
    this.clock.advanceTo(end as Instant);
  }

  /** Lets time pass until `done`; false when it is not after `milliseconds`. */
  runUntil(done: () => boolean, milliseconds: number): boolean {
    const end = this.now + milliseconds;
    while (!done()) {
      const next = this.clock.nextAt();
      if (next === undefined || next > end) return false;
      this.clock.step();
    }
    return true;
  }
}

export function shakeHands(client: StreamHandshake, server: StreamHandshake): void {
  const bytes = new Uint8Array(64);
  const accepted =
    server.handleSyn(bytes, 0, client.writeSyn(bytes, 0)) &&
    client.handleSynAck(bytes, 0, server.writeSynAck(bytes, 0)) &&
    server.handleAck(bytes, 0, client.writeAck(bytes, 0));
  if (!accepted) throw new Error('the handshake of two of our own failed');
}

/** One direction: takes packets, and has them arrive. */
class Wire {
  packets = 0;
  dropped = 0;
  private readonly line: Line;
  private readonly random: SeededRandom;

  constructor(
    private readonly clock: SimulatedClock,
    private readonly direction: Direction,
    random: SeededRandom,
    private readonly arrive: (packet: Uint8Array) => void,
  ) {
    this.random = SeededRandom.of(random.uint32());
    this.line = direction.line ?? { busyUntil: 0 };
  }

  send(packet: Uint8Array): void {
    const { direction } = this;
    const index = this.packets++;
    const lost =
      packet.length > (direction.mtu ?? Number.POSITIVE_INFINITY) ||
      direction.drop?.(packet, index) === true ||
      this.chance(direction.loss) ||
      this.isQueueFull(packet.length);
    if (lost) {
      this.dropped++;
      return;
    }
    this.deliver(packet);
    if (this.chance(direction.duplication)) this.deliver(packet);
  }

  private deliver(packet: Uint8Array): void {
    const { direction } = this;
    let at: number = this.clock.now();
    if (direction.rate !== undefined) {
      this.line.busyUntil = Math.max(this.line.busyUntil, at) + (packet.length * 8) / (direction.rate * 1000);
      at = this.line.busyUntil;
    }
    at += direction.delay;
    if (this.chance(direction.reordering)) at += this.random.fraction() * (direction.reorderDelay ?? direction.delay);
    this.clock.schedule(at as Instant, () => this.arrive(packet));
  }

  private isQueueFull(length: number): boolean {
    const { queue, rate } = this.direction;
    if (queue === undefined || rate === undefined) return false;
    const waiting = (Math.max(this.line.busyUntil - this.clock.now(), 0) * rate * 1000) / 8;
    return waiting + length > queue;
  }

  private chance(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.random.fraction() < probability;
  }
}

/** Where one end sends the segments of one flow. */
class FlowEnd implements SegmentSink {
  readonly batch = new TransmitBatch(64);

  constructor(
    /** The same object at both ends. */
    readonly path: object,
    readonly wire: Wire,
    private readonly local: NetworkAddress,
    private readonly remote: NetworkAddress,
  ) {}

  begin(): TransmitBatch | undefined {
    const { batch } = this;
    if (!batch.hasRoom()) return undefined;
    batch.begin(this.remote, this.local);
    batch.headerEnd += writeBareSalHeader(batch.headers, batch.headerEnd, flowID(1), flowID(2), 6);
    return batch;
  }
}

/** One end: a transport, an application that writes and reads, and the driver between. */
export class PipeEnd {
  readonly transport: StreamTransport;
  readonly flow = FIRST_FLOW;
  /** By the number of the flow. */
  private readonly flows: FlowEnd[] = [];
  /** Signals seen so far. */
  signals = 0;
  /** Bytes read, and whether each was the one that should come. */
  bytesRead = 0;
  bytesWrong = 0;
  endedAt: Instant | undefined;
  isReading = true;
  rowsReceived = 0;
  /** Called for each packet that leaves. */
  observe: ((packet: Uint8Array) => void) | undefined;
  private left = 0;
  private written = 0;
  private shutsDown = false;
  private readonly received = new ReceivedBatch(256, Buffer.alloc(0));
  private readonly joiner = new TrainJoiner(createWireErrorCounters());
  private readonly arrived: { readonly packet: Uint8Array; readonly path: object }[] = [];
  /** Where the next packet goes, and what receivers own before it. */
  private slabFree = 0;
  private slabOwned = 0;
  private slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  private wakeAt: Instant = NEVER;
  private isAwake = false;

  constructor(
    private readonly clock: SimulatedClock,
    options: StreamOptions,
    private readonly local: NetworkAddress,
    private readonly remote: NetworkAddress,
  ) {
    this.transport = new StreamTransport(options);
  }

  get wire(): Wire {
    return this.flows[FIRST_FLOW]!.wire;
  }

  addWire(path: object, wire: Wire): void {
    this.flows.push(new FlowEnd(path, wire, this.local, this.remote));
  }

  removeWire(number: number): void {
    this.flows.splice(number, 1);
  }

  establish(handshake: StreamHandshake, size: PathSize): void {
    this.transport.establish(handshake, size, this.clock.now());
    this.settle();
  }

  // ---- the application ----

  /** Writes `bytes` bytes of the pattern as the buffer takes them, and then shuts down if asked. */
  send(bytes: number, thenShutDown = false): void {
    this.left += bytes;
    this.shutsDown ||= thenShutDown;
    this.pump();
    this.settle();
  }

  shutdown(): void {
    this.transport.shutdown(this.clock.now());
    this.settle();
  }

  startReading(): void {
    this.isReading = true;
    this.readAll();
    this.settle();
  }

  get subflow(): Subflow {
    return this.subflowOf(FIRST_FLOW);
  }

  subflowOf(number: number): Subflow {
    return this.transport.subflow(number, this.clock.now())!;
  }

  /** Calls the transport and then does what follows from it. */
  do(action: (transport: StreamTransport, now: Instant) => void): void {
    action(this.transport, this.clock.now());
    this.settle();
  }

  has(signal: number): boolean {
    return (this.signals & signal) !== 0;
  }

  // ---- the driver ----

  arrive(packet: Uint8Array, path: object): void {
    this.arrived.push({ packet, path });
    if (this.isAwake) return;
    this.isAwake = true;
    this.clock.schedule(this.clock.now(), () => this.handleArrived());
  }

  settle(): void {
    const now = this.clock.now();
    for (;;) {
      const signals = this.transport.takeSignals();
      this.signals |= signals;
      if ((signals & TransportSignal.readable) !== 0 && this.isReading) this.readAll();
      if ((signals & TransportSignal.writable) !== 0) this.pump();
      if ((signals & TransportSignal.ended) !== 0) this.endedAt = now;
      if (!this.pollAll(now) && (signals & ~TransportSignal.transmit) === 0) break;
    }
    this.wake();
  }

  private handleArrived(): void {
    this.isAwake = false;
    const now = this.clock.now();
    const packets = this.arrived.splice(0);
    for (const [number, { path }] of this.flows.entries()) {
      this.handlePackets(
        number,
        packets.filter((each) => each.path === path).map(({ packet }) => packet),
        now,
      );
    }
    this.settle();
  }

  private handlePackets(number: number, packets: readonly Uint8Array[], now: Instant): void {
    for (const [index, packet] of packets.entries()) {
      if (index === 0) this.startBatch();
      if (this.slabFree + packet.length > this.slab.length || this.received.count === this.received.capacity) {
        this.handleBatch(number, now);
        this.startBatch(packet.length);
      }
      this.slab.set(packet, this.slabFree);
      this.joiner.append(this.received, this.remote, this.local, 0, this.slabFree, packet.length);
      this.slabFree += packet.length;
    }
    this.handleBatch(number, now);
  }

  private startBatch(room = 65_536): void {
    if (this.slabFree + room > this.slab.length) {
      this.slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.slabFree = 0;
      this.slabOwned = 0;
    }
    this.received.reset();
    this.received.slab = this.slab;
  }

  private handleBatch(number: number, now: Instant): void {
    for (let row = 0; row < this.received.count; row++) {
      this.rowsReceived++;
      this.transport.handleTrain(number, this.received, row, now);
    }
    this.slabOwned = Math.max(this.slabOwned, this.received.retainedEnd);
    this.slabFree = this.slabOwned;
    this.received.reset();
  }

  private pollAll(now: Instant): boolean {
    let any = false;
    for (let more = true; more; ) {
      more = false;
      for (const number of this.transport.transmitOrder()) {
        const flow = this.flows[number];
        if (flow === undefined) continue;
        flow.batch.reset();
        more = this.transport.pollTransmit(number, flow, now) || more;
        any ||= flow.batch.count > 0;
        this.transmit(flow);
      }
    }
    return any;
  }

  private transmit({ batch, wire }: FlowEnd): void {
    for (let row = 0; row < batch.count; row++) {
      for (let index = 0; index < packetCount(batch, row); index++) {
        const packet = new Uint8Array(packetLength(batch, row, index));
        writePacket(batch, row, index, packet, 0);
        this.observe?.(packet);
        wire.send(packet);
      }
    }
  }

  private wake(): void {
    const deadline = this.transport.nextDeadline();
    if (deadline === NEVER || deadline >= this.wakeAt) return;
    const at = Math.max(deadline, this.clock.now()) as Instant;
    this.wakeAt = at;
    this.clock.schedule(at, () => this.handleDeadline(at));
  }

  private handleDeadline(at: Instant): void {
    if (at === this.wakeAt) this.wakeAt = NEVER;
    if (this.transport.nextDeadline() <= at) this.transport.handleDeadline(at);
    this.settle();
  }

  private readAll(): void {
    const now = this.clock.now();
    for (let chunk = this.transport.read(now); chunk !== undefined; chunk = this.transport.read(now)) {
      this.bytesWrong += differences(chunk, this.bytesRead);
      this.bytesRead += chunk.length;
    }
  }

  private pump(): void {
    while (this.left > 0) {
      const chunk = patternFrom(this.written, Math.min(this.left, 65_536));
      const count = this.transport.write(chunk, 0, this.clock.now());
      this.written += count;
      this.left -= count;
      if (count < chunk.length) return;
    }
    if (this.shutsDown) this.transport.shutdown(this.clock.now());
  }
}

/** The byte at each offset of every stream: of a period that no segment size divides. */
const PERIOD = 65_521;
const pattern = Buffer.allocUnsafe(PERIOD * 3);
for (let index = 0; index < pattern.length; index++)
  pattern[index] = ((index % PERIOD) * 167 + ((index % PERIOD) >> 8)) & 0xff;

export function patternFrom(offset: number, length: number): Buffer {
  const start = offset % PERIOD;
  return pattern.subarray(start, start + length);
}

function differences(chunk: Buffer, offset: number): number {
  let wrong = 0;
  for (let at = 0; at < chunk.length; at += 65_536) {
    const part = chunk.subarray(at, at + 65_536);
    if (part.compare(patternFrom(offset + at, part.length)) !== 0) wrong++;
  }
  return wrong;
}

export const milliseconds = (count: number): Duration => count as Duration;
