// What the signaling needs of the SAL around it, and no more.

import type { Instant } from '../../time/instant';
import type { RandomSource } from '../../time/random-source';
import type { AddressExtension } from '../../wire/address-extension';
import type { NetworkAddress } from '../../wire/network-address';
import type { ReceivedBatch } from '../../wire/received-batch';
import type { SalPacket } from '../../wire/sal-packet';
import type { ServiceID } from '../../wire/service-id';
import type { Flow, FlowFailure } from '../flow';
import type { FailureReason } from '../instance-failures';
import type { LinkOutput } from '../link-output';
import type { OldRouters } from '../old-routers';
import type { Path } from '../path';
import type { MigrationOutcome } from './migration-record';

/** Where a packet came from, and on what. */
export interface Origin {
  readonly batch: ReceivedBatch;
  readonly row: number;
  /** The link that carries flows: answers leave by it even when the packet came by the well-known port. */
  readonly output: LinkOutput;
}

/** A received control packet. */
export interface ReceivedControl extends Origin {
  readonly packet: SalPacket;
}

export interface SignalingContext {
  readonly random: RandomSource;
  /** Where the ends of flows meet when both have moved. */
  readonly oldRouters: OldRouters;
  /** Gives the flow a random local flowID and a place in the flow table; false when the table is full. */
  admit(flow: Flow): boolean;
  /** Takes the flow out of the table; its owner is told. */
  close(flow: Flow, failure: FlowFailure | undefined, now: Instant): void;
  /** The flow leaves the table, and its flowID rests in TIME-WAIT; its owner is told. */
  enterTimeWait(flow: Flow, now: Instant): void;
  /** The peer's FIN is acknowledged at the end of the turn, by our own if there is one by then. */
  oweAcknowledgment(flow: Flow): void;
  /** The flow's deadlines may have changed. */
  reschedule(flow: Flow): void;
  /** Sends the flow's SYN to wherever its service resolves to now (§4.2). False when there is no rule. */
  sendFirstPacket(flow: Flow, now: Instant): boolean;
  /** Whether there is a rule for the flow's SYN beside those that its connect avoids. */
  leadsSomewhere(flow: Flow): boolean;
  /** The hop that a rule for the service leads to has failed a connect: the controllers are to know. */
  noteFailure(service: ServiceID, hop: NetworkAddress, why: FailureReason, now: Instant): void;
  /** An instance has answered the flow's SYN. */
  endFirstPackets(flow: Flow): void;
  /** The local address to answer from, when the packet told one that is ours and unicast. */
  localAddressOf(origin: Origin): NetworkAddress | undefined;
  /** Whether a sender at `from` may have answers go to `client`. */
  isAnswerable(client: NetworkAddress, from: NetworkAddress): boolean;
  /** Addresses of ours of the other family, for a peer that may come to a network of that. */
  alternativesTo(path: Path, output: LinkOutput): AddressExtension | undefined;
  /** Nobody answers where the flow, whose address is gone, tries to go on. */
  pathSilent(flow: Flow): void;
  /** What has become of a move of ours. */
  migrationEnded(flow: Flow, outcome: MigrationOutcome): void;
  /** Flows between the same two addresses share their path. */
  pathOf(link: number, local: NetworkAddress | undefined, remote: NetworkAddress): Path;
  count(name: string): void;
}
