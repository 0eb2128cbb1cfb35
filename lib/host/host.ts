// A real host: one `Stack` with links, a clock and chance, one of the processes that share a machine. All that
// is decided is decided below; here it is only carried out.
// Long because what a host is made of comes together here.

import type { HostFacts, HostStatistics } from '../control/controlled-host';
import { AdHoc } from '../controller/policies/ad-hoc';
import { AutomaticMigration } from '../controller/policies/automatic-migration';
import type { ServiceController } from '../controller/service-controller';
import type {
  ConnectOptions,
  DatagramHandle,
  DatagramObserver,
  ListenerHandle,
  ListenerObserver,
  ListenOptions,
  PingOptions,
  SocketHost,
  StreamHandle,
  StreamObserver,
} from '../driver/handles';
import { StackDriver } from '../driver/stack-driver';
import { StackSockets } from '../driver/stack-sockets';
import { ErrorCode, ServalError } from '../errors';
import { RETRY_WELL_KNOWN_PORT, RETRY_WELL_KNOWN_PORT_MINIMUM, ROUTER_PLACE_TIMEOUT } from '../limits';
import { InterfaceMonitor } from '../link/interface-monitor';
import type { PingAnswer, TraceAnswer } from '../sal/signaling/ping';
import { serviceID } from '../socket/service-name';
import type { ServiceCommand, ServiceEvent, TransportProtocol } from '../stack/control-interface';
import type { ConnectionState } from '../stack/handoff';
import { Stack } from '../stack/stack';
import type { Instant } from '../time/instant';
import { FlowTag } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import type { ServiceID, ServicePrefix } from '../wire/service-id';
import { configurationFrom, type HostConfiguration, type HostOptions } from './configuration';
import { DeadlineTimer } from './deadline-timer';
import { Discovery } from './discovery';
import { Hierarchy, type RouterDuty } from './hierarchy';
import { HostControl } from './host-control';
import { HostLinks } from './host-links';
import { HostRegistry, type HostRole } from './host-registry';
import { machineIdentity, startChoosing, startingSlowly } from './instance-choice';
import { monotonicNow } from './monotonic-clock';
import type { ProcessPort } from './process-port';
import { defaultEndpoint } from './registry-endpoint';
import { SystemRandom } from './system-random';

/**
 * A host of its own: sockets made on it share its links, its tables and its well-known port. A process has
 * a default one, made on first use; more are for tests and for programs that serve several networks.
 *
 * `options` override the `SERVAL_*` environment variables (docs/configuration.md). Throws a TypeError or
 * RangeError for options out of bounds; what fails while it starts is told by `ready`.
 */
export function createHost(options: HostOptions = {}): Host {
  return new Host(configurationFrom(options, process.env));
}

export class Host implements SocketHost {
  /** Resolves when links are up and first packets can leave. */
  readonly ready: Promise<void>;
  /** The same without the control interface, for which nobody who listens has to wait. */
  private readonly started: Promise<void>;
  private readonly driver: StackDriver;
  private readonly sockets: StackSockets;
  private readonly links: HostLinks;
  private readonly control: HostControl;
  /** Its place among the service routers. */
  readonly hierarchy: Hierarchy;
  private readonly timer = new DeadlineTimer(() => this.driver.deadline());
  private monitor: InterfaceMonitor | undefined;
  private registry: HostRegistry | undefined;
  private discovery: Discovery | undefined;
  /** Done when the well-known port is open, or closed, as the role wants it. */
  private roleChange: Promise<void> | undefined;
  private portRetry: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;
  private readonly handleExit = (): void => {
    this.control.closeNow();
    this.sayGoodbye();
  };

  /**
   * `forget` is called at once when the host is closed: who keeps it for others to use, keeps it no longer. `duty`:
   * what a service router has to do besides.
   */
  constructor(
    readonly configuration: HostConfiguration,
    private readonly forget: (host: Host) => void = () => {},
    duty?: RouterDuty,
  ) {
    const random = new SystemRandom();
    const flowTag = configuration.links.includes('raw') ? FlowTag.of(random.uint32()) : undefined;
    const stack = new Stack({
      random,
      flowTag,
      identity: machineIdentity(),
      mtuTo: (link, remote) => this.links.mtuTo(link, remote),
    });
    stack.isStarting = true;
    stack.setRelaying(duty?.relayReplies === true);
    this.driver = new StackDriver(stack, {
      now: monotonicNow,
      transmit: (link, batch) => this.links.transmit(link, batch),
      schedule: (at) => this.timer.set(at),
      requestFlush: () => void setImmediate(() => this.driver.flush()),
      keepAlive: (isWanted) => this.links.keepAlive(isWanted),
    });
    this.driver.onServiceEvent = (event, now) => this.handleServiceEvent(event, now);
    this.links = new HostLinks(configuration, this.driver, flowTag, (error) => this.warn(error));
    this.control = new HostControl(
      this,
      configuration,
      this.driver,
      { facts: () => this.facts(), registeredHosts: () => this.hierarchy.registeredHosts() },
      (error) => this.warn(error),
    );
    const isSeen = this.control.open();
    this.started = this.start();
    this.ready = this.started.then(() => isSeen);
    // Told to whoever awaits it; sockets see the failure as a host without a route.
    this.ready.catch(() => {});
    this.sockets = new StackSockets(this.driver, this.ready);
    this.hierarchy = this.createHierarchy(random, duty);
    process.on('exit', this.handleExit);
  }

  // ---- SocketHost ----

  connect(target: ServiceID, options: ConnectOptions, observer: StreamObserver): StreamHandle {
    this.checkOpen('connect');
    return this.sockets.connect(target, options, observer);
  }

  adopt(state: ConnectionState, observer: StreamObserver): StreamHandle {
    this.checkOpen('adopt');
    return this.sockets.adopt(state, observer);
  }

  listen(prefix: ServicePrefix, options: ListenOptions, observer: ListenerObserver): ListenerHandle {
    this.checkOpen('listen');
    const handle = this.sockets.listen(prefix, options, observer);
    handle.registered = this.whenRegistered(prefix, 6);
    return handle;
  }

  openDatagram(prefix: ServicePrefix | undefined, observer: DatagramObserver): DatagramHandle {
    this.checkOpen('bind');
    const handle = this.sockets.openDatagram(prefix, observer);
    if (prefix !== undefined) handle.registered = this.whenRegistered(prefix, 17);
    return handle;
  }

  /**
   * Asks which instance of a service takes connections now: how long its answer takes, where it is, and which routers
   * the first packet passed. Its application sees nothing of it. Rejects as a connect fails, and with
   * ERR_SERVAL_INVALID_NAME or ERR_INVALID_ARG_TYPE for what names no service.
   */
  async ping(target: string | ServiceID, options?: PingOptions): Promise<PingAnswer> {
    this.checkOpen('ping');
    return this.sockets.ping(serviceID(target), options);
  }

  /**
   * The same, and how far each router on the way is: they are asked, too, all at once. `null` for one that does not answer
   * within a second, or four round trips to the instance.
   */
  async trace(target: string | ServiceID, options?: PingOptions): Promise<TraceAnswer> {
    this.checkOpen('ping');
    return this.sockets.trace(serviceID(target), options);
  }

  // ---- what a host is ----

  /** `holder`: this process has the well-known port and is the service router of its machine. */
  get role(): HostRole | undefined {
    return this.registry?.role;
  }

  /** The UDP port this process's flows use; 0 without a link that has ports. */
  get port(): number {
    return this.links.encapsulated?.link.port ?? 0;
  }

  /** What carries its packets: `udp`, `udp-dgram`, `raw`. */
  get linkKinds(): readonly string[] {
    return this.links.kinds;
  }

  /** Counters of the stack, of each link by its name, and of what met the rules of the service table. */
  statistics(): HostStatistics {
    const { counters, serviceTable } = this.driver.stack.sal;
    return { stack: counters.toObject(), links: this.links.statistics(), table: serviceTable.totals };
  }

  /** Where this host can be looked at and steered (docs/control.md), once it is ready; `undefined` without. */
  get controlPath(): string | undefined {
    return this.control.endpoint;
  }

  /**
   * Ends the host: its open connections fail with ERR_SERVAL_HOST_CLOSED here and with ECONNRESET at their peers,
   * and it leaves the machine's registry. Resolves when nothing of it keeps the process alive.
   */
  close(): Promise<void> {
    if (this.closing === undefined) {
      this.forget(this);
      this.closing = this.shutDown();
    }
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ---- starting ----

  private createHierarchy(random: SystemRandom, duty: RouterDuty | undefined): Hierarchy {
    const { configuration, driver, sockets, links } = this;
    const problem = (error: Error): void => this.warn(error);
    const hierarchy = new Hierarchy({ configuration, driver, sockets, links, random, duty, problem });
    driver.addController(startingSlowly(hierarchy.controller, duty?.slowStart));
    hierarchy.listen();
    return hierarchy;
  }

  private async start(): Promise<void> {
    try {
      await this.links.start();
      await this.startControllers();
    } finally {
      this.driver.started();
    }
  }

  private async startControllers(): Promise<void> {
    if (this.closing !== undefined) return;
    startChoosing(this.driver, this.configuration);
    const { migration } = this.configuration;
    if (migration !== false)
      this.driver.addController(new AutomaticMigration(migration === true ? {} : { prefer: migration }));
    for (const link of this.links.indexes()) {
      for (const policy of this.policiesOf(link)) this.driver.addController(policy);
    }
    this.discovery = this.startDiscovery();
    this.monitor = new InterfaceMonitor({ native: this.configuration.native });
    await this.monitor.start((event) => this.driver.tellControllers(event));
    await this.joinRegistry();
  }

  /** What a link is used for without configuration. */
  private policiesOf({ index, encapsulated }: { index: number; encapsulated: boolean }): ServiceController[] {
    const { broadcast, port } = this.configuration;
    return broadcast ? [new AdHoc({ link: index, port: encapsulated ? port : 0 })] : [];
  }

  private startDiscovery(): Discovery {
    const { configuration, driver } = this;
    const { random } = driver.stack;
    const problem = (error: Error): void => this.warn(error);
    const links = [...this.links.indexes()];
    const holder = (): NetworkAddress | undefined => this.registry?.wayToHolder;
    return new Discovery({ configuration, driver, links, random, holder, problem });
  }

  /** Many processes, one host: one of them holds the well-known port. */
  private async joinRegistry(): Promise<void> {
    const data = this.links.encapsulated;
    const { registry, port } = this.configuration;
    if (data === undefined || registry === 'off') {
      return this.standAlone();
    }
    this.registry = new HostRegistry(
      {
        endpoint: registry === 'default' ? defaultEndpoint(port) : registry.path,
        ports: this.links.dataPorts(),
        link: data.index,
        isRouter: this.hierarchy.router !== undefined,
        upstream: this.discovery?.beside(this.hierarchy) ?? this.hierarchy,
      },
      {
        roleChanged: (role) => {
          this.roleChange = this.handleRole(role);
          return this.roleChange;
        },
        command: (command) => this.carryOut(command),
        problem: (error) => this.warn(error),
      },
    );
    for (const event of this.earlyRegistrations.splice(0)) this.registry.handleEvent(event, monotonicNow());
    await this.registry.start();
    await this.roleChange;
    if (this.hierarchy.router !== undefined) await this.whenInPlace(port);
  }

  /** A service router is one when it has the well-known port; who has it before makes room. */
  private async whenInPlace(port: number): Promise<void> {
    const giveUpAt = monotonicNow() + ROUTER_PLACE_TIMEOUT;
    while (!this.hierarchy.isInPlace && this.closing === undefined) {
      if (monotonicNow() >= giveUpAt) throw portTaken(port);
      await this.hierarchy.whenAwoken(giveUpAt - monotonicNow());
    }
  }

  /** Nobody else speaks for this process. What is asked of it comes to where its flows are, but for a router's. */
  private async standAlone(): Promise<void> {
    const isRouter = this.hierarchy.router !== undefined;
    this.driver.stack.setForwarding(isRouter || this.configuration.servd === 'router');
    const ports = isRouter ? await this.links.openWellKnown() : this.links.dataPorts();
    this.hierarchy.start(ports[0]?.port ?? 0, true);
    this.discovery?.serve(ports[0]?.port ?? 0);
  }

  private async handleRole(role: HostRole): Promise<void> {
    this.control.tell({ kind: 'role', role });
    this.driver.stack.setForwarding(role === 'holder' || this.configuration.servd === 'router');
    clearTimeout(this.portRetry);
    if (role === 'holder') await this.holdPort();
    else {
      this.hierarchy.stop();
      this.discovery?.stopServing();
      await this.links.closeWellKnown();
    }
  }

  /**
   * Until the port can be had, first packets for the host come to our data port, from its processes at least. A former
   * holder's kernel may take a moment to let go of it.
   */
  private async holdPort(failures = 0): Promise<void> {
    try {
      this.serveOn(await this.links.openWellKnown());
    } catch (error) {
      if (this.closing !== undefined) return;
      const pause = RETRY_WELL_KNOWN_PORT_MINIMUM * 2 ** failures;
      // Once, when it has been long.
      if (pause >= RETRY_WELL_KNOWN_PORT && pause < 2 * RETRY_WELL_KNOWN_PORT) this.warn(error as Error);
      this.serveOn(this.links.dataPorts());
      const retry = () => void this.retryPort(failures + 1);
      this.portRetry = setTimeout(retry, Math.min(pause, RETRY_WELL_KNOWN_PORT)).unref();
    }
  }

  private serveOn(ports: readonly ProcessPort[]): void {
    if (this.closing !== undefined || this.role !== 'holder') return;
    this.registry?.serveOn(ports);
    this.hierarchy.start(ports[0]!.port, this.registry?.isComplete === true);
    this.discovery?.serve(ports[0]!.port);
  }

  private async retryPort(failures: number): Promise<void> {
    if (this.closing === undefined && this.role === 'holder') await this.holdPort(failures);
  }

  // ---- controllers ----

  /** Services that listened before the registry was there. */
  private readonly earlyRegistrations: ServiceEvent[] = [];

  /** Who hears 'listening' may tell another process to connect: the holder must know the service by then. */
  private async whenRegistered(prefix: ServicePrefix, protocol: TransportProtocol): Promise<void> {
    await this.started.catch(() => {});
    // What the stack says of the new socket comes with the flush that is under way.
    await new Promise((resolve) => setImmediate(resolve));
    await this.registry?.whenRegistered(prefix, protocol);
    await this.hierarchy.whenAcknowledged(prefix, protocol);
  }

  private handleServiceEvent(event: ServiceEvent, now: Instant): void {
    this.control.tell({ kind: 'service', event });
    if (this.registry !== undefined) this.registry.handleEvent(event, now);
    else if (event.kind === 'registered' || event.kind === 'unregistered') this.earlyRegistrations.push(event);
  }

  private carryOut(command: ServiceCommand): void {
    this.driver.command(command);
  }

  private facts(): HostFacts {
    const { port, router } = this.configuration;
    return {
      role: this.role ?? null,
      port: this.port,
      wellKnownPort: port,
      links: this.linkKinds,
      router: router === undefined ? null : { asked: router.toString(), ...this.hierarchy.facts() },
      statistics: this.statistics(),
    };
  }

  // ---- ending ----

  private checkOpen(syscall: string): void {
    if (this.closing === undefined) return;
    throw new ServalError(ErrorCode.hostClosed, `${syscall} ${ErrorCode.hostClosed} the host was closed`, { syscall });
  }

  private async shutDown(): Promise<void> {
    process.off('exit', this.handleExit);
    clearTimeout(this.portRetry);
    this.discovery?.close();
    this.sayGoodbye();
    await this.ready.catch(() => {});
    await this.control.close();
    // The next holder can have the port when it hears of the registry's end.
    await this.links.closeWellKnown();
    await this.registry?.close();
    this.monitor?.close();
    this.timer.stop();
    await this.links.close();
  }

  /** What is written leaves as far as it can; who still talks to us is told that nobody is here. */
  private sayGoodbye(): void {
    this.hierarchy.close();
    this.driver.drainNow();
    this.driver.stack.resetOpenConnections(monotonicNow());
    this.driver.drainNow();
  }

  private warn(error: Error): void {
    process.emitWarning(error.message, { type: 'ServalWarning', code: 'SERVAL_HOST' });
  }
}

function portTaken(port: number): ServalError {
  const code = ErrorCode.serviceInUse;
  return new ServalError(code, `${code} another process of this host has port ${port}; a router must have it itself`, {
    port,
  });
}
