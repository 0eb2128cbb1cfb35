// Flows that are asked to go elsewhere: so many at a time, each told of once, whatever happens to it.

import { describe, expect, it, vi } from 'vitest';
import { CONTROL_MOVES_AT_ONCE } from '../../lib/control/control-limits';
import type { ControlledHost } from '../../lib/control/controlled-host';
import { type EndedMove, FlowMoves } from '../../lib/control/flow-moves';
import { HostEvents } from '../../lib/control/host-events';
import type { FlowMoveOutcome } from '../../lib/stack/control-interface';
import { type FlowID, flowID } from '../../lib/wire/flow-id';

class Scene {
  readonly events = new HostEvents();
  readonly asked: FlowID[] = [];
  readonly flows = new Map<FlowID, object>();
  readonly told: EndedMove[] = [];
  readonly leaving = new AbortController();
  isOver = false;

  /** `moving`: those that are on their way already. */
  begin(count: number, { timeout = 1000, moving = [] as number[] } = {}): void {
    const numbers = Array.from({ length: count }, (_, index) => flowID(index + 1));
    for (const id of numbers) {
      const migration = moving.includes(id) ? { own: { kind: 'move' } } : undefined;
      this.flows.set(id, { localFlowID: id, migration });
    }
    const host = { events: this.events, stack: { sal: { flowTable: this.flows } } } as unknown as ControlledHost;
    const moves = new FlowMoves(host, (flow) => this.asked.push(flow.localFlowID), timeout);
    void this.read(moves.outcomes(numbers, this.leaving.signal));
  }

  end(id: number, outcome: FlowMoveOutcome): void {
    const event = { kind: 'migrationEnded', flowID: flowID(id), outcome, address: undefined } as const;
    this.events.tell({ kind: 'service', event });
  }

  private async read(outcomes: AsyncIterable<EndedMove>): Promise<void> {
    for await (const ended of outcomes) this.told.push(ended);
    this.isOver = true;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('FlowMoves', () => {
  it('tells of each as it ends, in that order, and of nobody else', async () => {
    const scene = new Scene();
    scene.begin(3);
    await turn();
    scene.end(2, 'moved');
    scene.end(77, 'moved');
    await turn();
    expect(scene.told).toEqual([{ flowID: 2, outcome: 'moved' }]);
    scene.end(2, 'unanswered');
    scene.end(3, 'closed');
    scene.end(1, 'noFamily');
    await turn();
    expect(scene.told.slice(1).map(({ flowID: id, outcome }) => [id, outcome])).toEqual([
      [3, 'closed'],
      [1, 'noFamily'],
    ]);
    expect([scene.isOver, scene.events.isWatched]).toEqual([true, false]);
  });

  it('has so many on their way at a time', async () => {
    const scene = new Scene();
    const count = CONTROL_MOVES_AT_ONCE + 2;
    scene.begin(count);
    // One that ends before its turn is none of them.
    scene.flows.delete(flowID(count));
    await turn();
    expect(scene.asked).toHaveLength(CONTROL_MOVES_AT_ONCE);
    scene.end(5, 'moved');
    await turn();
    expect(scene.asked).toHaveLength(CONTROL_MOVES_AT_ONCE + 1);
    for (const id of scene.asked) scene.end(id, 'moved');
    await turn();
    expect([scene.told.length, scene.isOver]).toEqual([count - 1, true]);
  });

  it('knows the move that it supersedes from its own', async () => {
    const scene = new Scene();
    scene.begin(2, { moving: [1] });
    await turn();
    for (const id of [1, 2]) scene.end(id, 'superseded');
    await turn();
    expect(scene.told).toEqual([{ flowID: 2, outcome: 'superseded' }]);
    scene.end(1, 'superseded');
    await turn();
    expect(scene.told[1]).toEqual({ flowID: 1, outcome: 'superseded' });
  });

  it('waits for none longer than it should', async () => {
    const scene = new Scene();
    scene.begin(CONTROL_MOVES_AT_ONCE + 1, { timeout: 20 });
    await vi.waitFor(() => expect(scene.isOver).toBe(true));
    expect(new Set(scene.told.map(({ outcome }) => outcome))).toEqual(new Set(['pending']));
    expect(scene.told).toHaveLength(CONTROL_MOVES_AT_ONCE + 1);
  });

  it('ends when nobody reads any more, and when the host is closed', async () => {
    const left = new Scene();
    left.begin(3);
    await turn();
    left.leaving.abort();
    await turn();
    expect([left.isOver, left.told, left.events.isWatched]).toEqual([true, [], false]);
    const closed = new Scene();
    closed.begin(CONTROL_MOVES_AT_ONCE + 9);
    await turn();
    closed.events.tell({ kind: 'role', role: null });
    await turn();
    expect([closed.isOver, closed.told.length]).toEqual([true, CONTROL_MOVES_AT_ONCE]);
  });
});
