// One host of a simulated world: interfaces, and a process with a stack on the virtual clock. Its sockets are
// those of a real host: it is a `SocketHost`. It can be paused, crash and start again.

import { AdHoc } from '../controller/policies/ad-hoc';
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
import { PolicySocket, type TalkingPolicy } from '../driver/policy-socket';
import { ErrorCode, ServalError } from '../errors';
import { WELL_KNOWN_PORT } from '../limits';
import type { PingAnswer, TraceAnswer } from '../sal/signaling/ping';
import type { ServiceCommand } from '../stack/control-interface';
import type { ConnectionState } from '../stack/handoff';
import type { Stack } from '../stack/stack';
import { DEFAULT_RULE_PRIORITY, DEFAULT_RULE_WEIGHT } from '../table/service-rule';
import type { SeededRandom } from '../time/seeded-random';
import type { NetworkAddress } from '../wire/network-address';
import { type ServiceID, ServicePrefix } from '../wire/service-id';
import type { SimulatedNetwork } from './network';
import { type HierarchyOptions, SimulatedHierarchy } from './simulated-hierarchy';
import type { SimulatedInterface } from './simulated-interface';
import type { SimulatedKernel } from './simulated-kernel';
import type { SimulatedLinkOptions } from './simulated-link';
import { SimulatedProcess } from './simulated-process';

export interface HostOptions {
  /** How packets travel: in UDP (default), or as IP protocol 144. */
  readonly link?: 'udp' | 'raw';
  /** Whether the host is a service router for others; default false. */
  readonly forwards?: boolean;
  /**
   * Whether instances that do not take connections are passed over, as on a real host; default true. Who is passed
   * over is asked again and again: a world that has one comes to rest only when its rule goes.
   */
  readonly ejects?: boolean;
  /** Whether flows move by themselves, as on a real host; default true. */
  readonly migrates?: boolean;
  /** Packets that a socket takes in one millisecond; default no limit. */
  readonly sendBuffer?: number;
  /** Makes the controller; default the ad hoc policy: services are looked for on each segment. */
  readonly controller?: (link: number, port: number) => ServiceController;
  /** Makes policies besides that talk to their like on other hosts. */
  readonly talking?: (link: number, port: number) => readonly TalkingPolicy[];
  /** Registers with a service router, is one, or both; default neither. A router forwards. */
  readonly hierarchy?: HierarchyOptions;
}

export class SimulatedHost implements SocketHost {
  readonly kernel: SimulatedKernel;
  readonly ready = Promise.resolve();
  private process: SimulatedProcess | undefined;
  private place: SimulatedHierarchy | undefined;
  private readonly random: SeededRandom;

  constructor(
    readonly name: string,
    private readonly network: SimulatedNetwork,
    random: SeededRandom,
    private readonly options: HostOptions = {},
  ) {
    this.random = random;
    this.kernel = network.kernel(name, () => this.process?.handleInterfaces());
    this.start();
  }

  get interfaces(): readonly SimulatedInterface[] {
    return this.kernel.networkInterfaces;
  }

  /** The stack of the process that runs, for checks. */
  get stack(): Stack {
    return this.running().stack;
  }

  /** Its place among the service routers, for checks. */
  get hierarchy(): SimulatedHierarchy | undefined {
    return this.place;
  }

  get isRunning(): boolean {
    return this.process !== undefined;
  }

  /** Where first packets to this host go: its address of that family on its first interface, with the port. */
  address(family: 4 | 6 = 4): NetworkAddress {
    for (const { addresses } of this.interfaces) {
      const found = addresses.find(({ address }) => address.family === family);
      if (found !== undefined) return found.address.withPort(this.servicePort);
    }
    throw new RangeError(`${this.name} has no IPv${family} address`);
  }

  /** The port of first packets; 0 where packets travel without ports. */
  get servicePort(): number {
    return this.options.link === 'raw' ? 0 : WELL_KNOWN_PORT;
  }

  // ---- SocketHost ----

  connect(target: ServiceID, options: ConnectOptions, observer: StreamObserver): StreamHandle {
    return this.running().sockets.connect(target, options, observer);
  }

  adopt(state: ConnectionState, observer: StreamObserver): StreamHandle {
    return this.running().sockets.adopt(state, observer);
  }

  listen(prefix: ServicePrefix, options: ListenOptions, observer: ListenerObserver): ListenerHandle {
    return this.running().sockets.listen(prefix, options, observer);
  }

  openDatagram(prefix: ServicePrefix | undefined, observer: DatagramObserver): DatagramHandle {
    return this.running().sockets.openDatagram(prefix, observer);
  }

  /** As `Host.ping`. */
  ping(target: ServiceID, options?: PingOptions): Promise<PingAnswer> {
    return this.running().sockets.ping(target, options);
  }

  /** As `Host.trace`. */
  trace(target: ServiceID, options?: PingOptions): Promise<TraceAnswer> {
    return this.running().sockets.trace(target, options);
  }

  // ---- rules ----

  command(command: ServiceCommand): void {
    this.running().command(command);
  }

  /** Adds a FORWARD rule: first packets for `prefix` (default: for any service) go to `address`. */
  forward(address: NetworkAddress, prefix: ServicePrefix = ServicePrefix.any, weight = DEFAULT_RULE_WEIGHT): void {
    const common = { action: 'forward', scope: 'network', broadcast: address.isMulticast } as const;
    const rule = { ...common, prefix, address, link: FIRST_LINK, priority: DEFAULT_RULE_PRIORITY, weight };
    this.command({ kind: 'addRule', rule });
  }

  /** One more policy, until the process ends. */
  addController(controller: ServiceController): void {
    this.running().driver.addController(controller);
  }

  /** A policy has been told something by a test: what it wants now is done. */
  runControllers(): void {
    this.running().driver.runControllers();
  }

  // ---- what may happen to a host ----

  /** The process is stuck: it reads nothing and its timers do not run, but the kernel goes on. */
  pause(): void {
    this.running().pause();
  }

  resume(): void {
    this.running().resume();
  }

  /** The process ends at once, with everything it knew; observers of its sockets hear nothing more. */
  crash(): void {
    this.process?.kill();
    this.process = undefined;
    this.place = undefined;
  }

  /** The process ends in good order: the routers around it hear that it goes. */
  stop(): void {
    this.place?.close();
    this.process?.drain();
    this.crash();
  }

  /** Starts a new process on a host that has none. */
  start(): void {
    if (this.process !== undefined) throw new Error(`${this.name} runs already`);
    const { controller, forwards, ejects, migrates, hierarchy } = this.options;
    const port = this.servicePort;
    const links = this.links();
    const random = this.random.fork();
    this.process = new SimulatedProcess({
      kernel: this.kernel,
      clock: this.network.clock,
      random,
      links,
      forwards: forwards ?? hierarchy?.isRouter ?? false,
      ejects: ejects ?? true,
      migrates: migrates ?? true,
      controllers: (link, { driver, sockets }) => {
        const { name } = this;
        const context = { name, driver, sockets, random, dataPort: links[0]!.port, servicePort: port };
        this.place = hierarchy && new SimulatedHierarchy(context, hierarchy);
        const talking = this.options.talking?.(link, port) ?? [];
        return [
          controller?.(link, port) ?? new AdHoc({ link, port }),
          ...(this.place?.controllers ?? []),
          ...talking.map((policy) => new PolicySocket(policy, driver)),
        ];
      },
    });
    this.place?.start(this.network.clock.now());
  }

  /** Flows have a port of their own, as with many processes on a host; first packets come to the well-known one. */
  private links(): SimulatedLinkOptions[] {
    const { link, sendBuffer } = this.options;
    const common = { mtu: DEFAULT_MTU, ...(sendBuffer === undefined ? {} : { sendBuffer }) };
    if (link === 'raw') return [{ ...common, port: 0, role: 'data' }];
    return [
      { ...common, port: this.kernel.ephemeralPort(), role: 'data' },
      { ...common, port: WELL_KNOWN_PORT, role: 'well-known' },
    ];
  }

  private running(): SimulatedProcess {
    if (this.process !== undefined) return this.process;
    throw new ServalError(ErrorCode.hostClosed, `${this.name} has crashed`);
  }
}

/** Index of the link that carries flows, behind the loopback link. */
const FIRST_LINK = 1;
const DEFAULT_MTU = 1500;
