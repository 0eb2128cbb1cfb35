// A simulated host's place in the hierarchy of service routers: the policies and sessions of a real host, on the
// virtual clock.

import { Hierarchical } from '../controller/policies/hierarchical';
import { HierarchicalRouter } from '../controller/policies/hierarchical-router';
import type { ServiceController } from '../controller/service-controller';
import { randomIdentity } from '../controller/session/session-identity';
import { ControllerSessions } from '../driver/controller-sessions';
import type { StackDriver } from '../driver/stack-driver';
import type { StackSockets } from '../driver/stack-sockets';
import type { Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';

export interface HierarchyOptions {
  /** The router above, or `auto`: whichever answers on the segments of the host. */
  readonly router?: NetworkAddress | 'auto';
  /** Whether the host is a router itself. */
  readonly isRouter?: boolean;
  /** What a router announces instead of what lies under it. */
  readonly aggregates?: readonly ServicePrefix[];
}

export interface HierarchyContext {
  readonly name: string;
  readonly driver: StackDriver;
  readonly sockets: StackSockets;
  readonly random: RandomSource;
  readonly dataPort: number;
  readonly servicePort: number;
}

export class SimulatedHierarchy {
  readonly upstream: Hierarchical | undefined;
  readonly router: HierarchicalRouter | undefined;
  private readonly sessions: ControllerSessions;

  constructor(
    private readonly context: HierarchyContext,
    private readonly options: HierarchyOptions,
  ) {
    const { driver, sockets, dataPort } = context;
    this.sessions = new ControllerSessions({ driver, sockets, dataPort: () => dataPort });
    this.upstream = this.createUpstream();
    this.router = options.isRouter === true ? this.createRouter() : undefined;
  }

  get controllers(): ServiceController[] {
    return [this.router ?? this.upstream ?? []].flat();
  }

  start(now: Instant): void {
    if (this.router !== undefined) this.sessions.listen(this.router.registrar);
    if (this.router !== undefined) this.router.start(now);
    else this.upstream?.start(now);
    this.context.driver.runControllers();
  }

  /** Says goodbye. */
  close(): void {
    this.router?.close();
    this.upstream?.stop();
  }

  private createUpstream(): Hierarchical | undefined {
    const { random, name, servicePort } = this.context;
    const { router, aggregates } = this.options;
    if (router === undefined) return undefined;
    return new Hierarchical(
      {
        random,
        name,
        router,
        routerPort: servicePort,
        port: () => servicePort,
        link: (address) => this.linkTo(address),
        open: (to, timeout, observer) => this.sessions.open(to, timeout, observer),
        aggregates,
      },
      {
        acknowledged: (announced) => this.router?.handleAcknowledged(announced),
        pathChanged: (path, now) => this.router?.setPath(path, now),
      },
    );
  }

  private createRouter(): HierarchicalRouter {
    const { random, servicePort } = this.context;
    const { upstream } = this;
    const { aggregates = [] } = this.options;
    return new HierarchicalRouter({
      identity: upstream?.identity ?? randomIdentity(random),
      port: () => servicePort,
      link: (address) => this.linkTo(address),
      upstream,
      aggregates,
    });
  }

  private linkTo(address: NetworkAddress): number {
    return this.context.driver.stack.sal.links.towards(address).index;
  }
}
