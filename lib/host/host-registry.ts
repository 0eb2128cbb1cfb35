// Makes the stacks of one host into one: elects the process that holds the well-known port, and lets the
// others register with it. It ends nobody's wait by asking: the kernel closes a Unix connection when a
// process dies, however it dies. No UDP here: the owner binds the port when it is told `holder`.
// Long because holder, member and the way from one to the other share one state.

import type { Server, Socket } from 'node:net';
import { ControllerSet } from '../controller/controller-set';
import { DepartedProcesses } from '../controller/policies/departed-processes';
import { HolderRoute } from '../controller/policies/holder-route';
import { MemberRegistrations } from '../controller/policies/member-registrations';
import type { ServiceInstance } from '../controller/service-controller';
import type { RegisteredTerms } from '../controller/session/session-message';
import { PEER_GONE_GRACE, REGISTRY_SEARCH_MAXIMUM, REGISTRY_SETTLE, REGISTRY_YIELD_PAUSE } from '../limits';
import type { ServiceCommand, ServiceEvent, TransportProtocol } from '../stack/control-interface';
import { DEMUX_WEIGHT } from '../table/service-rule';
import type { Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ServicePrefix } from '../wire/service-id';
import { LocalRegistrations } from './local-registrations';
import { loopbackAddress, type ProcessPort } from './process-port';
import { bindEndpoint, connectEndpoint } from './registry-endpoint';
import { RegistryHolder } from './registry-holder';
import { RegistryMember } from './registry-member';
import { pauseAfter, pauseFor } from './retry-pause';

/** `alone`: no holder answers; this process reaches others by broadcast only, and goes on trying. */
export type HostRole = 'holder' | 'member' | 'alone';

export interface HostRegistryOptions {
  /** See `defaultEndpoint`. */
  readonly endpoint: string;
  /** The data ports of this process; none on links without ports. */
  readonly ports: readonly ProcessPort[];
  /** Index of the link that the rules send by, as the stack numbered it. */
  readonly link: number;
  /** A service router has to be the holder: who is, is asked to make room. */
  readonly isRouter?: boolean;
  /** The router above this host. */
  readonly upstream?: UpstreamAccess | undefined;
}

/** What the registry wants of the way to the router above: as a holder, it tells what the other processes offer. */
export interface UpstreamAccess {
  handleRegistered(instance: ServiceInstance): void;
  handleUnregistered(instance: Omit<ServiceInstance, 'weight'>): void;
  handleGone(address: NetworkAddress): void;
  /** The others are back from a former holder, as far as they live: all that they offer is known. */
  complete(): void;
  whenAcknowledged(prefix: ServicePrefix, protocol: TransportProtocol): Promise<void>;
  /** As a member: whether to ask the router without the holder. False when there is none to be asked. */
  askRouter(isAsked: boolean): boolean;
}

/** Never called from inside a call to the registry, but for `command`. */
export interface HostRegistryObserver {
  /**
   * `holder`: bind the well-known port and say `serveOn`; if it cannot be bound, `serveOn` the data ports and
   * try on. Anything else: release it.
   */
  roleChanged(role: HostRole): Promise<void> | void;
  command(command: ServiceCommand): void;
  /** Something is wrong on this host, and the registry goes on trying: told once for each message. */
  problem(error: Error): void;
}

export class HostRegistry {
  private currentRole: HostRole | undefined;
  private holder: RegistryHolder | undefined;
  private member: RegistryMember | undefined;
  /** Where the owner receives first packets, once it has said so. */
  private service: readonly ProcessPort[] | undefined;
  /** Runs while the registrations of a former holder's members arrive: until then an unknown service may be one. */
  private settling: NodeJS.Timeout | undefined;
  private searching: NodeJS.Timeout | undefined;
  private readonly graces = new Set<NodeJS.Timeout>();
  private readonly problems = new Set<string>();
  private readonly closing = new AbortController();
  private referenced = false;
  /** Where the holder resolves first packets, while this process is a member. */
  private holderAddress: NetworkAddress | undefined;
  /** Instead of a holder that does not answer. */
  private isRouterAsked = false;
  private started: Promise<HostRole> | undefined;
  private settleStart: ((role: HostRole) => void) | undefined;

  private readonly registrations = new LocalRegistrations();
  private readonly route: HolderRoute;
  private readonly members: MemberRegistrations;
  private readonly departures = new DepartedProcesses();
  private readonly policies: ControllerSet;

  constructor(
    private readonly options: HostRegistryOptions,
    private readonly observer: HostRegistryObserver,
  ) {
    this.route = new HolderRoute(options.link);
    this.members = new MemberRegistrations(() => options.link, 'host');
    this.policies = new ControllerSet([this.members, this.route, this.departures]);
  }

  get role(): HostRole | undefined {
    return this.currentRole;
  }

  /** Whether all that the processes of this host offer is known here. */
  get isComplete(): boolean {
    return this.currentRole === 'holder' && this.settling === undefined;
  }

  /** The process that knows what all on this host offer, if that is another one. */
  get wayToHolder(): NetworkAddress | undefined {
    return this.route.address;
  }

  /** Processes registered here, if this is the holder. */
  get memberCount(): number {
    return this.holder?.memberCount ?? 0;
  }

  /** What the stack reports: registrations of local sockets, and interfaces. */
  handleEvent(event: ServiceEvent, now: Instant): void {
    if (event.kind === 'registered') {
      const { prefix, protocol, weight, picker } = event;
      void this.register(prefix, protocol, { weight, picker });
    }
    if (event.kind === 'unregistered') this.unregister(event.prefix, event.protocol, event.isWithdrawn);
    this.policies.handleEvent(event, now);
    this.carryOut();
  }

  /** Resolves when the first role is known, at the latest after REGISTRY_SEARCH_MAXIMUM. */
  start(): Promise<HostRole> {
    if (this.closing.signal.aborted) return Promise.resolve('alone');
    this.started ??= new Promise((resolve) => {
      this.settleStart = resolve;
      this.seek();
      void this.run();
    });
    return this.started;
  }

  /**
   * Makes a service of this process known to the host. Resolves when the other processes reach it. Rejects
   * with ENOBUFS when the holder takes no more; the service is then reachable inside this process alone.
   */
  register(
    prefix: ServicePrefix,
    protocol: TransportProtocol,
    terms: RegisteredTerms = { weight: DEMUX_WEIGHT },
  ): Promise<void> {
    // The default prefix stays a local matter: the holder would lose all unknown services to it.
    if (prefix.bits === 0 || this.closing.signal.aborted) return Promise.resolve();
    const registration = this.registrations.add(prefix, protocol, terms);
    if (this.currentRole === 'holder' || (this.currentRole === 'alone' && !this.member)) registration.confirm();
    else this.member?.register(registration);
    return registration.confirmed;
  }

  /** What `register` promised; resolves when there is no such registration. */
  whenRegistered(prefix: ServicePrefix, protocol: TransportProtocol): Promise<void> {
    return this.registrations.find(prefix, protocol)?.confirmed ?? Promise.resolve();
  }

  /** `isWithdrawn`: its socket is still there, and will be unregistered again when it closes. */
  unregister(prefix: ServicePrefix, protocol: TransportProtocol, isWithdrawn = false): void {
    this.registrations.remove(prefix, protocol);
    this.member?.unregister(prefix, protocol, isWithdrawn);
  }

  /** As the holder: first packets are received at these ports now. May be called again when they change. */
  serveOn(service: readonly ProcessPort[]): void {
    if (this.service !== undefined && JSON.stringify(service) === JSON.stringify(this.service)) return;
    this.service = service;
    this.serve();
  }

  /** Whether the registry keeps the process alive; at first it does not. */
  ref(): void {
    this.referenced = true;
    this.holder?.ref();
    this.member?.ref();
  }

  unref(): void {
    this.referenced = false;
    this.holder?.unref();
    this.member?.unref();
  }

  /** Says goodbye. The rules stay in the table: it is about to go, too. */
  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.searching);
    clearTimeout(this.settling);
    for (const grace of this.graces) clearTimeout(grace);
    this.registrations.confirmAll();
    this.settleStart?.(this.currentRole ?? 'alone');
    await Promise.all([this.holder?.close(), this.member?.close()]);
  }

  /** Binds the endpoint or connects to who has it, until one of the two lasts. */
  private async run(): Promise<void> {
    for (let failures = 0; !this.closing.signal.aborted; failures++) {
      try {
        const server = await bindEndpoint(this.options.endpoint);
        if (server !== undefined) return this.lead(server);
        const socket = await connectEndpoint(this.options.endpoint);
        // One that had welcomed us: its place is free at this moment.
        if (socket !== undefined && (await this.follow(socket))) failures = -1;
      } catch (error) {
        this.tell(error as Error);
      }
      const ref = this.currentRole === undefined || this.referenced;
      if (failures >= 0) await pauseAfter(failures, { ref, signal: this.closing.signal });
    }
  }

  private lead(server: Server): void {
    if (this.closing.signal.aborted) {
      server.close();
      return;
    }
    const { upstream } = this.options;
    this.holder = new RegistryHolder(server, this.options.ports, {
      registered: (instance) => {
        this.decide(() => {
          this.members.handleRegistered(instance);
          this.route.handleOffered(instance.prefix);
        });
        upstream?.handleRegistered(instance);
        return upstream?.whenAcknowledged(instance.prefix, instance.protocol);
      },
      unregistered: (instance) => {
        this.decide(() => this.members.handleUnregistered(instance));
        upstream?.handleUnregistered(instance);
      },
      withdrawn: (instance) => {
        this.decide(() => this.members.handleWithdrawn(instance));
        upstream?.handleUnregistered(instance);
      },
      memberGone: (address) => {
        this.decide(() => this.members.handleMemberGone(address));
        upstream?.handleGone(address);
      },
      yieldAsked: () => void this.yield(),
      departed: (ports) => this.handleDeparted(ports),
    });
    if (this.referenced) this.holder.ref();
    if (this.currentRole !== undefined) this.settling = setTimeout(() => this.handleSettled(), REGISTRY_SETTLE).unref();
    this.registrations.confirmAll();
    this.assume('holder');
    this.serve();
  }

  /** Resolves when the connection has ended: whether it ever was a welcome one. */
  private follow(socket: Socket): Promise<boolean> {
    if (this.closing.signal.aborted) {
      socket.destroy();
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      let welcome = false;
      const member = new RegistryMember(socket, this.options.ports, {
        welcomed: (service) => {
          welcome = true;
          this.handleWelcome(service);
          if (this.options.isRouter === true) member.askToYield();
        },
        registered: (id) => this.registrations.confirm(id),
        refused: (id, reason) => this.registrations.refuse(id, reason),
        departed: (ports) => this.handleDeparted(ports),
        holderSilent: (isSilent, pid) => this.handleHolderSilent(isSilent, pid),
        lost: ({ holder, reason, yields }) => {
          this.member = undefined;
          this.askRouter(false);
          if (holder !== undefined) this.handleDeparted(holder);
          if (reason !== undefined) this.tell(new Error(`the holder of this host refused this process: ${reason}`));
          if (welcome) this.seek();
          if (yields === true && this.options.isRouter !== true)
            return void this.makeRoom().then(() => resolve(welcome));
          resolve(welcome && reason === undefined);
        },
      });
      this.member = member;
      // While the first role is open the process waits for it; later nobody does.
      if (this.currentRole !== undefined && !this.referenced) member.unref();
      for (const registration of this.registrations) member.register(registration);
    });
  }

  /** A service router of this host takes over. Its first packets, and our own, find nobody for some milliseconds. */
  private async yield(): Promise<void> {
    const { holder } = this;
    if (holder === undefined || this.options.isRouter === true || this.closing.signal.aborted) return;
    this.holder = this.service = undefined;
    clearTimeout(this.settling);
    this.settling = undefined;
    this.currentRole = 'alone';
    this.seek();
    await this.observer.roleChanged('alone');
    void holder.close(true);
    await this.makeRoom();
    await this.run();
  }

  private makeRoom(): Promise<void> {
    return pauseFor(REGISTRY_YIELD_PAUSE, { ref: this.referenced, signal: this.closing.signal });
  }

  private handleWelcome(service: readonly ProcessPort[]): void {
    clearTimeout(this.searching);
    if (!this.referenced) this.member?.unref();
    this.holderAddress = loopbackAddress(service)!;
    this.decide(() => this.route.handleHolder(this.holderAddress!));
    this.assume('member');
  }

  /**
   * It cannot be replaced while it has the ports. What it would resolve waits in its sockets - unless there is a router:
   * that knows other hosts, and within a lease that this one does not answer.
   */
  private handleHolderSilent(isSilent: boolean, pid: number): void {
    if (isSilent)
      this.tell(new Error(`the holder of this host, process ${pid}, does not answer: its event loop is stuck`));
    this.askRouter(isSilent);
  }

  private askRouter(isAsked: boolean): void {
    if (isAsked === this.isRouterAsked || this.options.upstream?.askRouter(isAsked) !== true) return;
    this.isRouterAsked = isAsked;
    this.decide(() => {
      if (isAsked) this.route.handleNoHolder();
      else this.route.handleHolder(this.holderAddress!);
    });
  }

  private seek(): void {
    this.decide(() => this.route.handleSeeking());
    this.searching = setTimeout(() => this.handleNotFound(), REGISTRY_SEARCH_MAXIMUM);
    if (this.currentRole !== undefined) this.searching.unref();
  }

  private handleNotFound(): void {
    this.decide(() => this.route.handleNoHolder());
    if (this.currentRole === 'holder') return;
    this.registrations.confirmAll();
    if (!this.referenced) this.member?.unref();
    this.assume('alone');
  }

  private handleSettled(): void {
    this.settling = undefined;
    this.options.upstream?.complete();
    this.serve();
  }

  /** The others are welcome at once. First packets whose service none of them has registered yet wait a little. */
  private serve(): void {
    if (this.holder === undefined || this.service === undefined) return;
    clearTimeout(this.searching);
    this.holder.serveOn(this.service);
    if (this.settling === undefined) this.decide(() => this.route.handleNoHolder());
  }

  /** What the ended process sent last may still be in our sockets: its connections fail a little later. */
  private handleDeparted(ports: readonly ProcessPort[]): void {
    if (ports.length === 0) return;
    const grace = setTimeout(() => {
      this.graces.delete(grace);
      this.decide(() => this.departures.handleDeparted(ports));
    }, PEER_GONE_GRACE).unref();
    this.graces.add(grace);
  }

  private assume(role: HostRole): void {
    if (role === this.currentRole) return;
    this.currentRole = role;
    this.observer.roleChanged(role);
    this.settleStart?.(role);
  }

  private decide(decision: () => void): void {
    if (this.closing.signal.aborted) return;
    decision();
    this.carryOut();
  }

  private carryOut(): void {
    for (let command = this.policies.pollCommand(); command; command = this.policies.pollCommand()) {
      this.observer.command(command);
    }
  }

  private tell(error: Error): void {
    if (this.problems.has(error.message) || this.closing.signal.aborted) return;
    this.problems.add(error.message);
    this.observer.problem(error);
  }
}
