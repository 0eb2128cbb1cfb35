// A listening stream socket: a DEMUX rule points at it, SYNs come to it, and connections leave it (§4.1).

import { BACKLOG_DEFAULT, HALF_OPEN_MAXIMUM } from '../limits';
import type { LocalSocket } from '../sal/first-packets';
import type { Flow, FlowOwner, SynListener } from '../sal/flow';
import { HalfOpenFlows } from '../sal/half-open-flows';
import type { Path } from '../sal/path';
import type { HandshakeSegments } from '../sal/signaling/handshake-segments';
import type { PickerName } from '../table/pickers/picker-names';
import type { Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import type { ServicePrefix } from '../wire/service-id';
import type { MultipathOptions } from './multipath';

export interface ListenerOptions {
  readonly backlog?: number;
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
  /** Whether peers may open further flows for their connections (§4.4). Default true. */
  readonly multipath?: boolean | MultipathOptions;
  /** How it wishes that one of several instances of its service is chosen. */
  readonly picker?: PickerName;
}

/** What a listener needs of the stack around it. */
export interface ListenerContext {
  readonly random: RandomSource;
  createSegments(path: Path, options: ListenerOptions): HandshakeSegments;
  accept(listener: Listener, flow: Flow, now: Instant): FlowOwner;
}

export class Listener implements LocalSocket, SynListener {
  readonly protocol = 6;
  readonly isRegistered = true;
  readonly halfOpen: HalfOpenFlows;
  /** The driver's handle; the stack does not look inside. */
  handle: object | undefined;
  /** Accepted connections that the driver has not taken yet. */
  waiting = 0;
  /** Connections that may still come; the SYNs of others are refused, so that they try another instance. */
  places = Number.POSITIVE_INFINITY;
  private readonly backlog: number;

  constructor(
    readonly prefix: ServicePrefix,
    readonly options: ListenerOptions,
    private readonly context: ListenerContext,
  ) {
    this.halfOpen = new HalfOpenFlows(context.random);
    this.backlog = options.backlog ?? BACKLOG_DEFAULT;
  }

  get picker(): PickerName | undefined {
    return this.options.picker;
  }

  get synListener(): SynListener {
    return this;
  }

  get hasRoom(): boolean {
    return this.halfOpen.size < HALF_OPEN_MAXIMUM && this.waiting < Math.max(this.backlog, 1);
  }

  get isFull(): boolean {
    return this.halfOpen.size + this.waiting >= this.places;
  }

  /** Nothing is under way that could become a connection. */
  get isIdle(): boolean {
    return this.halfOpen.size === 0 && this.waiting === 0;
  }

  createSegments(path: Path): HandshakeSegments {
    return this.context.createSegments(path, this.options);
  }

  accept(flow: Flow, now: Instant): FlowOwner {
    return this.context.accept(this, flow, now);
  }
}
