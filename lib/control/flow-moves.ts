// Flows of a process on their way elsewhere (§4.4): so many are asked to go at a time, and what becomes of each is told as
// it happens. Which flows, and where to, is the request's matter (migrate-resource.ts).

import type { Flow } from '../sal/flow';
import type { FlowMoveOutcome } from '../stack/control-interface';
import type { FlowID } from '../wire/flow-id';
import { CONTROL_MOVES_AT_ONCE } from './control-limits';
import type { ControlledHost } from './controlled-host';
import type { HostEvent } from './host-events';

/** `pending`: nobody has answered in time, and the flow still tries - its own address is gone, so it has none to go back to. */
export type MoveOutcome = FlowMoveOutcome | 'pending';

export interface EndedMove {
  readonly flowID: FlowID;
  readonly outcome: MoveOutcome;
}

interface Move {
  readonly deadline: number;
  /** An earlier move of the flow is under way, and is over as soon as this one begins. */
  supersedes: boolean;
}

export class FlowMoves {
  /** Oldest first, and so by their deadlines. */
  private readonly pending = new Map<FlowID, Move>();
  private readonly ended: EndedMove[] = [];
  private wake: (() => void) | undefined;
  private isHostClosed = false;

  constructor(
    private readonly host: ControlledHost,
    /** Has the flow go. */
    private readonly ask: (flow: Flow) => void,
    /** Milliseconds that are waited for each. */
    private readonly timeout: number,
  ) {}

  /** Each flow with what has become of it. Ends early when `signal` is aborted: those under way go on. */
  async *outcomes(flows: readonly FlowID[], signal: AbortSignal): AsyncGenerator<EndedMove> {
    const stop = this.host.events.watch((event) => this.handleEvent(event));
    const abort = (): void => this.wake?.();
    signal.addEventListener('abort', abort);
    try {
      let begun = 0;
      while (!signal.aborted) {
        while (begun < flows.length && this.pending.size < CONTROL_MOVES_AT_ONCE) this.begin(flows[begun++]!);
        if (this.ended.length === 0 && this.pending.size === 0) return;
        if (this.ended.length === 0) await this.nextEnd();
        yield* this.ended.splice(0);
      }
    } finally {
      stop();
      signal.removeEventListener('abort', abort);
    }
  }

  /** One that has ended before it could be asked is none of those any more that were meant. */
  private begin(flowID: FlowID): void {
    const flow = this.host.stack.sal.flowTable.get(flowID);
    if (flow === undefined || this.isHostClosed) return;
    const supersedes = flow.migration?.own?.kind === 'move';
    this.pending.set(flowID, { deadline: performance.now() + this.timeout, supersedes });
    this.ask(flow);
  }

  /** Resolves when something has ended, or a deadline has come. */
  private async nextEnd(): Promise<void> {
    const [first] = this.pending.values();
    const timer = setTimeout(() => this.expire(), first!.deadline - performance.now());
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = undefined;
    clearTimeout(timer);
  }

  private expire(): void {
    for (const [flowID, { deadline }] of this.pending) {
      if (deadline > performance.now()) break;
      this.end(flowID, 'pending');
    }
    this.wake?.();
  }

  private handleEvent(event: HostEvent): void {
    if (event.kind === 'role' && event.role === null) {
      this.isHostClosed = true;
      for (const flowID of this.pending.keys()) this.end(flowID, 'closed');
    } else if (event.kind === 'service' && event.event.kind === 'migrationEnded') {
      this.handleEnded(event.event.flowID, event.event.outcome);
    }
  }

  private handleEnded(flowID: FlowID, outcome: FlowMoveOutcome): void {
    const move = this.pending.get(flowID);
    if (move === undefined) return;
    if (outcome !== 'superseded' || !move.supersedes) this.end(flowID, outcome);
    move.supersedes = false;
  }

  private end(flowID: FlowID, outcome: MoveOutcome): void {
    this.pending.delete(flowID);
    this.ended.push({ flowID, outcome });
    this.wake?.();
  }
}
