// Packets as an attacker would make them: valid in structure, wrong in everything else, with what was overheard
// put in where it hurts. What an attacker hears is what was sent to its own addresses, and no more; of honest
// flows it knows the flowIDs, and never a nonce.

import type { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { type FlowID, FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { sealSalHeader } from '../../lib/wire/sal-header';
import { type SalPacket, type SalPacketHeader, type SourceKind, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import type { ServiceID } from '../../lib/wire/service-id';
import { TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { writeSynOptions } from '../../lib/wire/tcp-options';
import { writeUdpHeader } from '../../lib/wire/udp-header';

export interface HostilePacket {
  readonly from: NetworkAddress;
  readonly bytes: Buffer;
  readonly isBroadcast: boolean;
}

/** A flow that the attacker knows of: one of the honest, or one of its own. */
export interface KnownFlow {
  /** The target's flowID, and the one of its peer. */
  readonly target: FlowID;
  readonly peer: FlowID;
  readonly protocol: number;
  readonly address: NetworkAddress;
  /** Sequence number that the target expects next, where it was overheard. */
  readonly sequence: number;
  /** What a segment of its peer may acknowledge; the attacker knows that of its own flows. */
  readonly acknowledgment: number | undefined;
  /** A packet with CONTROL that the target sent on it, when that went to the attacker. */
  readonly heard: SalPacket | undefined;
}

export interface Knowledge {
  /** First one that takes streams, then one that takes datagrams. */
  readonly services: readonly ServiceID[];
  readonly honest: readonly KnownFlow[];
  readonly own: readonly KnownFlow[];
  /** Addresses whose packets the attacker hears, and those it can only put in as a source. */
  readonly attackers: readonly NetworkAddress[];
  readonly spoofed: readonly NetworkAddress[];
}

const FLAGS = [0x80, 0x80, 0x80, 0xa0, 0x20, 0x20, 0x04, 0x24, 0x08, 0x28, 0x40, 0x60, 0x44, 0x10, 0x00, 0xfc];
const ANSWERS = [ControlFlag.ack, ControlFlag.ack, ControlFlag.ack, ControlFlag.ack, ControlFlag.fin, ControlFlag.rst];
const SOURCES_MAXIMUM = 20;

export class HostilePackets {
  private readonly bytes = Buffer.alloc(4096);
  private lastSyn = Buffer.alloc(0);

  constructor(private readonly random: SeededRandom) {}

  next(known: Knowledge): HostilePacket {
    const made = this.make(known);
    const isBroadcast = this.chance(0.1);
    if (this.chance(0.08)) {
      return { ...made, bytes: made.bytes.subarray(0, this.below(made.bytes.length + 1)), isBroadcast };
    }
    if (this.chance(0.1)) this.damage(made.bytes);
    return { ...made, isBroadcast };
  }

  private make(known: Knowledge): Omit<HostilePacket, 'isBroadcast'> {
    const kind = this.below(8);
    if (kind < 2) return this.segment(known);
    if (kind === 2) return this.open(known);
    return kind < 5 ? this.answer(known) : this.any(known);
  }

  /** A SYN as it should be: the attacker is a client, too. Its last one may come again, from another address. */
  private open(known: Knowledge): Omit<HostilePacket, 'isBroadcast'> {
    if (this.lastSyn.length > 0 && this.chance(0.4))
      return { from: this.address(known), bytes: Buffer.from(this.lastSyn) };
    const [stream, datagram] = known.services;
    const protocol = this.pick([6, 6, 17])!;
    const sourceFlowID = flowID(this.word());
    const control = this.control(undefined, sourceFlowID, true);
    const destinationService = protocol === 6 ? stream! : datagram!;
    const header = { sourceFlowID, destinationFlowID: flowID(0), protocol, control, destinationService };
    const bytes = this.write(header, undefined);
    this.lastSyn = Buffer.from(bytes);
    return { from: this.pick([...known.attackers, ...known.attackers, ...known.spoofed])!, bytes };
  }

  /** The next sensible packet of the attacker's own handshake, from its own address or from another. */
  private answer(known: Knowledge): Omit<HostilePacket, 'isBroadcast'> {
    const flow = this.pick(known.own.slice(-6));
    if (flow?.heard?.control === undefined) return this.any(known);
    const control = {
      flags: this.pick(ANSWERS)!,
      controlSequence: flow.heard.control.controlAck,
      controlAck: controlSequence(flow.heard.control.controlSequence + 1),
      nonce: nonceOf(flow.peer),
    };
    const service = this.chance(0.8) ? { destinationService: this.pick(known.services)! } : {};
    const header = { sourceFlowID: flow.peer, destinationFlowID: flow.target, protocol: flow.protocol };
    const from = this.chance(0.7) ? flow.address : this.address(known);
    return { from, bytes: this.write({ ...header, control, ...service, ...this.source(known, 0.1) }, flow) };
  }

  /** Any combination of extensions, flags, flowIDs, numbers and nonces. */
  private any(known: Knowledge): Omit<HostilePacket, 'isBroadcast'> {
    const flow = this.pick(this.chance(0.5) ? known.own : known.honest);
    const isSyn = this.chance(0.4);
    const peer = flow !== undefined && this.chance(0.5) ? flow.peer : flowID(this.random.uint32());
    const header: SalPacketHeader = {
      sourceFlowID: peer,
      destinationFlowID: isSyn ? flowID(0) : this.chance(0.8) ? (flow?.target ?? flowID(1)) : flowID(this.word()),
      protocol: this.chance(0.95) ? this.pick([6, 17])! : this.below(256),
      ...(isSyn || this.chance(0.7) ? { control: this.control(flow, peer, isSyn) } : {}),
      ...(isSyn || this.chance(0.7) ? { destinationService: this.pick(known.services)! } : {}),
      ...(this.chance(0.1) ? { addresses: this.addresses(known) } : {}),
      ...this.source(known, 0.3),
    };
    const hasSource = header.destinationService !== undefined && this.chance(0.4);
    const full = hasSource ? { ...header, sourceService: this.pick(known.services)! } : header;
    const isBare = full.control ?? full.destinationService ?? full.addresses ?? full.source;
    if (isBare === undefined) return this.segment(known);
    return { from: this.address(known), bytes: this.write(full, flow) };
  }

  /**
   * A TCP segment without extensions. Data has no nonce: who knows both flowIDs, the peer's address and a number in
   * the window can write into a stream, as with TCP. So one of the three is wrong where the flow is honest.
   */
  private segment(known: Knowledge): Omit<HostilePacket, 'isBroadcast'> {
    const isOwn = this.chance(0.4);
    const flow = this.pick(isOwn ? known.own : known.honest);
    if (flow === undefined) return { from: this.address(known), bytes: this.tcp(flowID(1), flowID(this.word()), 0) };
    const wrong = this.below(3);
    const far = (flow.sequence + 0x2000_0000 + this.below(0x4000_0000)) >>> 0;
    const peer = wrong === 1 ? flowID(flow.peer ^ (1 << this.below(32))) : flow.peer;
    const sequence = wrong === 2 ? far : (flow.sequence + this.below(3000) - 100) >>> 0;
    const from = wrong === 0 ? this.pick([...known.attackers, ...known.spoofed])! : flow.address;
    const elsewhere = from.equals(flow.address) ? flow.address.withPort(flow.address.port ^ 1) : from;
    const acknowledgment = this.chance(0.7) ? flow.acknowledgment : undefined;
    const bytes = this.tcp(peer, flow.target, sequence, acknowledgment);
    return { from: wrong === 0 && !isOwn ? elsewhere : from, bytes };
  }

  private tcp(source: FlowID, destination: FlowID, sequence: number, acknowledgment = this.word()): Buffer {
    const header = { sourceFlowID: source, destinationFlowID: destination, protocol: 6 };
    let end = writeSalPacketHeader(this.bytes, 0, header);
    const flags = this.pick([
      TcpFlag.ack,
      TcpFlag.ack,
      TcpFlag.rst,
      TcpFlag.syn,
      TcpFlag.ack | TcpFlag.fin,
      this.below(256),
    ])!;
    end += writeTcpHeader(this.bytes, end, {
      sequence,
      acknowledgment,
      flags,
      window: this.below(65_536),
    });
    return this.copy(end + this.below(200));
  }

  private write(header: SalPacketHeader, flow: KnownFlow | undefined): Buffer {
    this.bytes.fill(this.below(256));
    let end = writeSalPacketHeader(this.bytes, 0, header);
    const kind = this.chance(0.8) ? 2 + this.below(5) : this.below(2);
    if (kind === 0) return this.copy(end);
    if (kind === 1) return this.copy(end + this.below(80));
    if (header.protocol === 17) return this.copy(end + writeUdpHeader(this.bytes, end, 0));
    const options =
      kind < 5
        ? { maximumSegmentSize: this.below(65_536), windowScale: this.below(16), sackPermitted: true }
        : undefined;
    const optionsLength = options === undefined ? 0 : 12;
    const isSyn = ((header.control?.flags ?? 0) & ControlFlag.syn) !== 0;
    const flags = isSyn ? TcpFlag.syn : TcpFlag.ack;
    const sequence = isSyn ? this.word() : (flow?.sequence ?? this.word());
    end += writeTcpHeader(this.bytes, end, {
      sequence,
      acknowledgment: this.word(),
      flags,
      window: 1000,
      optionsLength,
    });
    if (options !== undefined) end = writeSynOptions(this.bytes, end, options);
    return this.copy(end);
  }

  private control(flow: KnownFlow | undefined, peer: FlowID, isSyn: boolean): NonNullable<SalPacketHeader['control']> {
    const near = flow?.heard?.control;
    const number = (around: number | undefined): number =>
      around === undefined || this.chance(0.3) ? this.word() : around + this.below(4) - 1;
    return {
      flags: isSyn ? ControlFlag.syn : this.pick(FLAGS)!,
      controlSequence: controlSequence(number(near?.controlAck)),
      controlAck: controlSequence(number(near?.controlSequence)),
      nonce: isSyn ? nonceOf(peer) : this.pick([nonceOf(peer), FlowNonce.zero, near?.nonce ?? FlowNonce.zero])!,
    };
  }

  private source(known: Knowledge, share: number): { source?: readonly NetworkAddress[]; sourceKind?: SourceKind } {
    if (!this.chance(share)) return {};
    const sourceKind = this.chance(0.6) ? 'endpointSource' : 'source';
    const count = this.chance(0.2) ? this.below(SOURCES_MAXIMUM - 2) + 2 : 2 + this.below(3);
    const all = Array.from({ length: count }, () => this.pick([...NASTY, ...known.spoofed, ...known.attackers])!);
    const source = all.filter((each, index) => each.family === 4 || (sourceKind === 'endpointSource' && index < 3));
    while (source.length < 2) source.push(NASTY[0]!);
    return { source, sourceKind };
  }

  private addresses(known: Knowledge): NonNullable<SalPacketHeader['addresses']> {
    const addresses = known.spoofed.filter((each) => each.family === 4);
    return { controlSequence: controlSequence(this.word()), controlAck: controlSequence(this.word()), addresses };
  }

  /** Overwrites some bytes of the header; half of the time with a checksum that fits. */
  private damage(bytes: Buffer): void {
    if (bytes.length < 12) return;
    for (let count = 1 + this.below(3); count > 0; count--) bytes[this.below(bytes.length)] = this.below(256);
    const headerLength = bytes[8]! * 4;
    if (this.chance(0.7) && headerLength >= 12 && headerLength <= bytes.length) sealSalHeader(bytes, 0);
  }

  private address(known: Knowledge): NetworkAddress {
    const pools = [known.attackers, known.spoofed, known.honest.map((each) => each.address), NASTY_SOURCES];
    return this.pick(this.pick(pools)!) ?? known.attackers[0]!;
  }

  private copy(end: number): Buffer {
    return Buffer.from(this.bytes.subarray(0, end));
  }

  private pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.below(items.length)];
  }

  private below(bound: number): number {
    return Math.floor(this.random.fraction() * bound);
  }

  private chance(share: number): boolean {
    return this.random.fraction() < share;
  }

  private word(): number {
    return this.random.uint32();
  }
}

/** The attacker's nonce of one of its flows. */
export function nonceOf(flow: FlowID): FlowNonce {
  return FlowNonce.of(flow, ~flow);
}

const at = (ip: string, port: number): NetworkAddress => NetworkAddress.parse(ip, port)!;

/** Where nothing may ever be sent, and the unspecified address, which stands for the packet's own source. */
const NASTY = [
  '0.0.0.0',
  '127.0.0.1',
  '255.255.255.255',
  '224.0.0.1',
  '10.0.0.255',
  '240.0.0.1',
  '0.1.2.3',
  '::',
  '::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:255.255.255.255',
  '::ffff:10.0.0.255',
].flatMap((ip) => [at(ip, 4000), at(ip, 0)]);
/** Loopback is not among them: no kernel takes that from outside, and what comes from there is this machine. */
const NASTY_SOURCES = NASTY.filter((each) => !each.isLoopback);
