import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type FLOW_EVENTS,
  FLOW_STATES,
  FLOW_TRANSITIONS,
  flowStateDiagram,
  nextFlowState,
} from '../../lib/sal/signaling/flow-state';

describe('flow states (§4.4)', () => {
  it('are documented as they are', () => {
    const document = readFileSync(join(__dirname, '../../docs/states.md'), 'utf8');
    expect(document).toContain(flowStateDiagram());
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
