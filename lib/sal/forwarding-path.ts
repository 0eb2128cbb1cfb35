// The way of most packets through a router: a first packet that leaves as it came, with a longer source list. It is
// read where it stands and copied once, no object is made for it, and its checksum is not summed anew (RFC 1624).
// What is not as plain goes the long way, through first-packets.ts, where the same is decided.

import type { Choice } from '../table/choice';
import { mixTwo } from '../table/mix-bits';
import { ResolutionReach, type ServiceTable } from '../table/service-table';
import type { Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import { ADDRESS_INTS, readAddressWords } from '../wire/address-words';
import { FirstPacketHeader } from '../wire/first-packet-header';
import type { NetworkAddress } from '../wire/network-address';
import { type ReceivedBatch, ReceivedField } from '../wire/received-batch';
import { isAnswerable } from './client-address';
import type { Counters } from './counters';
import { LengthenedHeader } from './lengthened-header';
import { type Links, LOOPBACK_LINK } from './links';
import type { RecentHops } from './recent-hops';
import { queryFor } from './resolution';

export interface ForwardingContext {
  readonly serviceTable: ServiceTable;
  readonly links: Links;
  readonly random: RandomSource;
  readonly counters: Counters;
  readonly forwards: boolean;
  /** Whether answers to strangers come back this way. */
  readonly relaysReplies: boolean;
}

export class ForwardingPath {
  private readonly header = new FirstPacketHeader();
  private readonly lengthened = new LengthenedHeader();
  private readonly clientRow = new Int32Array(ADDRESS_INTS);
  private slab: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private uncounted = 0;

  constructor(
    private readonly context: ForwardingContext,
    private readonly choice: Choice,
    private readonly recent: RecentHops,
  ) {}

  /** Forwards the packet of a row, or drops it for want of room. False: it is not for here, and nothing was done. */
  handleRow(link: number, batch: ReceivedBatch, row: number, now: Instant): boolean {
    const { context, header } = this;
    if (!context.forwards || link === LOOPBACK_LINK || batch.isBroadcast(row)) return false;
    const offset = batch.field(row, ReceivedField.offset);
    const length = batch.field(row, ReceivedField.length);
    this.look(batch.slab);
    if (offset + length > this.view.byteLength || !header.read(this.view, offset, length)) return false;
    // Who asks again is to get somebody else; and whose answers come back this way is remembered.
    if (header.isSyn && (header.detail !== 0 || context.relaysReplies)) return false;
    const client = this.clientOf(batch, row, offset);
    return client !== undefined && this.forward(client, batch, row, now);
  }

  /** To be called behind each burst: to count every packet by itself would cost more than to copy it. */
  countForwarded(): void {
    if (this.uncounted === 0) return;
    this.context.counters.count('forwarded', this.uncounted);
    this.uncounted = 0;
  }

  /** `undefined` when its list has something special in it, or must not be believed. */
  private clientOf(batch: ReceivedBatch, row: number, offset: number): NetworkAddress | undefined {
    const { header, view, clientRow } = this;
    const from = batch.source(row);
    if (!from.isUnicast || from.isLoopback) return undefined;
    let client = from;
    if (header.sourceAt > 0) {
      if (header.isClientUnspecified(view, offset)) return undefined;
      header.readClient(view, offset, clientRow);
      client = readAddressWords(clientRow, 0);
    }
    return isAnswerable(client, from, this.context.serviceTable) ? client : undefined;
  }

  private forward(client: NetworkAddress, batch: ReceivedBatch, row: number, now: Instant): boolean {
    const { header, view, choice, lengthened } = this;
    const { serviceTable, links, random, counters } = this.context;
    const offset = batch.field(row, ReceivedField.offset);
    if (!lengthened.plan(header, view, offset, batch.source(row), batch.local(row))) return false;
    choice.clear();
    choice.clientAddress = client;
    choice.flow = header.isSyn ? mixTwo(header.nonceHigh, header.nonceLow) : 0;
    const query = queryFor(header.protocol, ResolutionReach.unicast);
    const rule = serviceTable.resolve(header.service, query, random, choice);
    if (rule?.action !== 'forward') return false;
    const output = links.dataLink(rule.link);
    if (!output.properties.encapsulated) return false;
    const payload = batch.field(row, ReceivedField.length) - header.length;
    serviceTable.recordMatch(rule, payload, now);
    this.recent.note(rule, header.service, choice.flow);
    const isCopied = payload <= COPIED_MAXIMUM;
    const transmit = output.withRoom(isCopied ? payload : 0);
    if (transmit === undefined) {
      counters.count('forwardNoRoom');
      return true;
    }
    transmit.begin(rule.address, undefined);
    lengthened.write(transmit.headersView, transmit.headerEnd, view, offset);
    transmit.headerEnd += lengthened.length;
    if (isCopied) transmit.appendCopyOf(view, offset + header.length, payload);
    else transmit.appendPiece(batch.slab, offset + header.length, payload);
    transmit.finish(0, 0);
    this.uncounted++;
    return true;
  }

  /** A link's slab is the same for many packets. */
  private look(slab: Uint8Array): void {
    if (slab === this.slab) return;
    this.slab = slab;
    this.view = new DataView(slab.buffer, slab.byteOffset, slab.length);
  }
}

/** Longer payload stays where it is until the kernel takes it. */
const COPIED_MAXIMUM = 256;
