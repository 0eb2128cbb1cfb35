import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type FLOW_EVENTS,
  FLOW_STATES,
  FLOW_TRANSITIONS,
  flowStateDiagram,
  MIGRATION_EVENTS,
  MIGRATION_STATES,
  migrationStateDiagram,
  nextFlowState,
  nextMigrationState,
} from '../../lib/sal/signaling/flow-state';

describe('flow states (§4.4)', () => {
  it('are documented as they are', () => {
    const document = readFileSync(join(__dirname, '../../docs/states.md'), 'utf8');
    expect(document).toContain(flowStateDiagram());
    expect(document).toContain(migrationStateDiagram());
  });

  it('can all be reached from closed, and closed from all', () => {
    const reach = (from: string): Set<string> => {
      const seen = new Set([from]);
      for (const state of seen) {
        for (const next of Object.values(FLOW_TRANSITIONS[state as keyof typeof FLOW_TRANSITIONS])) seen.add(next);
      }
      return seen;
    };
    expect([...reach('closed')].sort()).toEqual([...FLOW_STATES].sort());
    for (const state of FLOW_STATES) expect(reach(state), state).toContain('closed');
  });

  it('end by RST and by expiry from every state but closed', () => {
    for (const state of FLOW_STATES) {
      const expected = state === 'closed' ? undefined : 'closed';
      expect(nextFlowState(state, 'reset'), state).toBe(expected);
      expect(nextFlowState(state, 'expired'), state).toBe(expected);
    }
  });

  it('close in good order from either side, and from both at once', () => {
    const run = (...events: (typeof FLOW_EVENTS)[number][]): string | undefined =>
      events.reduce<(typeof FLOW_STATES)[number] | undefined>(
        (state, event) => (state === undefined ? undefined : nextFlowState(state, event)),
        'connected',
      );
    expect(run('finish', 'ackReceived', 'finReceived', 'expired')).toBe('closed');
    expect(run('finish', 'finAckReceived', 'expired')).toBe('closed');
    expect(run('finReceived', 'finish', 'ackReceived')).toBe('closed');
    expect(run('finish', 'finReceived', 'ackReceived', 'expired')).toBe('closed');
  });

  it('give no state for an event that means nothing', () => {
    expect(nextFlowState('connected', 'synReceived')).toBeUndefined();
    expect(nextFlowState('timeWait', 'finish')).toBeUndefined();
    expect(nextFlowState('closed', 'finReceived')).toBeUndefined();
  });
});

describe('migration states (§4.4)', () => {
  const halves = (state: string): [own: boolean, peer: boolean] => [
    state === 'rsynSent' || state === 'rsynSentReceived',
    state === 'rsynReceived' || state === 'rsynSentReceived',
  ];

  it('are two halves that do not know of each other', () => {
    const effects: Record<string, [half: 0 | 1, before: boolean | undefined, after: boolean]> = {
      migrate: [0, undefined, true],
      rsynAckReceived: [0, true, false],
      rsynAbandoned: [0, true, false],
      rsynReceived: [1, undefined, true],
      ackReceived: [1, true, false],
      peerAbandoned: [1, true, false],
    };
    expect(Object.keys(effects).sort()).toEqual([...MIGRATION_EVENTS].sort());
    for (const state of MIGRATION_STATES) {
      for (const event of MIGRATION_EVENTS) {
        const [half, before, after] = effects[event]!;
        const expected = halves(state);
        const next = nextMigrationState(state, event);
        if (before !== undefined && expected[half] !== before) {
          expect(next, `${state} ${event}`).toBeUndefined();
        } else {
          expected[half] = after;
          expect(halves(next!), `${state} ${event}`).toEqual(expected);
        }
      }
    }
  });
});
