// Flows that an application has asked for, until the peer has answered or nobody has.

import type { ServalError, ServalErrorContext } from '../errors';
import type { FlowOpening } from '../stack/further-flows';
import { openingError } from './failures';

/** Called once: without an error when the flow carries the connection. */
export type OpeningOutcome = (error: ServalError | undefined) => void;

export class FlowOpenings {
  private waiting: { readonly opening: FlowOpening; readonly outcome: OpeningOutcome }[] = [];

  add(opening: FlowOpening, outcome: OpeningOutcome): void {
    this.waiting.push({ opening, outcome });
  }

  /** Tells those whose flow is there or is over; all of them when the connection is. */
  settle(isOver: boolean, context: ServalErrorContext): void {
    const settled = this.waiting.filter(({ opening }) => isOver || opening.outcome !== 'pending');
    this.waiting = this.waiting.filter((each) => !settled.includes(each));
    for (const { opening, outcome } of settled) {
      const end = opening.outcome === 'pending' ? 'notConnected' : opening.outcome;
      outcome(end === 'open' ? undefined : openingError(end, context));
    }
  }
}
