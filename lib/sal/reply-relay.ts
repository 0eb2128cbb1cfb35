// A router that its clients' middleboxes know passes answers to first packets back the way they came (§7): a firewall
// or NAT lets in only what comes from where the client, or the router before this one, has sent to. Once the client's
// third ACK has gone to the instance, that is the instance itself, and nothing more comes this way. What is remembered is
// bounded and short: for each SYN that went through, the right to one answer, no longer than what asked for it - so
// nobody is sent anything unasked.

import { RELAY_LIFETIME, RELAY_TRANSPORT_BYTES_MAXIMUM } from '../limits';
import { mixAddress, mixTwo } from '../table/mix-bits';
import { after, type Instant } from '../time/instant';
import type { RandomSource } from '../time/random-source';
import { ADDRESS_INTS, readAddressWords, writeAddressWords } from '../wire/address-words';
import { ControlFlag } from '../wire/control-extension';
import { EndpointSourceFlag, fitsEndpointSourceExtension } from '../wire/endpoint-source-extension';
import type { NetworkAddress } from '../wire/network-address';
import { type SalPacket, writeSalPacketHeader } from '../wire/sal-packet';
import type { LinkOutput } from './link-output';
import { isRelayed } from './signaling/relayed-answer';
import type { ReceivedControl } from './signaling/signaling-context';

/** A SYN that goes on from here. */
export interface PassedSyn {
  readonly received: ReceivedControl;
  /** Index of the link that it came by. */
  readonly link: number;
  /** Whether it came from the client itself. */
  readonly isFirst: boolean;
  readonly next: NetworkAddress;
}

export class ReplyRelay {
  /** From the first SYN on: most stacks pass nothing on. */
  private memory: Memory | undefined;

  constructor(
    private readonly random: RandomSource,
    private readonly outputOf: (link: number) => LinkOutput,
    /** SYNs that are to be remembered, a power of two. */
    private readonly places: () => number,
  ) {}

  noteSyn({ received, link, isFirst, next }: PassedSyn, now: Instant): void {
    const { packet, batch, row } = received;
    this.memory ??= new Memory(this.random, this.places());
    const { rows, ends } = this.memory;
    const sequence = packet.control!.controlSequence;
    const place = this.memory.placeOf(packet.sourceFlowID, sequence);
    const at = place * Field.count;
    rows[at + Field.mark] = this.memory.markOf(packet.sourceFlowID, sequence);
    rows[at + Field.next] = mixAddress(next);
    rows[at + Field.link] = (link << 1) | (isFirst ? 1 : 0);
    writeAddressWords(rows, at + Field.previous, batch.source(row));
    writeAddressWords(rows, at + Field.asked, batch.local(row));
    ends[place] = after(now, RELAY_LIFETIME);
  }

  /** Passes an answer on, from where its SYN was received to where that came from; or says why not. */
  pass(received: ReceivedControl, now: Instant): string {
    const { packet, batch, row } = received;
    if (packet.source === undefined || batch.isBroadcast(row) || !isAnswer(packet)) return 'relayRefused';
    const place = this.memory?.find(packet, now);
    if (place === undefined) return 'relayUnasked';
    const { rows, ends } = this.memory!;
    const at = place * Field.count;
    // Only whom the SYN went to may say that somebody else answers.
    if (isRelayed(packet) && rows[at + Field.next] !== mixAddress(batch.source(row))) return 'relayRefused';
    const answerer = isRelayed(packet) ? packet.source[0]! : batch.source(row);
    const source = [answerer, ...packet.source.slice(1)];
    // IPv6 in the place of IPv4 may be too much.
    if (!answerer.isUnicast || !fitsEndpointSourceExtension(source)) return 'relayRefused';
    const transmit = this.outputOf(rows[at + Field.link]! >> 1).withRoom();
    if (transmit === undefined) return 'relayNoRoom';
    ends[place] = 0;
    const asked = readAddressWords(rows, at + Field.asked);
    transmit.begin(readAddressWords(rows, at + Field.previous), asked.isUnspecified ? undefined : asked.withPort(0));
    const isForClient = (rows[at + Field.link]! & 1) === 1;
    transmit.headerEnd += writeSalPacketHeader(transmit.headers, transmit.headerEnd, {
      ...packet,
      source,
      sourceFlags: EndpointSourceFlag.relayed | (isForClient ? 0 : EndpointSourceFlag.relay),
    });
    if (packet.transportLength > 0) {
      transmit.appendPiece(batch.slab, packet.transportOffset, packet.transportLength);
    }
    transmit.finish(0, 0);
    return 'relayed';
  }
}

class Memory {
  readonly rows: Int32Array;
  readonly ends: Float64Array;
  /** Nobody else's knowledge: who could find two SYNs with one mark could answer for the other. */
  private readonly salts: readonly [number, number];

  constructor(
    random: RandomSource,
    private readonly places: number,
  ) {
    this.rows = new Int32Array(places * Field.count);
    this.ends = new Float64Array(places);
    this.salts = [random.uint32(), random.uint32()];
  }

  /** The place of the SYN that it answers, if an answer to that is still awaited. */
  find({ destinationFlowID, control }: SalPacket, now: Instant): number | undefined {
    const sequence = (control!.controlAck - 1) | 0;
    const place = this.placeOf(destinationFlowID, sequence);
    const isKnown = this.rows[place * Field.count + Field.mark] === this.markOf(destinationFlowID, sequence);
    return isKnown && this.ends[place]! > now ? place : undefined;
  }

  placeOf(flow: number, sequence: number): number {
    return mixTwo(mixTwo(flow, sequence), this.salts[0]) & (this.places - 1);
  }

  markOf(flow: number, sequence: number): number {
    return mixTwo(mixTwo(this.salts[1], flow), sequence);
  }
}

/** A SYN-ACK or a refusal, without data. */
function isAnswer({ control, transportLength }: SalPacket): boolean {
  if (control === undefined || transportLength > RELAY_TRANSPORT_BYTES_MAXIMUM) return false;
  const { flags } = control;
  return flags === (ControlFlag.syn | ControlFlag.ack) || flags === (ControlFlag.rst | ControlFlag.ack);
}

/** 32-bit numbers of a place. */
const Field = {
  mark: 0,
  next: 1,
  /** Index of the link, and in the lowest bit whether the SYN came from the client itself. */
  link: 2,
  previous: 3,
  asked: 3 + ADDRESS_INTS,
  count: 3 + 2 * ADDRESS_INTS,
} as const;
