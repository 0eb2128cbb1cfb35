// The links of a real host: which ones its configuration asks for, which of them can be had here, and where
// each stands in the stack.

import type { StackDriver } from '../driver/stack-driver';
import { ErrorCode, ServalError } from '../errors';
import { RECEIVE_QUEUE_PART } from '../limits';
import { DgramLink } from '../link/dgram-link';
import type { Link, LinkHandler } from '../link/link';
import { LoopbackLink } from '../link/loopback-link';
import { RawIpLink } from '../link/raw-ip-link';
import { UdpLink } from '../link/udp-link';
import type { FlowTag } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import type { TransmitBatch } from '../wire/transmit-batch';
import type { HostConfiguration, LinkName } from './configuration';
import type { ProcessPort } from './process-port';

export class HostLinks {
  /** By index in the stack; the one of the well-known port may be absent. */
  private readonly links: (Link | undefined)[] = [];
  private wellKnownIndex: number | undefined;
  private isReferenced = false;
  private isClosed = false;

  constructor(
    private readonly configuration: HostConfiguration,
    private readonly driver: StackDriver,
    private readonly flowTag: FlowTag | undefined,
    private readonly failed: (error: Error) => void,
  ) {}

  /** Opens every configured link. Rejects with the first failure when none could be opened. */
  async start(): Promise<void> {
    await this.open(new LoopbackLink(), 0);
    let failure: unknown;
    for (const name of this.configuration.links) {
      try {
        const link = this.create(name);
        await this.open(link, undefined);
      } catch (error) {
        failure ??= error;
      }
    }
    if (this.links.length === 1 && failure !== undefined) throw failure;
    if (failure !== undefined) this.failed(failure as Error);
  }

  transmit(link: number, batch: TransmitBatch): boolean {
    return this.links[link]?.transmit(batch) ?? true;
  }

  /** Index of the link with ports that carries this process's flows. */
  get encapsulated(): { readonly index: number; readonly link: Link } | undefined {
    const index = this.links.findIndex((link) => link?.properties.encapsulated === true);
    return index < 0 ? undefined : { index, link: this.links[index]! };
  }

  /** Indexes of the links, with whether they have ports. */
  *indexes(): Generator<{ readonly index: number; readonly encapsulated: boolean }> {
    for (const [index, link] of this.links.entries()) {
      if (index > 0 && link !== undefined && index !== this.wellKnownIndex) {
        yield { index, encapsulated: link.properties.encapsulated };
      }
    }
  }

  /** The data ports other processes and hosts reach this one at. */
  dataPorts(): ProcessPort[] {
    const link = this.encapsulated?.link;
    return link === undefined ? [] : portsOf(link);
  }

  mtuTo(link: number, remote: NetworkAddress): number | undefined {
    const attached = this.links[link];
    return attached instanceof UdpLink || attached instanceof RawIpLink ? attached.mtuTo(remote) : undefined;
  }

  /** Binds the well-known port, where first packets for the whole host arrive. Rejects with EADDRINUSE. */
  async openWellKnown(): Promise<readonly ProcessPort[]> {
    const data = this.encapsulated?.link;
    if (data === undefined) return [];
    const options = { role: 'well-known', port: this.configuration.port } as const;
    const link = data instanceof DgramLink ? new DgramLink(options) : new UdpLink(options);
    this.wellKnownIndex = await this.open(link, this.wellKnownIndex);
    return portsOf(link);
  }

  async closeWellKnown(): Promise<void> {
    if (this.wellKnownIndex === undefined) return;
    const link = this.links[this.wellKnownIndex];
    this.links[this.wellKnownIndex] = undefined;
    await link?.close();
  }

  keepAlive(isWanted: boolean): void {
    this.isReferenced = isWanted;
    for (const link of this.links) applyReference(link, isWanted);
  }

  statistics(): Record<string, Readonly<Record<string, number>>> {
    const entries = this.links.flatMap((link, index) => {
      if (link === undefined) return [];
      const role = link.properties.role === 'data' ? '' : ' well-known';
      return [[`${index} ${link.properties.kind}${role}`, link.statistics] as const];
    });
    return Object.fromEntries(entries);
  }

  get kinds(): readonly string[] {
    return this.links.flatMap((link, index) => (index > 0 && link !== undefined ? link.properties.kind : []));
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.links.map((link) => link?.close()));
    this.links.length = 0;
  }

  private create(name: LinkName): Link {
    const { spin, dataPort, native } = this.configuration;
    const isNative = native && UdpLink.isAvailable;
    if (name === 'raw') {
      if (isNative) return new RawIpLink({ spin, flowTag: this.flowTag });
      throw new ServalError(ErrorCode.nativeUnavailable, 'a raw link needs the native addon');
    }
    const options = { role: 'data', port: dataPort } as const;
    if (name === 'udp' && isNative) return new UdpLink({ ...options, spin });
    if (name === 'udp') DgramLink.warnOnce();
    return new DgramLink(options);
  }

  /** Starts the link and gives it a place in the stack, or the one it had. */
  private async open(link: Link, place: number | undefined): Promise<number> {
    const position = { index: place ?? -1 };
    await link.start(this.handlerFor(position, link.settles === true));
    if (this.isClosed) {
      await link.close();
      throw new ServalError(ErrorCode.hostClosed, 'the host was closed while it opened a link');
    }
    if (position.index < 0) position.index = this.driver.stack.attachLink(link.properties);
    this.links[position.index] = link;
    applyReference(link, this.isReferenced);
    if (link.properties.role === 'data') this.shareQueueOf(link);
    return position.index;
  }

  /** All streams that arrive by this link together must not overflow what the kernel queues for it. */
  private shareQueueOf({ receiveBuffer = 0 }: Link): void {
    if (receiveBuffer > 0) this.driver.stack.receiveBudget.queue = receiveBuffer / RECEIVE_QUEUE_PART;
  }

  /** A link may receive before it has its place: what comes then is lost, as if it had come before. */
  private handlerFor(position: { index: number }, settles: boolean): LinkHandler {
    const { driver } = this;
    return {
      received: (batch) => {
        if (position.index >= 0) driver.received(position.index, batch, settles);
      },
      settled: () => driver.settled(),
      writable: () => {
        if (position.index >= 0) driver.writable(position.index);
      },
      unreachable: (address) => driver.unreachable(address),
      packetTooBig: (address, mtu) => driver.packetTooBig(address, mtu),
      failed: (error) => this.failed(error),
    };
  }
}

function applyReference(link: Link | undefined, isReferenced: boolean): void {
  if (isReferenced) link?.ref();
  else link?.unref();
}

/** Both families share one port; a family that is missing refuses, and the sender tries the other. */
function portsOf(link: Link): ProcessPort[] {
  return [
    { family: 4, port: link.port },
    { family: 6, port: link.port },
  ];
}
