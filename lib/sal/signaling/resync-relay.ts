// A service router as the home agent of flows both of whose ends have moved, for as long as it takes them to find each
// other (§4.4): neither would hear the other's RSYN where it was. Each sends its RSYN here, too; the router remembers for
// seconds where it came from, and passes on to it the RSYN of the other end. Only who knows both nonces of a flow is
// passed anything: the router decides nothing, and a packet makes it send one at most, and none that is longer.

import { mixTwo } from '../../table/mix-bits';
import type { ServiceTable } from '../../table/service-table';
import type { Instant } from '../../time/instant';
import type { RandomSource } from '../../time/random-source';
import { ControlFlag } from '../../wire/control-extension';
import { EndpointSourceFlag } from '../../wire/endpoint-source-extension';
import type { NetworkAddress } from '../../wire/network-address';
import { type SalPacket, writeSalPacketHeader } from '../../wire/sal-packet';
import type { LinkOutput } from '../link-output';
import { MeetingPlaces } from './meeting-places';
import { RESYNC_SOURCE_INTERVAL, RESYNC_SOURCE_MAXIMUM, RESYNC_SOURCES } from './resync-limits';
import type { ReceivedControl } from './signaling-context';

/** A packet whose sender wants its RSYN passed on, or pretends to. */
export function isForResyncRelay({ control }: SalPacket): boolean {
  return control !== undefined && (control.flags & ControlFlag.rsyn) !== 0;
}

export class ResyncRelay {
  /** Most routers are never asked. */
  private places: MeetingPlaces | undefined;
  private sources: SourceQuota | undefined;

  constructor(
    private readonly random: RandomSource,
    private readonly table: Pick<ServiceTable, 'isBroadcastTarget'>,
  ) {}

  /** Passes a RSYN on by `output`, from where it was asked to; or says why not. */
  pass({ packet, batch, row }: ReceivedControl, output: LinkOutput, now: Instant): string {
    const from = batch.source(row);
    const { peerNonce, sourceFlowID: ownFlowID, destinationFlowID: peerFlowID } = packet;
    const control = packet.control!;
    if (peerNonce === undefined || !isRsyn(packet) || batch.isBroadcast(row)) return 'resyncRefused';
    // Whoever moves says where the other end's RSYN goes: to one host, and not to this one.
    if (from.isLoopback || this.table.isBroadcastTarget(from)) return 'resyncRefused';
    this.sources ??= new SourceQuota(this.random);
    if (!this.sources.admits(from, now)) return 'resyncTooMany';
    this.places ??= new MeetingPlaces(this.random);
    const end = { ownFlowID, ownNonce: control.nonce, peerFlowID, peerNonce };
    if (!this.places.note(end, control.controlSequence, from, now)) return 'resyncOld';
    const peer = this.places.peerOf(end, now);
    if (peer === undefined || peer.family !== from.family) return 'resyncAlone';
    const transmit = output.withRoom();
    if (transmit === undefined) return 'resyncNoRoom';
    const local = batch.local(row);
    transmit.begin(peer, local.isUnspecified ? undefined : local.withPort(0));
    transmit.headerEnd += writeSalPacketHeader(transmit.headers, transmit.headerEnd, {
      sourceFlowID: ownFlowID,
      destinationFlowID: peerFlowID,
      protocol: packet.protocol,
      control,
      source: [from],
      sourceKind: 'endpointSource',
      sourceFlags: EndpointSourceFlag.relayed,
    });
    transmit.finish(0, 0);
    return 'resyncRelayed';
  }
}

/** Whoever sent it is where it came from, and nothing follows. */
function isRsyn({ control, source, transportLength }: SalPacket): boolean {
  const isPlain = (control!.flags & ~ControlFlag.fin) === ControlFlag.rsyn;
  const first = source?.[0];
  return isPlain && transportLength === 0 && source?.length === 1 && first!.isUnspecified && first!.port === 0;
}

/** RSYNs of each source in the present interval: a counter for each of so many, without names. */
class SourceQuota {
  private readonly counts = new Uint16Array(RESYNC_SOURCES);
  private readonly intervals = new Int32Array(RESYNC_SOURCES);
  private readonly salt: number;

  constructor(random: RandomSource) {
    this.salt = random.uint32();
  }

  admits({ family, word0, word1 }: NetworkAddress, now: Instant): boolean {
    const place = mixTwo(mixTwo(this.salt, word0), family === 4 ? 0 : word1) & (RESYNC_SOURCES - 1);
    const interval = Math.floor(now / RESYNC_SOURCE_INTERVAL) | 0;
    if (this.intervals[place] !== interval) {
      this.intervals[place] = interval;
      this.counts[place] = 0;
    }
    if (this.counts[place]! >= RESYNC_SOURCE_MAXIMUM) return false;
    this.counts[place]!++;
    return true;
  }
}
