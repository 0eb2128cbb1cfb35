// The state machines of a flow (§4.4) as tables, state x event -> state: of its life, and of its migration. A pair
// without a row is an event that means nothing in that state; the caller counts it and does nothing.

export const FLOW_STATES = [
  'closed',
  'request',
  'respond',
  'connected',
  'finWait1',
  'finWait2',
  'closing',
  'timeWait',
  'closeWait',
  'lastAck',
] as const;

export type FlowState = (typeof FLOW_STATES)[number];

export const FLOW_EVENTS = [
  /** The application connects. */
  'connect',
  /** A SYN for a listening socket. */
  'synReceived',
  /** A SYN-ACK with the right control acknowledgment. */
  'synAckReceived',
  /** The third ACK, or an acknowledgment of our FIN. */
  'ackReceived',
  /** The transport has delivered its own end: send FIN. */
  'finish',
  'finReceived',
  /** A FIN that acknowledges ours too. */
  'finAckReceived',
  /** A RST with the right nonce, or our own. */
  'reset',
  /** Retransmissions used up, or TIME-WAIT over. */
  'expired',
] as const;

export type FlowEvent = (typeof FLOW_EVENTS)[number];

type Row = Partial<Record<FlowEvent, FlowState>>;

const ENDS: Row = { reset: 'closed', expired: 'closed' };

export const FLOW_TRANSITIONS: Readonly<Record<FlowState, Row>> = {
  closed: { connect: 'request', synReceived: 'respond' },
  request: { ...ENDS, synAckReceived: 'connected' },
  respond: { ...ENDS, ackReceived: 'connected' },
  connected: { ...ENDS, finish: 'finWait1', finReceived: 'closeWait', finAckReceived: 'closeWait' },
  finWait1: { ...ENDS, ackReceived: 'finWait2', finReceived: 'closing', finAckReceived: 'timeWait' },
  finWait2: { ...ENDS, finReceived: 'timeWait', finAckReceived: 'timeWait' },
  closing: { ...ENDS, ackReceived: 'timeWait', finAckReceived: 'timeWait' },
  timeWait: { ...ENDS },
  closeWait: { ...ENDS, finish: 'lastAck' },
  lastAck: { ...ENDS, ackReceived: 'closed', finAckReceived: 'closed' },
};

/** The state after `event`, or `undefined` when the table has no row for it. */
export function nextFlowState(state: FlowState, event: FlowEvent): FlowState | undefined {
  return FLOW_TRANSITIONS[state][event];
}

/**
 * Beside the state of an established flow: where its change of path stands (§4.4). Our own move and the peer's are
 * independent of each other, so there are four states.
 */
export const MIGRATION_STATES = ['settled', 'rsynSent', 'rsynReceived', 'rsynSentReceived'] as const;

export type MigrationState = (typeof MIGRATION_STATES)[number];

export const MIGRATION_EVENTS = [
  /** We are to use another address, or ask whether the peer does: send RSYN. */
  'migrate',
  /** The peer's RSYN, with a new number. */
  'rsynReceived',
  /** The peer has heard us at our new address. */
  'rsynAckReceived',
  /** The peer has heard us at its new address. */
  'ackReceived',
  /** Nobody answered our RSYN in time, or there is no need to know any more. */
  'rsynAbandoned',
  /** The peer did not answer at its new address in time. */
  'peerAbandoned',
] as const;

export type MigrationEvent = (typeof MIGRATION_EVENTS)[number];

export const MIGRATION_TRANSITIONS: Readonly<Record<MigrationState, Partial<Record<MigrationEvent, MigrationState>>>> =
  {
    settled: { migrate: 'rsynSent', rsynReceived: 'rsynReceived' },
    rsynSent: {
      migrate: 'rsynSent',
      rsynReceived: 'rsynSentReceived',
      rsynAckReceived: 'settled',
      rsynAbandoned: 'settled',
    },
    rsynReceived: {
      migrate: 'rsynSentReceived',
      rsynReceived: 'rsynReceived',
      ackReceived: 'settled',
      peerAbandoned: 'settled',
    },
    rsynSentReceived: {
      migrate: 'rsynSentReceived',
      rsynReceived: 'rsynSentReceived',
      rsynAckReceived: 'rsynReceived',
      ackReceived: 'rsynSent',
      rsynAbandoned: 'rsynReceived',
      peerAbandoned: 'rsynSent',
    },
  };

export function nextMigrationState(state: MigrationState, event: MigrationEvent): MigrationState | undefined {
  return MIGRATION_TRANSITIONS[state][event];
}

/** The tables as Mermaid state diagrams, for docs/states.md and its snapshot. */
export function flowStateDiagram(): string {
  return diagram('closed', FLOW_STATES, FLOW_EVENTS, nextFlowState);
}

export function migrationStateDiagram(): string {
  return diagram('settled', MIGRATION_STATES, MIGRATION_EVENTS, nextMigrationState);
}

function diagram<State extends string, Event extends string>(
  first: State,
  states: readonly State[],
  events: readonly Event[],
  next: (state: State, event: Event) => State | undefined,
): string {
  const lines = ['stateDiagram-v2', `  [*] --> ${first}`];
  for (const state of states) {
    for (const event of events) {
      const following = next(state, event);
      if (following !== undefined) lines.push(`  ${state} --> ${following}: ${event}`);
    }
  }
  return lines.join('\n');
}
