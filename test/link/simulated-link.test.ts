// The link of the simulator keeps to the same suite as the real ones, with ports and without, and with a
// socket that takes little at a time.
import type { Link, LinkHandler } from '../../lib/link/link';
import { SimulatedNetwork } from '../../lib/sim/network';
import { SimulatedLink } from '../../lib/sim/simulated-link';
import { SeededRandom } from '../../lib/time/seeded-random';
import type { AddressFamily } from '../../lib/wire/network-address';
import type { WireErrorCounters } from '../../lib/wire/wire-error';
import { linkConformance } from './conformance';

/** What a simulated link lacks to be a `Link` is what only a real process has. */
class AsLink implements Link {
  private isClosed = false;

  constructor(
    private readonly link: SimulatedLink,
    readonly host: number,
  ) {}

  get properties() {
    return this.link.properties;
  }

  get port() {
    return this.link.port;
  }

  get statistics() {
    const { errors } = (this.link as unknown as { inbox: { errors: WireErrorCounters } }).inbox;
    return { ...this.link.statistics, ...errors };
  }

  async start(handler: LinkHandler): Promise<void> {
    this.link.open(handler);
  }

  transmit(batch: Parameters<Link['transmit']>[0]): boolean {
    // A simulated host that is closed does not transmit; its link need not know.
    return this.isClosed || this.link.transmit(batch);
  }

  ref(): void {}

  unref(): void {}

  async close(): Promise<void> {
    this.isClosed = true;
    this.link.close();
  }
}

function makePair(port: number, sendBuffer?: number) {
  const network = new SimulatedNetwork(SeededRandom.of(1));
  const kernels = [network.kernel('a'), network.kernel('b')] as const;
  const segment = network.connect(...kernels);
  const options = { port, role: 'data', mtu: 1500, ...(sendBuffer !== undefined && { sendBuffer }) } as const;
  const [a, b] = kernels.map(
    (kernel, index) => new AsLink(new SimulatedLink(kernel, network.clock, options), index + 1),
  );
  return {
    a: a!,
    b: b!,
    addressOf: (link: Link, family: AddressFamily) =>
      segment.addressOf((link as AsLink).host, family).address.withPort(port),
    advance: () => void network.clock.step(),
  };
}

linkConformance('the simulated link', () => makePair(40_000));
linkConformance('the simulated raw link', () => makePair(0));
linkConformance('the simulated link with a small socket', () => makePair(40_000, 7));
