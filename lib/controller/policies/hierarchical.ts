// Hierarchical service access (§4.3): a host announces what it offers to the service router above it, and asks that
// router for what it does not know itself. A router does the same towards its own upstream, with what is registered
// below it. The session in which this happens is session/'s matter.

import type { ServiceCommand, ServiceEvent, TransportProtocol } from '../../stack/control-interface';
import type { Instant } from '../../time/instant';
import type { RandomSource } from '../../time/random-source';
import type { NetworkAddress } from '../../wire/network-address';
import type { ServicePrefix } from '../../wire/service-id';
import { CommandQueue } from '../command-queue';
import { CONTROLLER_PREFIX } from '../controller-service';
import type { ServiceController, ServiceInstance } from '../service-controller';
import type { RegisteredName } from '../session/message-fields';
import { randomIdentity } from '../session/session-identity';
import { SESSION_LOYALTY, SESSION_SEARCH_PAUSE_MAXIMUM } from '../session/session-limits';
import type { RegisteredTerms } from '../session/session-message';
import { UpstreamSession, type UpstreamSessionOptions } from '../session/upstream-session';
import { Announcements } from './announcements';
import { UpstreamRoute } from './upstream-route';

export interface HierarchicalOptions extends Pick<UpstreamSessionOptions, 'name' | 'port' | 'open'> {
  readonly random: RandomSource;
  /** The router; `auto`: whichever answers on the segments of this host. */
  readonly router: NetworkAddress | 'auto';
  /** The well-known port, at which routers are looked for. */
  readonly routerPort: number;
  /** Index of the link that first packets to an address leave by. */
  readonly link: (address: NetworkAddress) => number;
  /** What lies under one of these is announced as that prefix. */
  readonly aggregates?: readonly ServicePrefix[] | undefined;
}

export interface HierarchicalObserver {
  /** The router knows what is announced so; or, without a name, nothing is to be waited for. */
  acknowledged?(announced?: RegisteredName): void;
  /** The routers above, nearest first, by their identities. */
  pathChanged?(path: readonly string[], now: Instant): void;
  problem?(text: string): void;
}

export class Hierarchical implements ServiceController {
  private readonly session: UpstreamSession;
  private readonly route: UpstreamRoute;
  private readonly announcements: Announcements;
  /** By interface and address. */
  private readonly broadcasts = new Map<string, NetworkAddress>();
  private readonly commands = new CommandQueue();
  private found: NetworkAddress | undefined;

  constructor(
    private readonly options: HierarchicalOptions,
    private readonly observer: HierarchicalObserver = {},
  ) {
    const { random, name, router, port, open, link, aggregates } = options;
    this.route = new UpstreamRoute(link);
    const identity = randomIdentity(random);
    const routers = (failures: number): readonly NetworkAddress[] => this.routers(failures);
    // Every process may ask it for the peers of its flows, also one that does not speak for its host.
    if (router !== 'auto') this.commands.push({ kind: 'setRouter', router });
    const retryMaximum = router === 'auto' ? { retryMaximum: SESSION_SEARCH_PAUSE_MAXIMUM } : {};
    this.session = new UpstreamSession(
      { random, identity, name, routers, port, open, ...retryMaximum },
      {
        welcomed: (router, path, now, isReturn) => this.handleWelcomed(router, path, now, isReturn),
        lost: (now) => this.handleLost(now),
        acknowledged: (announced) => this.observer.acknowledged?.(announced),
        problem: (text) => this.observer.problem?.(text),
      },
    );
    this.announcements = new Announcements(
      {
        offer: (prefix, protocol, terms) => this.session.offer(prefix, protocol, terms),
        withdraw: (prefix, protocol) => this.session.withdraw(prefix, protocol),
      },
      aggregates,
    );
  }

  // ---- what is known ----

  get identity(): string {
    return this.session.identity;
  }

  /** Whether the router has what this process or a member of its host offers, or is not to be waited for. */
  isKnownUpstream(prefix: ServicePrefix, protocol: TransportProtocol): boolean {
    return this.session.isAcknowledged(this.announcements.announcedAs(prefix), protocol);
  }

  /** What the router is told of instead of `prefix`: that itself, or the aggregate it lies under. */
  announcedAs(prefix: ServicePrefix): ServicePrefix {
    return this.announcements.announcedAs(prefix);
  }

  /** Where the router is, once it has answered. */
  get router(): NetworkAddress | undefined {
    return this.found;
  }

  get isConnected(): boolean {
    return this.session.isWelcome;
  }

  /** Until when `isKnownUpstream` is worth waiting for. */
  patience(now: Instant): Instant {
    return this.session.patience(now);
  }

  // ---- what its owner says ----

  /**
   * From now on this process speaks for its host, which it did not before. `isComplete`: it knows all that the host
   * offers by now; else `complete` follows.
   */
  start(now: Instant, isComplete = true): void {
    if (this.options.router !== 'auto') this.route.handleRouter(this.options.router);
    this.session.start(now, isComplete);
  }

  complete(): void {
    this.session.complete();
  }

  /** Another process speaks for the host from now on: its session takes over what this one's has registered. */
  handOver(): void {
    this.route.handleRouter(undefined);
    this.session.handOver();
  }

  /** Nobody speaks for the host any more. */
  stop(): void {
    this.route.handleRouter(undefined);
    this.session.stop();
  }

  /** Who speaks for this host does not answer: ask the router without it. False when no router is known. */
  askDirectly(isAsked: boolean): boolean {
    const { router } = this.options;
    const address = router === 'auto' ? this.found : router;
    this.route.handleRouter(isAsked ? address : undefined);
    return address !== undefined;
  }

  /** First packets for this host go to another port than before. */
  handlePortChanged(now: Instant): void {
    this.session.move(now);
  }

  /** Another process of this host, or a host below this router, offers `prefix`, or with other terms than before. */
  handleRegistered({ prefix, protocol, weight, picker, address }: ServiceInstance): void {
    if (prefix.equals(CONTROLLER_PREFIX)) return;
    this.announcements.set(address.toString(), prefix, protocol, { weight, picker });
  }

  handleUnregistered({ prefix, protocol, address }: Omit<ServiceInstance, 'weight'>): void {
    this.announcements.delete(address.toString(), prefix, protocol);
  }

  /** Nobody is at `address` any more. */
  handleGone(address: NetworkAddress): void {
    this.announcements.deleteAll(address.toString());
  }

  // ---- ServiceController ----

  handleEvent(event: ServiceEvent, now: Instant): void {
    switch (event.kind) {
      case 'registered':
        return this.handleOwn(event.prefix, event.protocol, event);
      case 'unregistered':
        return this.handleOwn(event.prefix, event.protocol, undefined);
      case 'interfaceUp': {
        const { address, isLoopback, broadcast } = event.networkInterface;
        const key = `${event.networkInterface.index} ${address}`;
        if (!isLoopback && broadcast !== undefined) this.broadcasts.set(key, broadcast);
        return this.session.handleAddressAdded(now);
      }
      case 'interfaceDown':
        this.broadcasts.delete(`${event.networkInterface.index} ${event.networkInterface.address}`);
        return this.session.handleAddressGone(event.networkInterface.address.ip, now);
    }
  }

  pollCommand(): ServiceCommand | undefined {
    return this.commands.poll() ?? this.route.pollCommand();
  }

  nextDeadline(): Instant {
    return this.session.nextDeadline();
  }

  handleDeadline(now: Instant): void {
    this.session.handleDeadline(now);
  }

  /** The default prefix stays a local matter, and every router has a controller of its own. */
  private handleOwn(prefix: ServicePrefix, protocol: TransportProtocol, terms: RegisteredTerms | undefined): void {
    if (prefix.bits === 0 || prefix.equals(CONTROLLER_PREFIX)) return;
    if (terms === undefined) this.announcements.delete(OWN, prefix, protocol);
    else this.announcements.set(OWN, prefix, protocol, { weight: terms.weight, picker: terms.picker });
  }

  private handleWelcomed(router: NetworkAddress, path: readonly string[], now: Instant, isReturn: boolean): void {
    this.found = router;
    // The first welcome is no return: a connect that is under way would be sent twice, and choose twice.
    if (isReturn) this.route.handleReturned();
    if (this.options.router === 'auto') {
      this.route.handleRouter(router);
      this.commands.push({ kind: 'setRouter', router });
    }
    this.observer.pathChanged?.(path, now);
  }

  private handleLost(now: Instant): void {
    if (this.options.router === 'auto') {
      this.found = undefined;
      this.route.handleRouter(undefined);
    }
    this.observer.pathChanged?.([], now);
  }

  /** A router that was found is asked again first; later any other will do. */
  private routers(failures: number): readonly NetworkAddress[] {
    const { router, routerPort } = this.options;
    if (router !== 'auto') return [router];
    if (this.found !== undefined && failures < SESSION_LOYALTY) return [this.found];
    const broadcasts = new Map<string, NetworkAddress>();
    for (const address of this.broadcasts.values()) broadcasts.set(address.ip, address.withPort(routerPort));
    return [...broadcasts.values()];
  }
}

/** The sockets of this process, as a source of announcements. */
const OWN = '';
