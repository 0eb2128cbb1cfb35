// A router that its clients' middleboxes know passes answers to first packets back to them (§7): a firewall or NAT lets
// in only what comes from where the client has sent to. Once the client's third ACK has gone to the instance, that is
// the instance itself, and nothing more comes this way. What is remembered is bounded and short: for each SYN that went
// through, the right to one answer, no longer than what asked for it - so nobody is sent anything unasked.

import { RELAY_LIFETIME, RELAY_TRANSPORT_BYTES_MAXIMUM, RELAYED_SYNS } from '../limits';
import { mixAddress, mixTwo } from '../table/mix-bits';
import type { ServiceTable } from '../table/service-table';
import { after, type Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import { ControlFlag } from '../wire/control-extension';
import { EndpointSourceFlag, fitsEndpointSourceExtension } from '../wire/endpoint-source-extension';
import type { FlowID } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import { type SalPacket, writeSalPacketHeader } from '../wire/sal-packet';
import type { LinkOutput } from './link-output';
import type { ReceivedControl } from './signaling/signaling-context';

export class ReplyRelay {
  private readonly marks = new Int32Array(RELAYED_SYNS);
  private readonly ends = new Float64Array(RELAYED_SYNS);
  /** Nobody else's knowledge: who could find two clients with one mark could answer for the other. */
  private readonly salts: readonly [number, number];

  constructor(
    random: RandomSource,
    private readonly table: Pick<ServiceTable, 'isBroadcastTarget'>,
  ) {
    this.salts = [random.uint32(), random.uint32()];
  }

  /** A SYN of this client goes on from here: its answer may come back. */
  noteSyn(client: NetworkAddress, flow: FlowID, now: Instant): void {
    const place = this.placeOf(client, flow);
    this.marks[place] = this.markOf(client, flow);
    this.ends[place] = after(now, RELAY_LIFETIME);
  }

  /** Passes an answer on by `output`, from where the client asked; or says why not. */
  pass(received: ReceivedControl, output: LinkOutput, now: Instant): string {
    const { packet, batch, row } = received;
    const client = packet.source?.[0];
    if (client === undefined || batch.isBroadcast(row) || !isAnswer(packet)) return 'relayRefused';
    const source = [batch.source(row), ...packet.source!.slice(1)];
    // IPv6 in the place of IPv4 may be too much.
    if (!fitsEndpointSourceExtension(source)) return 'relayRefused';
    if (!client.isUnicast || this.table.isBroadcastTarget(client)) return 'relayRefused';
    if (!this.takeSyn(client, packet.destinationFlowID, now)) return 'relayUnasked';
    const transmit = output.withRoom();
    if (transmit === undefined) return 'relayNoRoom';
    const local = batch.local(row);
    transmit.begin(client, local.isUnspecified ? undefined : local.withPort(0));
    transmit.headerEnd += writeSalPacketHeader(transmit.headers, transmit.headerEnd, {
      ...packet,
      source,
      sourceFlags: EndpointSourceFlag.relayed,
    });
    if (packet.transportLength > 0) {
      transmit.appendPiece(batch.slab, packet.transportOffset, packet.transportLength);
    }
    transmit.finish(0, 0);
    return 'relayed';
  }

  /** One answer for each SYN. */
  private takeSyn(client: NetworkAddress, flow: FlowID, now: Instant): boolean {
    const place = this.placeOf(client, flow);
    if (this.ends[place]! <= now || this.marks[place] !== this.markOf(client, flow)) return false;
    this.ends[place] = 0;
    return true;
  }

  private placeOf(client: NetworkAddress, flow: FlowID): number {
    return mixTwo(mixTwo(mixAddress(client), flow ^ client.port), this.salts[0]) & (RELAYED_SYNS - 1);
  }

  private markOf(client: NetworkAddress, flow: FlowID): number {
    return mixTwo(mixTwo(mixTwo(this.salts[1], mixAddress(client)), flow), client.port);
  }
}

/** A SYN-ACK or a refusal, without data. */
function isAnswer({ control, transportLength }: SalPacket): boolean {
  if (control === undefined || transportLength > RELAY_TRANSPORT_BYTES_MAXIMUM) return false;
  const { flags } = control;
  return flags === (ControlFlag.syn | ControlFlag.ack) || flags === (ControlFlag.rst | ControlFlag.ack);
}
