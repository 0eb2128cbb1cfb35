// One run of Figure 9 (§6.3): two clients on one of the server's lines, and after a while one flow goes to the other.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clock } from '../measuring/clock';
import { type StreamContender, wrapperOf } from '../measuring/movable-streams';
import { Ordered, type Place } from '../measuring/orders';
import type { Lab } from './lab';
import type { ClientOrders, Direction, FlowReport, Received, ServerOrders, Task } from './task';

/** Milliseconds. */
export interface Extent {
  /** From the beginning to the move, and from there to the end. */
  readonly before: number;
  readonly after: number;
}

/** Times in milliseconds since the flows began. */
export interface Recording {
  readonly contender: StreamContender;
  readonly direction: Direction;
  readonly movedAt: number;
  readonly end: number;
  /** The moved one first. */
  readonly flows: readonly (readonly number[])[];
  /** There and back, measured before anything else ran. */
  readonly roundTrip: number;
}

export const MOVED_FLOW = 0;

export async function record(lab: Lab, task: Task, extent: Extent): Promise<Recording> {
  const at = (place: Place): Place => ({ ...place, wrapper: wrapperOf(task.contender) });
  const server = new Ordered<ServerOrders>('the server', join(__dirname, 'server.js'), at(lab.server), task);
  const clients = lab.clients.map(
    (place, index) => new Ordered<ClientOrders>(`client ${index}`, join(__dirname, 'client.js'), at(place), task),
  );
  try {
    await Promise.all([server, ...clients].map((program) => program.ready()));
    return await play(lab, task, extent, server, clients);
  } finally {
    await Promise.all([server, ...clients].map((program) => program.end()));
  }
}

async function play(
  lab: Lab,
  { contender, direction }: Task,
  { before, after }: Extent,
  server: Ordered<ServerOrders>,
  clients: readonly Ordered<ClientOrders>[],
): Promise<Recording> {
  const [first, second] = lab.addresses;
  const { milliseconds: roundTrip } = await clients[0]!.ask('roundTrip', { address: first });
  await server.ask('listen', undefined);
  const origin = clock();
  await Promise.all(clients.map((client, flow) => client.ask('connect', { flow, address: first })));
  await pause(before - (clock() - origin));
  const movedAt = clock() - origin;
  if (contender === 'serval') await server.ask('move', { flow: MOVED_FLOW, address: second });
  else lab.announceSecond();
  await pause(movedAt + after - (clock() - origin));
  const end = clock() - origin;
  const reports = await Promise.all([server, ...clients].map((program) => reportOf(program, origin)));
  return { contender, direction, movedAt, end, flows: flowsOf(reports, clients.length), roundTrip };
}

function reportOf(program: Ordered<ServerOrders> | Ordered<ClientOrders>, origin: number): Promise<Received> {
  return (program as Ordered<ClientOrders>).ask('report', { origin });
}

/** Throws when a byte is not what was sent. */
function flowsOf(reports: readonly Received[], count: number): readonly (readonly number[])[] {
  return Array.from({ length: count }, (_, flow) => {
    const report = reports.map((received) => received[flow]).find((each): each is FlowReport => each !== undefined);
    if (report?.isRight !== true) throw new Error(`flow ${flow}: what arrived is not what was sent`);
    return report.bins;
  });
}
