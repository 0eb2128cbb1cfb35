// Two stream transports joined by a network in memory under virtual time: rows are cut into packets, packets
// are lost, delayed and reordered as a seed says, and what arrives at one instant is joined to rows again.

import { SimulatedClock } from '../../lib/sim/clock';
import { type Duration, type Instant, NEVER } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { StreamHandshake } from '../../lib/transport/stream/stream-handshake';
import { type StreamOptions, StreamTransport } from '../../lib/transport/stream/stream-transport';
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

export interface PipeOptions {
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
  readonly clock = new SimulatedClock(1000 as Instant);
  readonly a: PipeEnd;
  readonly b: PipeEnd;
  readonly forth: Direction;
  readonly back: Direction;

  constructor(options: PipeOptions = {}) {
    const random = SeededRandom.of(options.seed ?? 1);
    this.forth = options.forth ?? { delay: 10 };
    this.back = options.back ?? { ...this.forth };
    const [first, second] = options.initialSequences ?? [random.uint32(), random.uint32()];
    const size = options.size ?? ETHERNET;
    this.a = new PipeEnd(this.clock, options.a ?? {}, ADDRESS_A, ADDRESS_B);
    this.b = new PipeEnd(this.clock, options.b ?? {}, ADDRESS_B, ADDRESS_A);
    this.a.sendTo(new Wire(this.clock, this.forth, random, this.b));
    this.b.sendTo(new Wire(this.clock, this.back, random, this.a));
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
  private busyUntil = 0;
  private readonly random: SeededRandom;

  constructor(
    private readonly clock: SimulatedClock,
    private readonly direction: Direction,
    random: SeededRandom,
    private readonly to: PipeEnd,
  ) {
    this.random = SeededRandom.of(random.uint32());
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
      this.busyUntil = Math.max(this.busyUntil, at) + (packet.length * 8) / (direction.rate * 1000);
      at = this.busyUntil;
    }
    at += direction.delay;
    if (this.chance(direction.reordering)) at += this.random.fraction() * (direction.reorderDelay ?? direction.delay);
    this.clock.schedule(at as Instant, () => this.to.arrive(packet));
  }

  private isQueueFull(length: number): boolean {
    const { queue, rate } = this.direction;
    if (queue === undefined || rate === undefined) return false;
    const waiting = (Math.max(this.busyUntil - this.clock.now(), 0) * rate * 1000) / 8;
    return waiting + length > queue;
  }

  private chance(probability: number | undefined): boolean {
    return probability !== undefined && probability > 0 && this.random.fraction() < probability;
  }
}

/** One end: a transport, an application that writes and reads, and the driver between. */
export class PipeEnd implements SegmentSink {
  readonly transport: StreamTransport;
  flow!: number;
  wire!: Wire;
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
  private readonly transmit = new TransmitBatch(64);
  private readonly received = new ReceivedBatch(256, Buffer.alloc(0));
  private readonly joiner = new TrainJoiner(createWireErrorCounters());
  private readonly arrived: Uint8Array[] = [];
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

  sendTo(wire: Wire): void {
    this.wire = wire;
  }

  establish(handshake: StreamHandshake, size: PathSize): void {
    this.flow = this.transport.establish(handshake, size, this.clock.now());
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
    return this.transport.subflow(this.flow, this.clock.now())!;
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

  arrive(packet: Uint8Array): void {
    this.arrived.push(packet);
    if (this.isAwake) return;
    this.isAwake = true;
    this.clock.schedule(this.clock.now(), () => this.handleArrived());
  }

  begin(): TransmitBatch | undefined {
    if (!this.transmit.hasRoom()) return undefined;
    this.transmit.begin(this.remote, this.local);
    const { headers, headerEnd } = this.transmit;
    this.transmit.headerEnd += writeBareSalHeader(headers, headerEnd, flowID(1), flowID(2), 6);
    return this.transmit;
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
    for (const [index, packet] of packets.entries()) {
      if (index === 0) this.startBatch();
      if (this.slabFree + packet.length > this.slab.length || this.received.count === this.received.capacity) {
        this.handleBatch(now);
        this.startBatch(packet.length);
      }
      this.slab.set(packet, this.slabFree);
      this.joiner.append(this.received, this.remote, this.local, 0, this.slabFree, packet.length);
      this.slabFree += packet.length;
    }
    this.handleBatch(now);
    this.settle();
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

  private handleBatch(now: Instant): void {
    for (let row = 0; row < this.received.count; row++) {
      this.rowsReceived++;
      this.transport.handleTrain(this.flow, this.received, row, now);
    }
    this.slabOwned = Math.max(this.slabOwned, this.received.retainedEnd);
    this.slabFree = this.slabOwned;
    this.received.reset();
  }

  private pollAll(now: Instant): boolean {
    let any = false;
    for (;;) {
      this.transmit.reset();
      const more = this.transport.pollTransmit(this.flow, this, now);
      for (let row = 0; row < this.transmit.count; row++) {
        for (let index = 0; index < packetCount(this.transmit, row); index++) {
          const packet = new Uint8Array(packetLength(this.transmit, row, index));
          writePacket(this.transmit, row, index, packet, 0);
          this.observe?.(packet);
          this.wire.send(packet);
        }
      }
      any ||= this.transmit.count > 0;
      if (!more) return any;
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
    for (let chunk = this.transport.read(); chunk !== undefined; chunk = this.transport.read()) {
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
