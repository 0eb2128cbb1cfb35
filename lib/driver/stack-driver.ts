// Runs one `Stack` for whoever has the clock and the links: the real host and the simulated one. One input,
// then every output: what happened to the sockets, what leaves, when to be called again.

import { ControllerSet } from '../controller/controller-set';
import { CurrentEvents } from '../controller/current-events';
import type { ServiceController } from '../controller/service-controller';
import { DRAIN_BYTES_MAXIMUM, DRAIN_ROUNDS, TRANSMIT_DELAY_MAXIMUM } from '../limits';
import type { ServiceCommand, ServiceEvent } from '../stack/control-interface';
import type { Stack } from '../stack/stack';
import type { StackEvent } from '../stack/stack-event';
import { earlier, type Instant } from '../time/instant';
import type { NetworkAddress } from '../wire/network-address';
import type { ReceivedBatch } from '../wire/received-batch';
import type { TransmitBatch } from '../wire/transmit-batch';
import type { DatagramHandleOverStack } from './datagram-handle';
import type { ListenerHandleOverStack } from './listener-handle';
import type { PingHandle } from './ping-handle';
import { ReferenceCount } from './reference';
import { StreamHandleOverStack } from './stream-handle';

/** What a driver needs of the world. */
export interface DriverEnvironment {
  now(): Instant;
  /** False when the link holds a rest: `writable` is called when it has gone. */
  transmit(link: number, batch: TransmitBatch): boolean;
  /** Arms the one timer: `deadline` is to be called then. `NEVER` disarms it. */
  schedule(at: Instant): void;
  /** Calls `flush` once, later in this turn of the event loop: what is written until then leaves together. */
  requestFlush(): void;
  /** Whether open sockets want the process to stay alive. */
  keepAlive?(isWanted: boolean): void;
}

export class StackDriver {
  /** Called for what controllers are told, behind them. */
  onServiceEvent: ((event: ServiceEvent, now: Instant) => void) | undefined;
  /** Called for each command, before it is carried out. */
  onServiceCommand: ((command: ServiceCommand) => void) | undefined;
  /** The policies beside the stack (§4.3): they hear what happens, and their commands are carried out. */
  private readonly controllers = new ControllerSet();
  private readonly currentEvents = new CurrentEvents();
  readonly references: ReferenceCount;
  private isDraining = false;
  private isFlushRequested = false;
  /** A burst was told of, and `settled` is to follow. */
  private isSettling = false;
  /** What waits to be transmitted in this turn has waited since then at most. */
  private waitingSince = 0 as Instant;
  /** Payload, since the beginning. */
  private bytesTransmitted = 0;
  /** When the latest event was told. */
  private toldAt = 0 as Instant;

  constructor(
    readonly stack: Stack,
    private readonly environment: DriverEnvironment,
  ) {
    this.references = new ReferenceCount((isHeld) => environment.keepAlive?.(isHeld));
  }

  /** While events are told, when the latest was: the clock has its price, and nobody measures by it. */
  now(): Instant {
    return this.isDraining ? this.toldAt : this.environment.now();
  }

  // ---- inputs from the world ----

  /**
   * One burst. `settles`: the link calls `settled` when what the application puts off to the end of the tick has run,
   * so that an answer, an end and the acknowledgment of what came leave in one packet.
   */
  received(link: number, batch: ReceivedBatch, settles = false): void {
    this.stack.handleReceived(link, batch, this.environment.now());
    if (!settles || this.isDraining) return this.drain();
    if (this.holdsReferences()) this.transmit();
    this.isSettling = true;
    this.isDraining = true;
    try {
      this.dispatchEvents();
    } finally {
      this.isDraining = false;
    }
  }

  settled(): void {
    this.isSettling = false;
    this.drain();
  }

  writable(link: number): void {
    this.stack.outputs()[link]!.isCongested = false;
    this.drain();
  }

  deadline(): void {
    const now = this.now();
    this.stack.handleDeadline(now);
    if (this.controllers.nextDeadline() <= now) this.controllers.handleDeadline(now);
    this.carryOut();
    this.drain();
  }

  unreachable(address: NetworkAddress): void {
    this.stack.hints.handleUnreachable(address, this.now());
    this.drain();
  }

  packetTooBig(address: NetworkAddress, mtu: number): void {
    this.stack.hints.handlePacketTooBig(address, mtu, this.now());
    this.drain();
  }

  command(command: ServiceCommand): void {
    this.onServiceCommand?.(command);
    this.stack.handleCommand(command, this.now());
    this.requestDrain();
  }

  /** It is told what is registered and which interfaces are up, as if it had been there from the start. */
  addController(controller: ServiceController): void {
    const now = this.now();
    for (const event of this.currentEvents) controller.handleEvent(event, now);
    this.controllers.add(controller);
    this.runControllers();
  }

  /** It hears nothing more; the rules it asked for stay. */
  removeController(controller: ServiceController): void {
    this.controllers.delete(controller);
  }

  /** For events that do not come from the stack: what the interfaces do, which it is told as well. */
  tellControllers(event: ServiceEvent): void {
    const now = this.now();
    if (event.kind === 'interfaceUp') this.stack.mobility.handleInterfaceUp(event.networkInterface, now);
    if (event.kind === 'interfaceDown') this.stack.mobility.handleInterfaceDown(event.networkInterface, now);
    if (event.kind === 'interfaceUp' || event.kind === 'interfaceDown') this.stack.handleAddressesChanged(now);
    this.tell(event, now);
    this.runControllers();
  }

  /** A controller has been told something by other ways: what it wants now is carried out, and its deadline kept. */
  runControllers(): void {
    this.carryOut();
    this.requestDrain();
  }

  flush(): void {
    this.isFlushRequested = false;
    this.drain();
  }

  /** A socket has done something, `now`: drain before the event loop's turn ends. */
  requestDrain(now = this.now()): void {
    if (this.isDraining) return;
    if (this.isFlushRequested || this.isSettling) return this.transmitOverdue(now);
    this.isFlushRequested = true;
    this.waitingSince = now;
    this.environment.requestFlush();
  }

  /** Makes room at once for a packet that found none. */
  transmitNow(): void {
    this.transmit();
  }

  /** The first rules are in place: connects that waited for one go on, or fail. */
  started(): void {
    this.stack.handleStarted(this.now());
    this.requestDrain();
  }

  /**
   * Sends what waits, as far as the links take it. For the end of a process, when no turn comes any more: it may
   * end inside a call to a socket, in the middle of a drain, and nobody is told of anything then.
   */
  drainNow(): void {
    if (!this.isDraining) return this.drain();
    for (let round = 0, more = true; more && round < DRAIN_ROUNDS; round++) {
      more = this.stack.pollTransmit(this.environment.now());
      if (!this.transmit()) return;
    }
  }

  // ---- outputs ----

  private drain(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    const { bytesTransmitted } = this;
    try {
      for (let round = 0; ; round++) {
        this.dispatchEvents();
        const more = this.stack.pollTransmit(this.environment.now());
        const moved = this.transmit();
        if (!more && !this.hasEvents()) break;
        if (more && !moved) break;
        if (round >= DRAIN_ROUNDS || this.bytesTransmitted - bytesTransmitted >= DRAIN_BYTES_MAXIMUM) {
          this.isFlushRequested = true;
          this.environment.requestFlush();
          break;
        }
      }
    } finally {
      this.isDraining = false;
    }
    this.environment.schedule(earlier(this.stack.nextDeadline(), this.controllers.nextDeadline()));
  }

  private carryOut(): void {
    const now = this.now();
    for (let command = this.controllers.pollCommand(); command; command = this.controllers.pollCommand()) {
      this.onServiceCommand?.(command);
      this.stack.handleCommand(command, now);
    }
  }

  private pending: StackEvent | undefined;

  private hasEvents(): boolean {
    this.pending ??= this.stack.pollEvent(this.now());
    return this.pending !== undefined;
  }

  private dispatchEvents(): void {
    this.toldAt = this.environment.now();
    this.waitingSince = this.toldAt;
    while (this.hasEvents()) {
      const event = this.pending!;
      this.pending = undefined;
      this.dispatch(event);
      this.transmitOverdue(this.environment.now());
    }
  }

  /** A long turn does not keep its first answers from the peer until its last one is ready: both work meanwhile. */
  private transmitOverdue(now: Instant): void {
    this.toldAt = now;
    // While the links start they take nothing yet.
    if (this.stack.isStarting || now < this.waitingSince + TRANSMIT_DELAY_MAXIMUM) return;
    this.stack.pollTransmit(now);
    this.transmit();
    this.waitingSince = this.environment.now();
  }

  private dispatch(event: StackEvent): void {
    switch (event.kind) {
      case 'connection':
        (event.handle as StreamHandleOverStack | undefined)?.dispatch();
        return;
      case 'accepted':
        event.listener.waiting--;
        (event.listener.handle as ListenerHandleOverStack).dispatch(new StreamHandleOverStack(this, event.connection));
        return;
      case 'listenerFinished':
        (event.listener.handle as ListenerHandleOverStack).dispatchFinished();
        return;
      case 'datagram':
        event.endpoint.isTouched = false;
        (event.endpoint.handle as DatagramHandleOverStack | undefined)?.dispatch();
        return;
      case 'ping':
        (event.ping.handle as PingHandle | undefined)?.dispatch();
        return;
      case 'service':
        this.tell(event.event, this.now());
        this.carryOut();
    }
  }

  private tell(event: ServiceEvent, now: Instant): void {
    this.currentEvents.note(event);
    this.controllers.handleEvent(event, now);
    this.onServiceEvent?.(event, now);
  }

  /** Whether a batch refers to the slab of a link: what is forwarded does, and leaves before the slab is used again. */
  private holdsReferences(): boolean {
    for (const { batch } of this.stack.outputs()) if (batch.pieceCount > 0) return true;
    return false;
  }

  /** Hands every filled batch to its link, unless that holds a rest. False when no link took anything. */
  private transmit(): boolean {
    let moved = false;
    for (const output of this.stack.outputs()) {
      if (output.batch.isEmpty || output.isCongested) continue;
      moved = true;
      this.bytesTransmitted += output.batch.payloadBytes;
      output.isCongested = !this.environment.transmit(output.index, output.batch);
      output.batch.reset();
    }
    return moved;
  }
}
