// Every change of state of every flow, replayed against the tables of the state machines as it happens (§4.4): whoever
// imports this has a simulation fail in the moment in which a flow goes where no row leads.

import { Flow } from '../../lib/sal/flow';
import { nextFlowState, nextMigrationState } from '../../lib/sal/signaling/flow-state';
import { Migration } from '../../lib/sal/signaling/migration-record';

interface Machine<State extends string, Event extends string> {
  state: State;
  transition(event: Event): boolean;
}

/** How many transitions have been replayed. */
export const replayed = { flow: 0, migration: 0 };

replay(Flow.prototype, 'flow', 'closed', nextFlowState);
replay(Migration.prototype, 'migration', 'settled', nextMigrationState);

function replay<State extends string, Event extends string>(
  machine: Machine<State, Event>,
  name: keyof typeof replayed,
  first: State,
  next: (state: State, event: Event) => State | undefined,
): void {
  const known = new WeakMap<object, State>();
  const carryOut = machine.transition;
  machine.transition = function (this: Machine<State, Event>, event) {
    const before = known.get(this) ?? first;
    if (this.state !== before) throw new Error(`a ${name} that was ${before} is ${this.state}, and no event says why`);
    const after = next(before, event);
    // A FIN may come again. Of a move nothing is told that does not belong to it.
    if (after === undefined && name === 'migration') throw new Error(`a ${name} that is ${before} has met ${event}`);
    const isDone = carryOut.call(this, event);
    if (isDone !== (after !== undefined) || this.state !== (after ?? before)) {
      throw new Error(`${event} led a ${name} from ${before} to ${this.state}`);
    }
    known.set(this, this.state);
    if (isDone) replayed[name]++;
    return isDone;
  };
}
