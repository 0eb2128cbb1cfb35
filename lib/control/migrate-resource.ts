// Sending flows of a process another way from outside (§4.4, §6.3): one of them, those of an interface, or those of a
// service. Each is answered for in a line, as soon as it is known what has become of it.

import { ErrorCode } from '../errors';
import type { Flow } from '../sal/flow';
import type { FlowSelection, MigrationTarget } from '../stack/control-interface';
import { type FlowID, flowID } from '../wire/flow-id';
import { NetworkAddress } from '../wire/network-address';
import { ControlError, ControlErrorCode } from './control-error';
import { CONTROL_MOVE_TIMEOUT } from './control-limits';
import type { ControlledHost } from './controlled-host';
import { describeFlow, type FlowDescription } from './flow-listing';
import { type EndedMove, FlowMoves, type MoveOutcome } from './flow-moves';
import { type RequestFields, TIMER_MAXIMUM, wrong } from './request-fields';

export interface MoveDescription extends Pick<FlowDescription, 'protocol' | 'serviceID' | 'name' | 'localFlowID'> {
  readonly localAddress: NetworkAddress | null;
  readonly remoteAddress: NetworkAddress | null;
  readonly interface: string | null;
  readonly outcome: 'moved' | 'there' | 'refused' | 'unanswered' | 'superseded' | 'closed' | 'pending';
  /** As of `socket.migrate` (docs/migration.md). Null for a flow that is there, or may yet come. */
  readonly code: ErrorCode | null;
}

/** Throws CONTROL_FIELD, CONTROL_NO_FLOW; then nothing can fail any more but a single flow. */
export function migrateFlows(
  host: ControlledHost,
  fields: RequestFields,
): (signal: AbortSignal) => AsyncGenerator<MoveDescription> {
  const selection = selectionOf(fields);
  const to = targetOf(fields.required('to', fields.text('to')));
  const timeout = fields.integer('timeout', 1, TIMER_MAXIMUM) ?? CONTROL_MOVE_TIMEOUT;
  fields.checkNoOthers();
  const flows = host.stack.mobility.select(selection);
  if (flows.length === 0)
    throw new ControlError(ControlErrorCode.noFlow, `no flow of this process ${textOf(selection)}`);
  const numbers = flows.map(({ localFlowID }) => localFlowID);
  return (signal) => tell(host, numbers, to, timeout, signal);
}

async function* tell(
  host: ControlledHost,
  flows: readonly FlowID[],
  to: MigrationTarget,
  timeout: number,
  signal: AbortSignal,
): AsyncGenerator<MoveDescription> {
  /** As they were, for those that end on the way. */
  const before = new Map<FlowID, FlowDescription>();
  const ask = (flow: Flow): void => {
    before.set(flow.localFlowID, describeFlow(host.stack, flow, host.now()));
    host.command({ kind: 'migrate', flows: { by: 'flow', flowID: flow.localFlowID }, to });
  };
  for await (const ended of new FlowMoves(host, ask, timeout).outcomes(flows, signal)) {
    yield describe(host, ended, before.get(ended.flowID)!);
    before.delete(ended.flowID);
  }
}

/** What is left of a flow that has ended is what it was. */
function describe(host: ControlledHost, { flowID: id, outcome }: EndedMove, before: FlowDescription): MoveDescription {
  const flow = host.stack.sal.flowTable.get(id);
  const { protocol, serviceID, name, localFlowID, ...now } =
    flow === undefined ? before : describeFlow(host.stack, flow, host.now());
  const { localAddress, remoteAddress, interface: networkInterface } = now;
  const place = { localAddress, remoteAddress, interface: networkInterface };
  return { protocol, serviceID, name, localFlowID, ...place, ...OUTCOMES[outcome] };
}

const OUTCOMES: Readonly<Record<MoveOutcome, Pick<MoveDescription, 'outcome' | 'code'>>> = {
  moved: { outcome: 'moved', code: null },
  there: { outcome: 'there', code: null },
  notConnected: { outcome: 'refused', code: ErrorCode.notConnected },
  noInterface: { outcome: 'refused', code: ErrorCode.noInterface },
  noAddress: { outcome: 'refused', code: ErrorCode.addressNotAvailable },
  noFamily: { outcome: 'refused', code: ErrorCode.networkUnreachable },
  unanswered: { outcome: 'unanswered', code: ErrorCode.timedOut },
  superseded: { outcome: 'superseded', code: null },
  closed: { outcome: 'closed', code: ErrorCode.notConnected },
  pending: { outcome: 'pending', code: null },
};

function selectionOf(fields: RequestFields): Selection {
  const flow = fields.integer('flow', 1, 2 ** 32 - 1);
  const networkInterface = fields.text('interface');
  const prefix = fields.prefix('prefix');
  const given = [flow, networkInterface, prefix].filter((each) => each !== undefined);
  if (given.length !== 1) throw wrong('say which flows: one of flow, interface, prefix');
  if (flow !== undefined) return { by: 'flow', flowID: flowID(flow) };
  return prefix === undefined ? { by: 'interface', interface: networkInterface! } : { by: 'service', prefix };
}

type Selection = Extract<FlowSelection, { by: 'flow' | 'interface' | 'service' }>;

function textOf(selection: Selection): string {
  if (selection.by === 'flow') return `has the number ${selection.flowID}`;
  if (selection.by === 'interface') return `is connected over ${selection.interface}`;
  return `is connected to or of ${selection.prefix}`;
}

/** No interface has a name that is an address. */
function targetOf(text: string): MigrationTarget {
  const address = NetworkAddress.parse(text);
  return address === undefined ? { interface: text } : { address };
}
