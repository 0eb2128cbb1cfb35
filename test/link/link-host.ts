// A host made of a stack and one link of the test's choice, so that whole streams run over a link that a real host
// would not be given: without super-packets, with errors injected, of another kind than its peer's.

import { StackDriver } from '../../lib/driver/stack-driver';
import { StackSockets } from '../../lib/driver/stack-sockets';
import { DeadlineTimer } from '../../lib/host/deadline-timer';
import { monotonicNow } from '../../lib/host/monotonic-clock';
import type { Link } from '../../lib/link/link';
import { Stack } from '../../lib/stack/stack';
import { DEFAULT_RULE_PRIORITY, DEFAULT_RULE_WEIGHT } from '../../lib/table/service-rule';
import { SeededRandom } from '../../lib/time/seeded-random';
import type { NetworkAddress } from '../../lib/wire/network-address';
import { ServicePrefix } from '../../lib/wire/service-id';

export class LinkHost {
  readonly sockets: StackSockets;
  /** What the link said of packets that were larger than their path. */
  readonly packetsTooBig: string[] = [];
  private readonly driver: StackDriver;
  private readonly timer = new DeadlineTimer(() => this.driver.deadline());

  private constructor(
    private readonly link: Link,
    seed: number,
  ) {
    const stack = new Stack({ random: SeededRandom.of(seed) });
    this.driver = new StackDriver(stack, {
      now: monotonicNow,
      transmit: (index, batch) => index === 0 || this.link.transmit(batch),
      schedule: (at) => this.timer.set(at),
      requestFlush: () => void setImmediate(() => this.driver.flush()),
    });
    stack.attachLink(link.properties);
    this.sockets = new StackSockets(this.driver, Promise.resolve());
  }

  static async over(link: Link, seed: number): Promise<LinkHost> {
    const host = new LinkHost(link, seed);
    const { driver } = host;
    await link.start({
      received: (batch) => driver.received(LINK, batch),
      writable: () => driver.writable(LINK),
      unreachable: (address) => driver.unreachable(address),
      packetTooBig: (address, mtu) => {
        host.packetsTooBig.push(`${address} ${mtu}`);
        driver.packetTooBig(address, mtu);
      },
      failed: (error) => {
        throw error;
      },
    });
    return host;
  }

  /** First packets for any service go to `address`. */
  forward(address: NetworkAddress): void {
    const kind = { action: 'forward', scope: 'network', broadcast: false } as const;
    const standing = { priority: DEFAULT_RULE_PRIORITY, weight: DEFAULT_RULE_WEIGHT, link: LINK };
    this.driver.command({ kind: 'addRule', rule: { ...kind, ...standing, prefix: ServicePrefix.any, address } });
  }

  async close(): Promise<void> {
    this.driver.drainNow();
    this.timer.stop();
    await this.link.close();
  }
}

/** Behind the loopback link. */
const LINK = 1;
