// The network below the hosts: kernels plugged into segments, one clock, one trace, and one source of chance
// from which every place draws a generator of its own.

import type { RandomSource } from '../time/random-source';
import type { SeededRandom } from '../time/seeded-random';
import { SimulatedClock } from './clock';
import { Partition } from './partition';
import { type Path, path } from './path';
import { type Attachment, Segment, type SegmentSite } from './segment';
import type { SimulatedInterface } from './simulated-interface';
import { SimulatedKernel } from './simulated-kernel';
import { Trace } from './trace';

export interface PlugOptions extends Attachment {
  /** Default `eth0`, `eth1` ... */
  readonly name?: string;
  /** Bytes of the largest IP packet, default 1500. */
  readonly mtu?: number;
  /** Which families to take an address of, default both. */
  readonly families?: readonly (4 | 6)[];
}

export class SimulatedNetwork {
  readonly clock = new SimulatedClock();
  readonly trace: Trace;
  readonly partition = new Partition();
  private readonly segments = new Map<string, Segment>();
  private serial = 0;

  constructor(
    private readonly random: SeededRandom,
    traceCapacity?: number,
  ) {
    this.trace = new Trace(traceCapacity);
  }

  /** A generator of its own for one more part of the simulation. */
  randomOf(): RandomSource {
    return this.random.fork();
  }

  kernel(host: string, interfacesChanged: () => void = () => {}): SimulatedKernel {
    const { clock, trace } = this;
    return new SimulatedKernel(host, { clock, trace, nextPacketSerial: () => ++this.serial }, interfacesChanged);
  }

  /** The segment of that name, made when it is not there yet. */
  segment(name: string): Segment {
    const known = this.segments.get(name);
    if (known !== undefined) return known;
    const made = new Segment(name, this.segments.size + 1, this.segmentSite());
    this.segments.set(name, made);
    return made;
  }

  /** Gives the kernel one more interface, on `segment`, with the next free addresses there. */
  plug(kernel: SimulatedKernel, segment: Segment, options: PlugOptions = {}): SimulatedInterface {
    const name = options.name ?? `eth${kernel.networkInterfaces.length}`;
    const added = kernel.addInterface(name, options.mtu ?? DEFAULT_MTU);
    for (const entry of segment.nextAddresses(options.families)) added.assign(entry);
    segment.attach(added, options);
    return added;
  }

  /** A wire between two kernels alone: a segment of two, with a path in between. */
  connect(a: SimulatedKernel, b: SimulatedKernel, between: Path = path(), options: PlugOptions = {}): Segment {
    const wire = this.segment(`${a.host}-${b.host}-${this.segments.size + 1}`);
    this.plug(a, wire, { ...options, outbound: between.forward });
    this.plug(b, wire, { ...options, outbound: between.backward });
    return wire;
  }

  private segmentSite(): SegmentSite {
    const { clock, partition, trace } = this;
    return {
      clock,
      partition,
      randomOf: () => this.randomOf(),
      dropped: (packet, text) => trace.add({ at: clock.now(), event: 'dropped', host: '', packet, text }),
    };
  }
}

const DEFAULT_MTU = 1500;
