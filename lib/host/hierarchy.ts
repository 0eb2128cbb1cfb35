// A real host's place in the hierarchy of service routers (§4.3): the session with the router above it, and, where it
// is a router itself, those with the hosts below. What is decided stands in controller/; here it gets links and time.

import { hostname } from 'node:os';
import type { RegisteredHostFacts } from '../control/controlled-host';
import { ControllerSet } from '../controller/controller-set';
import { Hierarchical } from '../controller/policies/hierarchical';
import { HierarchicalRouter, type PartitionChoice } from '../controller/policies/hierarchical-router';
import type { ServiceController, ServiceInstance } from '../controller/service-controller';
import { randomIdentity } from '../controller/session/session-identity';
import { SESSION_NAME_MAXIMUM } from '../controller/session/session-limits';
import { ControllerSessions } from '../driver/controller-sessions';
import type { ListenerHandle, SocketHost } from '../driver/handles';
import type { StackDriver } from '../driver/stack-driver';
import type { TransportProtocol } from '../stack/control-interface';
import type { Duration } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import type { HostConfiguration } from './configuration';
import type { HostLinks } from './host-links';
import type { UpstreamAccess } from './host-registry';
import { monotonicNow } from './monotonic-clock';

/** What a service router does beyond what a host does. */
export interface RouterDuty {
  /** What lies under one of these is announced upstream as that prefix. */
  readonly aggregates: readonly ServicePrefix[];
  /** Until an instance that has just come gets its whole share of first packets. */
  readonly slowStart: Duration | undefined;
  /** Prefixes that are cut into parts, each for one instance. */
  readonly partitions: readonly PartitionChoice[];
  /** Answers to the first packets of clients come back through here. */
  readonly relayReplies: boolean;
}

export interface HierarchyOptions {
  readonly configuration: HostConfiguration;
  readonly driver: StackDriver;
  readonly sockets: Pick<SocketHost, 'connect' | 'listen'>;
  readonly links: HostLinks;
  readonly random: RandomSource;
  readonly duty: RouterDuty | undefined;
  readonly problem: (error: Error) => void;
}

export class Hierarchy implements UpstreamAccess {
  readonly upstream: Hierarchical | undefined;
  readonly router: HierarchicalRouter | undefined;
  /** To be added to the driver before the first socket opens. */
  readonly controller: ServiceController;
  private readonly sessions: ControllerSessions;
  private listener: ListenerHandle | undefined;
  /** UDP port of first packets. */
  private servicePort = 0;
  private isStarted = false;
  /** Who waits for the router's acknowledgment. */
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: HierarchyOptions) {
    const { driver, sockets, links, random } = options;
    const dataPort = (): number => links.encapsulated?.link.port ?? 0;
    this.sessions = new ControllerSessions({ driver, sockets, dataPort });
    this.upstream = this.upstreamOf();
    this.router = options.duty && this.routerOf(this.upstream?.identity ?? randomIdentity(random));
    this.controller = this.router ?? this.upstream ?? new ControllerSet();
  }

  /**
   * This process speaks for its host from now on, with first packets at that port. `isComplete`: all that its other
   * processes offer is known by now; else `complete` follows.
   */
  start(servicePort: number, isComplete: boolean): void {
    const now = monotonicNow();
    const hasMoved = this.isStarted && servicePort !== this.servicePort;
    this.servicePort = servicePort;
    if (hasMoved) this.upstream?.handlePortChanged(now);
    else if (!this.isStarted && this.router !== undefined) this.router.start(now);
    else if (!this.isStarted) this.upstream?.start(now, isComplete);
    this.isStarted = true;
    this.options.driver.runControllers();
    this.wake();
  }

  /** Takes sessions: as early as any socket, so that no host finds a router that is none yet. */
  listen(): void {
    if (this.router !== undefined) this.listener = this.sessions.listen(this.router.registrar);
  }

  complete(): void {
    // A router waits for the hosts below it longer than for the processes of its own.
    if (this.router === undefined) this.upstream?.complete();
  }

  /** Another process speaks for the host. */
  stop(): void {
    if (!this.isStarted) return;
    this.isStarted = false;
    // The router keeps what it knows until the next one has said what there is.
    this.upstream?.handOver();
    this.options.driver.runControllers();
    this.wake();
  }

  /** Says goodbye. What it says leaves with the next drain. */
  close(): void {
    this.listener?.close();
    this.router?.close();
    this.upstream?.stop();
    this.wake();
  }

  /** The router above: where it is, and whether it knows us now. */
  facts(): { readonly address: NetworkAddress | null; readonly connected: boolean } {
    return { address: this.upstream?.router ?? null, connected: this.upstream?.isConnected === true };
  }

  /** Whether first packets come to the port at which a router is looked for. */
  get isInPlace(): boolean {
    return this.isStarted && this.servicePort === this.options.configuration.port;
  }

  /** The hosts below, of a router. */
  *registeredHosts(): Generator<RegisteredHostFacts> {
    for (const host of this.router?.registrar.hosts() ?? []) {
      const { name = null, identity, address, since, heardAt, instanceCount: instances } = host;
      yield { name, identity, address, instances, since, heardAt };
    }
  }

  // ---- UpstreamAccess ----

  askRouter(isAsked: boolean): boolean {
    const isThere = this.upstream?.askDirectly(isAsked) === true;
    this.options.driver.runControllers();
    return isThere;
  }

  handleRegistered(instance: ServiceInstance): void {
    this.upstream?.handleRegistered(instance);
    this.router?.release(instance.prefix);
    this.options.driver.runControllers();
  }

  handleUnregistered(instance: Omit<ServiceInstance, 'weight'>): void {
    this.upstream?.handleUnregistered(instance);
    this.options.driver.runControllers();
  }

  handleGone(address: NetworkAddress): void {
    this.upstream?.handleGone(address);
    this.options.driver.runControllers();
  }

  /** Resolves when the router above knows it too, or is not to be waited for. */
  async whenAcknowledged(prefix: ServicePrefix, protocol: TransportProtocol): Promise<void> {
    const { upstream } = this;
    if (upstream === undefined || !this.isStarted) return;
    const since = monotonicNow();
    for (let now = since; !upstream.isKnownUpstream(prefix, protocol); now = monotonicNow()) {
      const rest = upstream.patience(since) - now;
      if (rest <= 0 || !this.isStarted) return;
      await this.whenAwoken(rest);
    }
  }

  /** Until something changes that somebody waits for, and no longer than that. */
  whenAwoken(longest: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.ceil(longest));
      this.waiting.add(done);
    });
  }

  private wake(): void {
    for (const done of [...this.waiting]) done();
  }

  private upstreamOf(): Hierarchical | undefined {
    const { configuration, random, duty } = this.options;
    const { router, port, links } = configuration;
    if (router === undefined) return undefined;
    const isRaw = links.every((name) => name === 'raw');
    return new Hierarchical(
      {
        random,
        name: hostname().slice(0, SESSION_NAME_MAXIMUM),
        router: isRaw && router !== 'auto' ? router.withPort(0) : router,
        routerPort: isRaw ? 0 : port,
        port: () => this.servicePort,
        link: (address) => this.linkTo(address),
        open: (to, timeout, observer) => this.sessions.open(to, timeout, observer),
        aggregates: duty?.aggregates,
      },
      {
        acknowledged: (announced) => {
          this.router?.handleAcknowledged(announced);
          this.wake();
        },
        pathChanged: (path, now) => this.router?.setPath(path, now),
        problem: (text) => this.options.problem(new Error(text)),
      },
    );
  }

  private routerOf(identity: string): HierarchicalRouter {
    const { upstream } = this;
    const link = (address: NetworkAddress): number => this.linkTo(address);
    return new HierarchicalRouter({ identity, port: () => this.servicePort, link, upstream, ...this.options.duty });
  }

  private linkTo(address: NetworkAddress): number {
    return this.options.driver.stack.sal.links.towards(address).index;
  }
}
