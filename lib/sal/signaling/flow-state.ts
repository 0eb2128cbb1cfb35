// The state machine of a flow (§4.4) as a table: state x event -> state. A pair without a row is an event
// that means nothing in that state; the caller counts it and does nothing.

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

/** The table as a Mermaid state diagram, for docs/states.md and its snapshot. */
export function flowStateDiagram(): string {
  const lines = ['stateDiagram-v2', '  [*] --> closed'];
  for (const state of FLOW_STATES) {
    for (const event of FLOW_EVENTS) {
      const next = FLOW_TRANSITIONS[state][event];
      if (next !== undefined) lines.push(`  ${state} --> ${next}: ${event}`);
    }
  }
  return lines.join('\n');
}
