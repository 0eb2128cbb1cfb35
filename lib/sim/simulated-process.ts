// One run of a simulated host's stack, from start to end: the stack, its driver on the virtual clock, the
// links, and the controller. When the process is killed, all of it is gone; the host may start another.

import { AutomaticMigration } from '../controller/policies/automatic-migration';
import { OutlierEjection } from '../controller/policies/outlier-ejection';
import type { ServiceController } from '../controller/service-controller';
import { type DriverEnvironment, StackDriver } from '../driver/stack-driver';
import { StackSockets } from '../driver/stack-sockets';
import type { NetworkInterface, ServiceCommand } from '../stack/control-interface';
import { Stack } from '../stack/stack';
import { type Instant, NEVER } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { TransmitBatch } from '../wire/transmit-batch';
import type { ScheduledEvent, SimulatedClock } from './clock';
import type { SimulatedKernel } from './simulated-kernel';
import { SimulatedLink, type SimulatedLinkOptions } from './simulated-link';
import { SimulatedLoopback } from './simulated-loopback';

export interface ProcessOptions {
  readonly kernel: SimulatedKernel;
  readonly clock: SimulatedClock;
  readonly random: RandomSource;
  /** The first is the one that carries flows. */
  readonly links: readonly SimulatedLinkOptions[];
  /** Whether the stack is a service router for others. */
  readonly forwards: boolean;
  /** Whether instances that do not answer are passed over. */
  readonly ejects: boolean;
  /** Whether flows move by themselves. */
  readonly migrates: boolean;
  /** Makes the controllers; `link` is the index of the first link. */
  readonly controllers: (link: number, process: SimulatedProcess) => readonly ServiceController[];
}

export class SimulatedProcess implements DriverEnvironment {
  readonly stack: Stack;
  readonly driver: StackDriver;
  readonly sockets: StackSockets;
  private readonly kernel: SimulatedKernel;
  private readonly clock: SimulatedClock;
  private readonly loopback: SimulatedLoopback;
  /** By the stack's index. */
  private readonly links = new Map<number, SimulatedLink>();
  private interfaces: readonly NetworkInterface[] = [];
  private timer: ScheduledEvent | undefined;
  private isAlive = true;
  private isPaused = false;
  /** What the event loop has to do once it runs again. */
  private backlog: (() => void)[] = [];

  constructor({ kernel, clock, random, links, forwards, ejects, migrates, controllers }: ProcessOptions) {
    this.kernel = kernel;
    this.clock = clock;
    this.stack = new Stack({ random, mtuTo: (_link, remote) => kernel.mtuTo(remote) });
    this.stack.setForwarding(forwards);
    this.driver = new StackDriver(this.stack, this);
    this.sockets = new StackSockets(this.driver, Promise.resolve());
    this.loopback = new SimulatedLoopback(clock, (batch) => this.driver.received(0, batch));
    const indexes = links.map((options) => this.openLink(options));
    for (const controller of controllers(indexes[0]!, this)) this.driver.addController(controller);
    if (migrates) this.driver.addController(new AutomaticMigration());
    if (ejects) this.driver.addController(new OutlierEjection(this.stack.sal.serviceTable));
    this.handleInterfaces();
  }

  // ---- what the host does ----

  command(command: ServiceCommand): void {
    this.driver.command(command);
  }

  /** The interfaces have changed: tells the controller what is new and what is gone. */
  handleInterfaces(): void {
    this.turn(() => {
      const before = this.interfaces;
      this.interfaces = this.kernel.describe();
      for (const gone of missing(before, this.interfaces)) {
        this.driver.tellControllers({ kind: 'interfaceDown', networkInterface: gone });
      }
      for (const added of missing(this.interfaces, before)) {
        this.driver.tellControllers({ kind: 'interfaceUp', networkInterface: added });
      }
    });
  }

  /** The event loop is stuck, as by a long computation: nothing is read, no timer runs. */
  pause(): void {
    this.isPaused = true;
    for (const link of this.receivers()) link.hold();
  }

  resume(): void {
    this.isPaused = false;
    for (const link of this.receivers()) link.release();
    for (const action of this.backlog.splice(0)) this.turn(action);
  }

  /** Sends what was written, as far as the links take it. */
  drain(): void {
    this.driver.drainNow();
  }

  /** Ends at once; nobody is told anything. */
  kill(): void {
    this.isAlive = false;
    this.timer?.cancel();
    this.backlog = [];
    for (const link of this.receivers()) link.close();
  }

  // ---- DriverEnvironment ----

  now(): Instant {
    return this.clock.now();
  }

  transmit(link: number, batch: TransmitBatch): boolean {
    return (this.links.get(link) ?? this.loopback).transmit(batch);
  }

  schedule(at: Instant): void {
    if (this.timer?.at === at) return;
    this.timer?.cancel();
    this.timer = at === NEVER ? undefined : this.clock.schedule(at, () => this.handleTimer());
  }

  requestFlush(): void {
    this.clock.schedule(this.now(), () => this.turn(() => this.driver.flush()));
  }

  private handleTimer(): void {
    this.timer = undefined;
    this.turn(() => this.driver.deadline());
  }

  private openLink(options: SimulatedLinkOptions): number {
    const link = new SimulatedLink(this.kernel, this.clock, options);
    const index = this.stack.attachLink(link.properties);
    this.links.set(index, link);
    link.open({
      received: (batch) => this.driver.received(index, batch),
      writable: () => this.turn(() => this.driver.writable(index)),
      unreachable: (address) => this.turn(() => this.driver.unreachable(address)),
      packetTooBig: (address, mtu) => this.turn(() => this.driver.packetTooBig(address, mtu)),
    });
    return index;
  }

  /** One turn of the event loop, now or when it runs again. */
  private turn(action: () => void): void {
    if (!this.isAlive) return;
    if (this.isPaused) this.backlog.push(action);
    else action();
  }

  private receivers(): (SimulatedLink | SimulatedLoopback)[] {
    return [this.loopback, ...this.links.values()];
  }
}

/** Those of `from` that are not in `others`. */
function missing(from: readonly NetworkInterface[], others: readonly NetworkInterface[]): NetworkInterface[] {
  return from.filter((one) => !others.some((other) => other.index === one.index && other.address.equals(one.address)));
}
