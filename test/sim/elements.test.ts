// Every network element alone, with numbered packets.

import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/sim/clock';
import { Blackhole } from '../../lib/sim/elements/blackhole';
import { BurstLoss } from '../../lib/sim/elements/burst-loss';
import { Corruption } from '../../lib/sim/elements/corruption';
import { Delay } from '../../lib/sim/elements/delay';
import { Duplication } from '../../lib/sim/elements/duplication';
import { Fading } from '../../lib/sim/elements/fading';
import { Jitter } from '../../lib/sim/elements/jitter';
import { Mtu } from '../../lib/sim/elements/mtu';
import { RandomLoss } from '../../lib/sim/elements/random-loss';
import { Rate } from '../../lib/sim/elements/rate';
import { Reordering } from '../../lib/sim/elements/reordering';
import { TailDropQueue } from '../../lib/sim/elements/tail-drop-queue';
import { chain, type NetworkElement } from '../../lib/sim/network-element';
import type { SimulatedPacket } from '../../lib/sim/simulated-packet';
import { type Instant, milliseconds, seconds } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';

const SOURCE = NetworkAddress.parse('10.0.0.1', 1000)!;
const DESTINATION = NetworkAddress.parse('10.0.0.2', 2000)!;

/** A line of elements, and what came out of it. */
class Bench {
  readonly clock = new SimulatedClock();
  readonly arrived: { at: number; packet: SimulatedPacket }[] = [];
  readonly dropped: string[] = [];
  readonly reports: number[] = [];
  private readonly sink;
  private serial = 0;

  constructor(elements: readonly NetworkElement[], seed = 1) {
    const random = SeededRandom.of(seed);
    const site = {
      clock: this.clock,
      next: (packet: SimulatedPacket) => void this.arrived.push({ at: this.clock.now(), packet }),
      dropped: (_packet: SimulatedPacket, reason: string) => void this.dropped.push(reason),
      packetTooBig: (_packet: SimulatedPacket, mtu: number) => void this.reports.push(mtu),
    };
    this.sink = chain(elements, site, () => random.fork());
  }

  /** Sends `count` packets of `ipBytes` at `at`. */
  send(count: number, at = 0, ipBytes = 128): this {
    this.clock.schedule(at as Instant, () => {
      for (let index = 0; index < count; index++) this.sink(this.packet(ipBytes - 28));
    });
    return this;
  }

  run(): this {
    while (this.clock.step());
    return this;
  }

  get times(): number[] {
    return this.arrived.map(({ at }) => at);
  }

  get serials(): number[] {
    return this.arrived.map(({ packet }) => packet.serial);
  }

  private packet(length: number): SimulatedPacket {
    const bytes = new Uint8Array(length).fill(0x55);
    const serial = this.serial++;
    return { serial, from: 'a', source: SOURCE, destination: DESTINATION, encapsulated: true, bytes, damaged: false };
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('Delay', () => {
  it('delivers every packet exactly so much later, in order', () => {
    const bench = new Bench([new Delay(milliseconds(20))]).send(2, 0).send(1, 5).run();
    expect(bench.times).toEqual([20, 20, 25]);
    expect(bench.serials).toEqual([0, 1, 2]);
  });

  it('may be changed while packets are on the way', () => {
    const delay = new Delay(milliseconds(20));
    const bench = new Bench([delay]).send(1, 0);
    bench.clock.schedule(1 as Instant, () => {
      delay.delay = milliseconds(2);
    });
    bench.send(1, 2).run();
    expect(bench.times).toEqual([4, 20]);
  });
});

describe('Jitter', () => {
  it('varies the delay within its bound and keeps the order', () => {
    const bench = new Bench([new Jitter(milliseconds(10))]);
    for (const index of upTo(200)) bench.send(1, index);
    bench.run();
    expect(bench.serials).toEqual(upTo(200));
    const delays = bench.times.map((time, index) => time - index);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThan(10);
    expect(new Set(delays.map((delay) => Math.floor(delay))).size).toBeGreaterThan(5);
  });
});

describe('Rate', () => {
  it('sends one packet after the other, each as long as its bits need', () => {
    const bench = new Bench([new Rate(1_000_000)]).send(3, 0, 1250).run();
    expect(bench.times).toEqual([10, 20, 30]);
  });

  it('drops what does not fit into its queue, by packets', () => {
    const bench = new Bench([new Rate(1_000_000, new TailDropQueue({ packets: 2 }))]).send(5, 0, 1250).run();
    expect(bench.serials).toEqual([0, 1, 2]);
    expect(bench.dropped).toEqual(['queue full', 'queue full']);
  });

  it('drops by bytes, and frees the room of what it sent', () => {
    const bench = new Bench([new Rate(1_000_000, new TailDropQueue({ bytes: 2500 }))])
      .send(4, 0, 1250)
      .send(2, 15, 1250);
    bench.run();
    expect(bench.serials).toEqual([0, 1, 2, 4]);
    expect(bench.times).toEqual([10, 20, 30, 40]);
  });

  it('changes its rate for the packets that follow', () => {
    const line = new Rate(1_000_000);
    const bench = new Bench([line]).send(2, 0, 1250);
    bench.clock.schedule(5 as Instant, () => {
      line.bitsPerSecond = 10_000_000;
    });
    expect(bench.run().times).toEqual([10, 11]);
  });

  it('refuses a rate of nothing', () => {
    expect(() => new Rate(0)).toThrow(RangeError);
  });
});

describe('RandomLoss', () => {
  it('loses the share that it is told', () => {
    const bench = new Bench([new RandomLoss(0.2)]).send(20_000).run();
    expect(bench.dropped.length / 20_000).toBeCloseTo(0.2, 2);
    expect(bench.arrived.length + bench.dropped.length).toBe(20_000);
  });

  it('loses the same packets for the same seed', () => {
    const serials = (seed: number): number[] => new Bench([new RandomLoss(0.5)], seed).send(100).run().serials;
    expect(serials(3)).toEqual(serials(3));
    expect(serials(3)).not.toEqual(serials(4));
  });

  it('refuses what is no probability', () => {
    expect(() => new RandomLoss(1.1)).toThrow(RangeError);
    expect(() => new RandomLoss(Number.NaN)).toThrow(RangeError);
  });
});

describe('Fading', () => {
  /** One packet each millisecond for 100 s: which were lost, and how many fades they were in. */
  function fades(share: number, meanDuration: number): { lost: number; count: number } {
    const bench = new Bench([new Fading(share, milliseconds(meanDuration))]);
    for (const at of upTo(100_000)) bench.send(1, at);
    bench.run();
    const { serials } = bench;
    const gaps = serials.filter((serial, index) => serial !== (serials[index - 1] ?? serial - 1) + 1);
    return { lost: bench.dropped.length, count: gaps.length };
  }

  it('takes its share of the time, in fades of the given mean duration', () => {
    const { lost, count } = fades(0.1, 50);
    expect(lost).toBeGreaterThan(8000);
    expect(lost).toBeLessThan(12_000);
    // Those that end between two packets are not seen.
    expect(lost / count).toBeGreaterThan(40);
    expect(lost / count).toBeLessThan(60);
  });

  it('is ended by time, and not by packets', () => {
    const bench = new Bench([new Fading(0.5, milliseconds(1000))], 3);
    for (const at of upTo(1000)) bench.send(1, at * 10_000);
    bench.run();
    const { serials } = bench;
    const repeats = serials.filter((serial, index) => serial === (serials[index - 1] ?? Number.NaN) + 1);
    // One in two, whatever became of the packet before.
    expect(repeats.length / serials.length).toBeGreaterThan(0.4);
    expect(repeats.length / serials.length).toBeLessThan(0.6);
  });

  it('passes all or nothing at the ends of its range, and takes no other', () => {
    expect(fades(0, 50).lost).toBe(0);
    expect(fades(1, 50).lost).toBe(100_000);
    expect(() => new Fading(1.1, milliseconds(50))).toThrow(RangeError);
    expect(() => new Fading(0.1, milliseconds(0))).toThrow(RangeError);
  });
});

describe('BurstLoss', () => {
  it('loses its share in bursts of the given mean length', () => {
    const bench = new Bench([BurstLoss.of(0.05, 4)]).send(100_000).run();
    expect(bench.dropped.length / 100_000).toBeCloseTo(0.05, 2);
    let bursts = 0;
    let before = -1;
    for (const serial of bench.serials) {
      if (serial !== before + 1) bursts++;
      before = serial;
    }
    expect(bench.dropped.length / bursts).toBeGreaterThan(3.6);
    expect(bench.dropped.length / bursts).toBeLessThan(4.4);
  });
});

describe('Reordering', () => {
  it('lets packets pass others, loses none, and holds none longer than it may', () => {
    const bench = new Bench([new Reordering(0.3, milliseconds(10))]);
    for (const index of upTo(300)) bench.send(1, index);
    bench.run();
    expect(bench.serials).not.toEqual(upTo(300));
    expect([...bench.serials].sort((a, b) => a - b)).toEqual(upTo(300));
    for (const { at, packet } of bench.arrived) expect(at - packet.serial).toBeLessThan(10);
  });
});

describe('Duplication', () => {
  it('delivers some packets twice', () => {
    const bench = new Bench([new Duplication(0.25, milliseconds(5))]).send(10_000).run();
    expect(bench.arrived.length / 10_000).toBeCloseTo(1.25, 1);
    expect(new Set(bench.serials).size).toBe(10_000);
  });
});

describe('Corruption', () => {
  it('turns exactly one bit over, in a copy', () => {
    const bench = new Bench([new Duplication(1), new Corruption(0.5, 'bit')]).send(200).run();
    const damaged = bench.arrived.filter(({ packet }) => packet.damaged);
    expect(damaged.length).toBeGreaterThan(100);
    for (const { packet } of bench.arrived) {
      const bits = packet.bytes.reduce((sum, byte) => sum + (byte ^ 0x55).toString(2).replaceAll('0', '').length, 0);
      expect(bits).toBe(packet.damaged ? 1 : 0);
    }
  });

  it('cuts the end off', () => {
    const bench = new Bench([new Corruption(1, 'truncation')]).send(100).run();
    for (const { packet } of bench.arrived) expect(packet.bytes.length).toBeLessThan(100);
    expect(new Set(bench.arrived.map(({ packet }) => packet.bytes.length)).size).toBeGreaterThan(20);
  });
});

describe('Mtu', () => {
  it('passes what fits to the byte, with IP and UDP headers', () => {
    const bench = new Bench([new Mtu(1280)]).send(1, 0, 1280).send(1, 0, 1281).run();
    expect(bench.serials).toEqual([0]);
    expect(bench.dropped).toEqual(['larger than 1280']);
    expect(bench.reports).toEqual([]);
  });

  it('reports what it drops unless it is silent', () => {
    expect(new Bench([new Mtu(1280, false)]).send(1, 0, 1400).run().reports).toEqual([1280]);
  });
});

describe('Blackhole', () => {
  it('swallows during its outages', () => {
    const hole = Blackhole.during([{ from: 10 as Instant, until: 20 as Instant }]);
    const bench = new Bench([hole]).send(1, 9).send(1, 10).send(1, 19).send(1, 20).run();
    expect(bench.serials).toEqual([0, 3]);
  });

  it('swallows by a period', () => {
    const bench = new Bench([Blackhole.periodic(seconds(5), seconds(2))]);
    for (const second of upTo(14)) bench.send(1, second * 1000);
    expect(bench.run().serials).toEqual([0, 1, 2, 3, 4, 7, 8, 9, 10, 11]);
  });

  it('swallows by hand', () => {
    const hole = Blackhole.manual();
    const bench = new Bench([hole]).send(1, 0);
    bench.clock.schedule(1 as Instant, () => {
      hole.shut = true;
    });
    bench.send(1, 2).run();
    expect(bench.serials).toEqual([0]);
  });
});

describe('chain', () => {
  it('applies elements in their order, each with chance of its own', () => {
    const line = [new Delay(milliseconds(10)), new Rate(1_000_000)];
    expect(new Bench(line).send(2, 0, 1250).run().times).toEqual([20, 30]);
    const twice = new Bench([new RandomLoss(0.5), new RandomLoss(0.5)]).send(10_000).run();
    expect(twice.arrived.length / 10_000).toBeCloseTo(0.25, 1);
  });

  it('gives one element two states in two places', () => {
    const line = new Rate(1_000_000);
    expect(new Bench([line]).send(2, 0, 1250).run().times).toEqual([10, 20]);
    expect(new Bench([line]).send(2, 0, 1250).run().times).toEqual([10, 20]);
  });
});
