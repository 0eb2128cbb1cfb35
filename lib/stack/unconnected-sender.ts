// Sends a socket's unconnected datagrams (§5.1): each is resolved through the service table for itself and leaves in
// the transmit batch, as a copy.

import { SAL_HEADER_MINIMUM } from '../limits';
import type { LinkOutput } from '../sal/link-output';
import { goesToAll } from '../sal/resolution';
import type { ServiceAccessLayer } from '../sal/service-access-layer';
import { LOOPBACK_ADDRESS } from '../sal/signaling/connect-attempts';
import type { ResolvedForward } from '../table/resolved-rule';
import { ResolutionReach } from '../table/service-table';
import type { Instant } from '../time/instant';
import { writeDatagram } from '../transport/datagram/datagram-transport';
import { FLOW_ID_UNKNOWN, type FlowID } from '../wire/flow-id';
import type { NetworkAddress } from '../wire/network-address';
import { writeSalPacketHeader } from '../wire/sal-packet';
import { SERVICE_EXTENSION_BYTES } from '../wire/service-extension';
import type { ServiceID } from '../wire/service-id';
import { UDP_HEADER_BYTES } from '../wire/udp-header';

/** Why a datagram did not leave. */
export type SendRefusal = 'tooLarge' | 'noRoute' | 'notConnected' | 'noRoom' | 'dropped' | 'refused';

export interface UnconnectedContext {
  /** The first rules are still to come. */
  isStarting(): boolean;
  /** Something lies in a batch. */
  sent(): void;
  /** Payload bytes that fit one packet behind a SAL header of `headerBytes` to `remote`. */
  payloadRoom(output: LinkOutput, remote: NetworkAddress, headerBytes: number): number;
}

export class UnconnectedSender {
  /** The SAL header of the last datagram: the same for each to one service. */
  private readonly header = new Uint8Array(HEADER_BYTES);
  private headerTarget: ServiceID | undefined;

  constructor(
    private readonly sal: ServiceAccessLayer,
    private readonly serviceID: ServiceID,
    private readonly flowID: FlowID,
    private readonly context: UnconnectedContext,
  ) {}

  /** To wherever the service resolves to now. */
  sendTo(target: ServiceID, bytes: Uint8Array, now: Instant): SendRefusal | undefined {
    const { links, firstPackets } = this.sal;
    const verdict = firstPackets.resolveOwn(target, 17, now);
    if (verdict === undefined && !this.context.isStarting()) return 'noRoute';
    if (verdict === undefined) return this.delay(target, new Uint8Array(bytes), now);
    if (verdict.action === 'drop') return this.drop(verdict.refuses);
    if (verdict.action === 'delay') return this.delay(target, new Uint8Array(bytes), now);
    if (verdict.action === 'demux') return this.send(links.loopback, LOOPBACK_ADDRESS, target, bytes);
    if (goesToAll(verdict, ResolutionReach.any)) return this.sendToAll(verdict, target, bytes);
    return this.send(links.dataLink(verdict.link), verdict.address, target, bytes);
  }

  send(output: LinkOutput, address: NetworkAddress, target: ServiceID, bytes: Uint8Array): SendRefusal | undefined {
    if (bytes.length > this.context.payloadRoom(output, address, HEADERS_BEHIND_BARE)) return 'tooLarge';
    const batch = output.withRoom(bytes.length);
    if (batch === undefined) return 'noRoom';
    batch.begin(address, undefined);
    batch.headers.set(this.headerTo(target), batch.headerEnd);
    batch.headerEnd += HEADER_BYTES;
    writeDatagram(batch, bytes);
    this.context.sent();
    return undefined;
  }

  private sendToAll(rule: ResolvedForward, target: ServiceID, bytes: Uint8Array): SendRefusal | undefined {
    const { links, serviceTable } = this.sal;
    let refusal: SendRefusal | undefined;
    for (const { link, address } of serviceTable.selectedSet(rule, ResolutionReach.any)) {
      refusal = this.send(links.dataLink(link), address, target, bytes) ?? refusal;
    }
    return refusal;
  }

  private drop(refuses: boolean): SendRefusal {
    this.sal.count(refuses ? 'ruleRefused' : 'ruleDrop');
    return refuses ? 'refused' : 'dropped';
  }

  private delay(target: ServiceID, copy: Uint8Array, now: Instant): undefined {
    this.sal.firstPackets.delayOwn(target, (later) => void this.sendTo(target, copy, later), now);
  }

  private headerTo(target: ServiceID): Uint8Array {
    if (target === this.headerTarget) return this.header;
    this.headerTarget = target;
    writeSalPacketHeader(this.header, 0, {
      sourceFlowID: this.flowID,
      destinationFlowID: FLOW_ID_UNKNOWN,
      protocol: 17,
      destinationService: target,
      sourceService: this.serviceID,
    });
    return this.header;
  }
}

const HEADER_BYTES = SAL_HEADER_MINIMUM + 2 * SERVICE_EXTENSION_BYTES;
/** Header bytes around the payload behind the bare SAL header. */
const HEADERS_BEHIND_BARE = UDP_HEADER_BYTES + 2 * SERVICE_EXTENSION_BYTES;
