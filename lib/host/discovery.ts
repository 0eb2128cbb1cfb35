// What a host does besides to find services and to be found, each by an option of its own: directories that are asked on
// demand, and registrations as the original makes them. One policy each; here they are given their links.

import { ServdClient } from '../controller/policies/servd-client';
import { ServdRouter } from '../controller/policies/servd-router';
import { PolicySocket, type TalkingPolicy } from '../driver/policy-socket';
import type { StackDriver } from '../driver/stack-driver';
import type { HostConfiguration } from './configuration';
import { createLookups } from './host-lookups';
import type { Lookup } from './lookup';
import { monotonicNow } from './monotonic-clock';

export interface DiscoveryContext {
  readonly configuration: HostConfiguration;
  readonly driver: StackDriver;
  /** Those that carry flows, the preferred one first. */
  readonly links: readonly { readonly index: number; readonly encapsulated: boolean }[];
  problem(error: Error): void;
}

export class Discovery {
  private readonly lookups: readonly Lookup[];
  private readonly sockets: PolicySocket[] = [];

  constructor(private readonly context: DiscoveryContext) {
    this.lookups = this.startLookups();
    for (const { index, encapsulated } of context.links) if (!encapsulated) this.startServd(index);
  }

  close(): void {
    for (const lookup of this.lookups) lookup.close();
    for (const socket of this.sockets) socket.close();
  }

  /** Directories lead to wherever they say by the preferred link. */
  private startLookups(): Lookup[] {
    const { configuration, driver, links, problem } = this.context;
    const [link] = links;
    if (link === undefined) return [];
    const lookups = createLookups(
      configuration.resolvers,
      { index: link.index, port: link.encapsulated ? configuration.port : undefined },
      { now: monotonicNow, run: () => driver.runControllers(), problem },
    );
    for (const lookup of lookups) driver.addController(lookup);
    return lookups;
  }

  /** A router registers with the one above it, as a host does; a host without one tells all on the segment. */
  private startServd(link: number): void {
    const { servd, router } = this.context.configuration;
    if (servd === 'router') {
      this.context.driver.stack.setForwarding(true);
      this.talk(new ServdRouter(link));
    }
    if (servd === 'host' || (servd === 'router' && router !== undefined)) {
      // The original's daemon is told to all on the segment where no address is given.
      this.talk(new ServdClient({ link, router: router === 'auto' ? undefined : router?.withPort(0) }));
    }
  }

  private talk(policy: TalkingPolicy): void {
    const socket = new PolicySocket(policy, this.context.driver);
    this.sockets.push(socket);
    this.context.driver.addController(socket);
  }
}
