// A host on a desk: a driven stack without a network. What it sends gathers until the test takes it, and nothing
// reaches it but what the test hands in, so that every byte out can be set against the bytes in.

import { StackDriver } from '../../lib/driver/stack-driver';
import { StackSockets } from '../../lib/driver/stack-sockets';
import type { LinkProperties } from '../../lib/sal/link-properties';
import { Stack } from '../../lib/stack/stack';
import type { ForwardRule } from '../../lib/table/service-rule';
import { type Instant, NEVER } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ReceivedBatch } from '../../lib/wire/received-batch';
import { type ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { cutTrain } from '../../lib/wire/train-cutter';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { type TransmitBatch, TransmitField } from '../../lib/wire/transmit-batch';
import { createWireErrorCounters } from '../../lib/wire/wire-error';
import type { Packet } from '../sal/wire';

export class Clock {
  now = 1000 as Instant;
}

export class AttackedHost {
  readonly stack: Stack;
  readonly driver: StackDriver;
  readonly sockets: StackSockets;
  readonly sent: Packet[] = [];
  private deadline: Instant = NEVER;
  private isFlushWanted = false;
  private readonly scratch = new Uint8Array(70_000);
  private readonly joiner = new TrainJoiner(createWireErrorCounters());
  private readonly batch = new ReceivedBatch(4, Buffer.alloc(70_000));

  constructor(
    private readonly clock: Clock,
    readonly address: NetworkAddress,
    seed: number,
    properties: Partial<LinkProperties> = {},
  ) {
    this.stack = new Stack({ random: SeededRandom.of(seed) });
    this.stack.attachLink({ kind: 'memory', encapsulated: true, role: 'data', mtu: 1500, ...properties });
    this.driver = new StackDriver(this.stack, {
      now: () => clock.now,
      transmit: (link, batch) => this.transmit(link, batch),
      schedule: (at) => {
        this.deadline = at;
      },
      requestFlush: () => {
        this.isFlushWanted = true;
      },
    });
    this.sockets = new StackSockets(this.driver, Promise.resolve());
  }

  forward(service: ServiceID | undefined, to: NetworkAddress, options: Partial<ForwardRule> = {}): void {
    const prefix = service === undefined ? ServicePrefix.any : ServicePrefix.of(service);
    const common = { action: 'forward', prefix, address: to, link: 1, scope: 'network' } as const;
    this.driver.command({
      kind: 'addRule',
      rule: { ...common, broadcast: false, priority: 1, weight: 1, ...options },
    });
  }

  receive(bytes: Uint8Array, from: NetworkAddress, to: NetworkAddress, flags: number): void {
    const { batch } = this;
    batch.reset();
    batch.slab.set(bytes);
    this.joiner.append(batch, from, to, flags, 0, bytes.length);
    if (batch.count > 0) this.driver.received(1, batch);
    // A reader may have kept part of the slab: it gets a new one, as from a link.
    if (batch.retainedEnd > 0) batch.slab = Buffer.alloc(batch.slab.length);
  }

  /** What the event loop would do now: flush, and meet the deadline. */
  turn(): void {
    for (let round = 0; this.isFlushWanted || this.deadline <= this.clock.now; round++) {
      if (round > 1000) throw new Error('the host never comes to rest');
      if (this.isFlushWanted) {
        this.isFlushWanted = false;
        this.driver.flush();
      } else {
        this.driver.deadline();
      }
    }
  }

  get nextDeadline(): Instant {
    return this.deadline;
  }

  takeSent(): Packet[] {
    return this.sent.splice(0);
  }

  private transmit(link: number, batch: TransmitBatch): boolean {
    if (link !== 1) throw new Error('nothing here speaks on loopback');
    for (let row = 0; row < batch.count; row++) {
      const at = (field: number): number => batch.field(row, TransmitField.destinationFamilyPort + field);
      const to = NetworkAddress.fromWords(at(0) >>> 16 === 6 ? 6 : 4, at(0) & 0xffff, at(1), at(2), at(3), at(4));
      cutTrain(batch, row, this.scratch, (bytes) => {
        this.sent.push({ from: this.address, to, bytes: Buffer.from(bytes) });
      });
    }
    return true;
  }
}
