// What must hold in every story: who was accepted by whom, whether the flow tables of the two ends agree,
// and that nothing is left of anything at the end.

import type { FlowInformation } from '../../lib/driver/handles';
import type { World } from '../../lib/sim/world';
import type { NetworkAddress } from '../../lib/wire/network-address';
import { isGraceful, type StreamActor } from './stream-actor';

/** One `connect` of a story: its two ends, as far as they came. */
export interface Encounter {
  readonly client: StreamActor;
  /** The connections that were accepted for it: one, or none when the client gave up. */
  readonly accepted: StreamActor[];
  /** A host of it crashed or the like: it may end anyhow, but not with wrong bytes. */
  isDisturbed: boolean;
}

/** Every connection was accepted once; and those that nobody ended early came to their end, byte for byte. */
export function checkEncounter({ client, accepted, isDisturbed }: Encounter): void {
  expectThat(accepted.length <= 1, `${client.name} was accepted ${accepted.length} times`);
  if (isDisturbed) return;
  const server = accepted[0];
  if (client.isConnected && client.received > 0) expectThat(server !== undefined, `${client.name} talked to nobody`);
  for (const actor of server === undefined ? [client] : [client, server]) checkEnd(actor, client, server);
}

function checkEnd(actor: StreamActor, client: StreamActor, server: StreamActor | undefined): void {
  expectThat(actor.isClosed, `${actor.describe()} was never closed`);
  const isPeaceful = [client, server].every((end) => end === undefined || isGraceful(end.plan));
  if (isPeaceful) expectThat(actor.isComplete, `not complete: ${actor.describe()}`);
}

/** A connection that was dead when it was accepted is one that its client gave up, and no other. */
export function checkStillborn(stillborn: readonly StreamActor[], encounters: readonly Encounter[]): void {
  for (const actor of stillborn) expectThat(actor.error !== undefined, `${actor.describe()} was dead without a reason`);
  const givenUp = encounters.filter(({ client, accepted }) => client.hasQuit && accepted.length === 0);
  expectThat(
    stillborn.length <= givenUp.length,
    `${stillborn.length} were accepted dead, but ${givenUp.length} given up`,
  );
}

/** The flows of an open connection have each other's flowIDs and addresses. */
export function checkAgreement({ client, accepted }: Encounter): void {
  const server = accepted[0];
  expectThat(server !== undefined, `${client.name} has no server`);
  const [near, far] = [client.handle!.flows, server!.handle!.flows];
  expectThat(near.length === far.length, `${client.name} has ${near.length} flows, its server ${far.length}`);
  for (const flow of near) {
    const match = far.find((other) => agree(flow, other));
    expectThat(
      match !== undefined,
      `no flow of the server is ${describeFlow(flow)} but ${far.map(describeFlow).join()}`,
    );
  }
}

/** After all sockets were closed and TIME-WAIT is over nothing is left, on any host, and nothing is to be done. */
export function checkNothingLeft(world: World): void {
  for (const host of world.hosts) {
    if (!host.isRunning) continue;
    const { stack, name } = host;
    expectThat(stack.connections.size === 0, `${name} has ${stack.connections.size} connections left`);
    expectThat(stack.sal.flowTable.size === 0, `${name} has ${stack.sal.flowTable.size} flows left`);
    expectThat(stack.sal.timeWait.size === 0, `${name} has ${stack.sal.timeWait.size} flows in TIME-WAIT`);
    expectThat(stack.nextDeadline() === Number.POSITIVE_INFINITY, `${name} has a deadline at ${stack.nextDeadline()}`);
  }
  expectThat(world.clock.pending === 0, `${world.clock.pending} events are left`);
}

function agree(a: FlowInformation, b: FlowInformation): boolean {
  return (
    a.localFlowID === b.remoteFlowID &&
    a.remoteFlowID === b.localFlowID &&
    a.remoteAddress.sameIp(b.localAddress ?? a.remoteAddress) &&
    b.remoteAddress.sameIp(a.localAddress ?? b.remoteAddress)
  );
}

function describeFlow(flow: FlowInformation): string {
  const address = (one: NetworkAddress | undefined): string => String(one ?? '*');
  const ids = `${flow.localFlowID}>${flow.remoteFlowID}`;
  return `${ids} ${address(flow.localAddress)}>${address(flow.remoteAddress)} ${flow.state}`;
}

export function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
