// What a host does besides to find services and to be found, each by an option of its own: directories that are asked on
// demand, mappings that are flooded, and registrations as the original makes them. One policy each; here they are given
// their links.

import { Flooding } from '../controller/policies/flooding';
import { ServdClient } from '../controller/policies/servd-client';
import { ServdRouter } from '../controller/policies/servd-router';
import { PolicySocket, type TalkingPolicy } from '../driver/policy-socket';
import type { StackDriver } from '../driver/stack-driver';
import type { RandomSource } from '../time/random-source';
import type { NetworkAddress } from '../wire/network-address';
import type { HostConfiguration } from './configuration';
import { createLookups } from './host-lookups';
import type { UpstreamAccess } from './host-registry';
import type { Lookup } from './lookup';
import { monotonicNow } from './monotonic-clock';

export interface DiscoveryContext {
  readonly configuration: HostConfiguration;
  readonly driver: StackDriver;
  /** Those that carry flows, the preferred one first. */
  readonly links: readonly { readonly index: number; readonly encapsulated: boolean }[];
  readonly random: RandomSource;
  /** The process that knows what is offered on this host, if it is another one. */
  holder(): NetworkAddress | undefined;
  problem(error: Error): void;
}

export class Discovery {
  private readonly lookups: readonly Lookup[];
  private readonly sockets: PolicySocket[] = [];
  private readonly flooding: Flooding | undefined;
  private generation = 0;

  constructor(private readonly context: DiscoveryContext) {
    this.lookups = this.startLookups();
    this.flooding = this.startFlooding();
    for (const { index, encapsulated } of context.links) if (!encapsulated) this.startServd(index);
  }

  /** This process speaks for its host from now on, which takes first packets at that port. */
  serve(port: number): void {
    // Whatever the clock does: what is said later is newer.
    this.generation = Math.max(Date.now(), this.generation + 1);
    this.flooding?.start({ generation: this.generation, port }, monotonicNow());
    this.handleRoleChanged();
  }

  /** Another process does. */
  stopServing(): void {
    this.flooding?.stop();
    this.handleRoleChanged();
  }

  private handleRoleChanged(): void {
    for (const lookup of this.lookups) lookup.handleHolderChanged();
    this.context.driver.runControllers();
  }

  /** `upstream` with ears for what the other processes of this host offer. */
  beside(upstream: UpstreamAccess): UpstreamAccess {
    const { flooding } = this;
    if (flooding === undefined) return upstream;
    return {
      handleRegistered: (instance) => {
        flooding.handleRegistered(instance, monotonicNow());
        upstream.handleRegistered(instance);
      },
      handleUnregistered: (instance) => {
        flooding.handleUnregistered(instance, monotonicNow());
        upstream.handleUnregistered(instance);
      },
      handleGone: (address) => {
        flooding.handleGone(address, monotonicNow());
        upstream.handleGone(address);
      },
      complete: () => upstream.complete(),
      whenAcknowledged: (prefix, protocol) => upstream.whenAcknowledged(prefix, protocol),
      askRouter: (isAsked) => upstream.askRouter(isAsked),
    };
  }

  /** What others were told of this host is taken back; it leaves with the next drain. */
  close(): void {
    for (const lookup of this.lookups) lookup.close();
    this.stopServing();
    for (const socket of this.sockets) socket.close();
  }

  /** Directories lead to wherever they say by the preferred link. */
  private startLookups(): Lookup[] {
    const { configuration, driver, links, holder, problem } = this.context;
    const [link] = links;
    if (link === undefined) return [];
    const lookups = createLookups(
      configuration.resolvers,
      { index: link.index, port: link.encapsulated ? configuration.port : undefined, holder },
      { now: monotonicNow, run: () => driver.runControllers(), problem },
    );
    for (const lookup of lookups) driver.addController(lookup);
    return lookups;
  }

  /** A process has one socket for it: on its preferred link. */
  private startFlooding(): Flooding | undefined {
    const { configuration, links, random } = this.context;
    const [link] = links;
    if (!configuration.flooding || link === undefined) return undefined;
    const flooding = new Flooding({ link: link.index, port: link.encapsulated ? configuration.port : 0, random });
    this.talk(flooding);
    return flooding;
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
