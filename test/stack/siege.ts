// A host under attack while it works: honest connections in both directions, an application that does anything at
// any moment with what the attacker opened, and a ledger of every byte in and out.

import { expect } from 'vitest';
import type { DatagramHandle, StreamHandle } from '../../lib/driver/handles';
import { DATAGRAM_PEERS_MAXIMUM, DELAYED_TOTAL, HALF_OPEN_MAXIMUM } from '../../lib/limits';
import { clientOf } from '../../lib/sal/client-address';
import type { LinkProperties } from '../../lib/sal/link-properties';
import { type Instant, NEVER } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag } from '../../lib/wire/control-extension';
import { NetworkAddress } from '../../lib/wire/network-address';
import { RowFlag } from '../../lib/wire/received-batch';
import { isWireError, parseSalPacket } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { parseTcpHeader } from '../../lib/wire/tcp-header';
import type { Packet } from '../sal/wire';
import { AttackedHost, Clock } from './attacked-host';
import { HonestEnd, SILENT } from './honest-end';
import { type HostilePacket, HostilePackets, type KnownFlow } from './hostile-packets';

const service = (digit: string): ServiceID => ServiceID.fromHex(digit.repeat(64))!;
export const STREAM = service('1');
const DATAGRAM = service('2');
const DELAYED = service('3');
const FORWARDED = service('4');
const UNKNOWN = service('5');
const BACK = service('6');

export interface SiegeOptions {
  readonly seed: number;
  readonly forwards: boolean;
  readonly link: Partial<LinkProperties>;
}

export class Siege {
  readonly clock = new Clock();
  readonly target: AttackedHost;
  readonly honest: AttackedHost;
  readonly ends: HonestEnd[] = [];
  /** What the attacker has opened, as the target's application holds it. */
  readonly opened: StreamHandle[] = [];
  /** How many that were in all. */
  accepted = 0;
  received = 0;
  forwarded = 0;
  private readonly random: SeededRandom;
  private readonly packets: HostilePackets;
  private readonly own: KnownFlow[] = [];
  private readonly sequences = new Map<number, number>();
  private readonly ledger = new Map<string, number>();
  private readonly proven = new Set<string>();
  private readonly attackers: NetworkAddress[];
  private readonly spoofed: NetworkAddress[];
  private readonly hops: NetworkAddress[];
  private readonly broadcast: NetworkAddress;
  private datagrams: DatagramHandle | undefined;

  constructor(options: SiegeOptions) {
    const port = options.link.encapsulated === false ? 0 : 4000;
    const at = (ip: string): NetworkAddress => NetworkAddress.parse(ip, port)!;
    this.random = SeededRandom.of(options.seed);
    this.packets = new HostilePackets(this.random.fork());
    this.attackers = ['10.66.0.1', '10.66.0.2', '10.66.0.3', 'fd66::1'].map(at);
    this.spoofed = ['10.77.0.1', '192.0.2.77', 'fd77::1'].map(at);
    this.hops = ['10.0.0.50', '10.0.0.51'].map(at);
    this.broadcast = at('10.0.0.255');
    this.target = new AttackedHost(this.clock, at('10.0.0.1'), options.seed + 1, options.link);
    this.honest = new AttackedHost(this.clock, at('10.0.0.2'), options.seed + 2, options.link);
    this.setUp(options.forwards);
  }

  /** Lets the honest work a little, hands in some packets of the attacker, and settles the account. */
  step(): void {
    for (const end of this.ends) if (!end.isClosed) end.write(this.below(300));
    for (let count = 1 + this.below(6); count > 0; count--) this.attack(this.packets.next(this.knowledge()));
    this.act();
    this.settle();
    if (this.chance(0.3)) this.advance(this.below(40));
  }

  /** Passes on what the honest say to each other; what goes elsewhere is entered in the account. */
  settle(): void {
    for (let round = 0; round < 200; round++) {
      this.target.turn();
      this.honest.turn();
      const packets = [...this.target.takeSent(), ...this.honest.takeSent()];
      if (packets.length === 0) return this.checkBounds();
      for (const packet of packets) this.pass(packet);
    }
    throw new Error('the conversation does not end');
  }

  advance(duration: number): void {
    const end = (this.clock.now + duration) as Instant;
    for (;;) {
      const next = Math.min(this.target.nextDeadline, this.honest.nextDeadline) as Instant;
      if (next > end) break;
      this.clock.now = Math.max(next, this.clock.now) as Instant;
      this.settle();
    }
    this.clock.now = end;
  }

  /** The attack is over: the honest finish in good order, the application closes the rest. */
  end(): void {
    for (const end of this.ends) end.handle.shutdown();
    for (const handle of this.opened) handle.close();
    this.datagrams?.close();
    this.settle();
    this.advance(2000);
    for (const end of this.ends) end.handle.close();
    // FIN_WAIT_2, or all repetitions of a FIN that an attacker never acknowledges, and TIME-WAIT.
    this.advance(400_000);
  }

  checkStreams(): void {
    for (let index = 0; index < this.ends.length; index += 2) {
      const [one, other] = [this.ends[index]!, this.ends[index + 1]!];
      expect([one.failure, other.failure]).toEqual(['', '']);
      expect([one.read, other.read]).toEqual([other.written, one.written]);
      expect([one.hasEnded, other.hasEnded]).toEqual([true, true]);
    }
  }

  checkEmpty(): void {
    const { stack } = this.target;
    expect(stack.sal.flowTable.size).toBe(0);
    expect(stack.connections.size).toBe(0);
    expect(stack.sal.firstPackets.delayed.waiting).toBe(0);
    expect(this.target.nextDeadline).toBe(NEVER);
  }

  get counters(): Record<string, number> {
    return this.target.stack.sal.counters.toObject();
  }

  get provenAttackers(): number {
    return this.proven.size;
  }

  get halfOpen(): number {
    return [...this.target.stack.sal.flowTable.values()].filter((flow) => flow.state === 'respond').length;
  }

  private setUp(forwards: boolean): void {
    const { target, honest } = this;
    target.stack.setForwarding(forwards);
    target.forward(undefined, this.broadcast, { broadcast: true });
    target.forward(BACK, honest.address);
    for (const hop of this.hops) target.forward(FORWARDED, hop, { selectAll: true });
    const delay = { action: 'delay', prefix: ServicePrefix.of(DELAYED), priority: 1, weight: 1 } as const;
    target.driver.command({ kind: 'addRule', rule: delay });
    honest.forward(STREAM, target.address);
    target.sockets.listen(ServicePrefix.of(STREAM), {}, { connection: (handle) => this.accept(handle) });
    honest.sockets.listen(ServicePrefix.of(BACK), {}, { connection: (handle) => this.addEnd(handle) });
    const ignore = { message() {}, connected() {}, failed() {}, closed() {} };
    this.datagrams = target.sockets.openDatagram(ServicePrefix.of(DATAGRAM), ignore);
    for (const [host, name] of [
      [honest, STREAM],
      [target, BACK],
      [honest, STREAM],
    ] as const) {
      this.addEnd(host.sockets.connect(name, {}, SILENT));
      this.settle();
    }
  }

  private accept(handle: StreamHandle): void {
    if (handle.remoteAddress!.equals(this.honest.address)) this.addEnd(handle);
    else {
      this.accepted++;
      handle.setObserver(SILENT);
      this.opened.push(handle);
    }
  }

  private addEnd(handle: StreamHandle): void {
    this.ends.push(new HonestEnd(handle, this.ends.length >>> 1));
  }

  /** The application does anything, at any moment, with what an attacker opened. */
  private act(): void {
    const handle = this.opened[this.below(this.opened.length)];
    if (handle !== undefined) {
      const verb = this.below(8);
      if (verb < 3) handle.write(Buffer.alloc(this.below(5000)));
      else if (verb === 3) handle.startReading();
      else if (verb === 4) handle.stopReading();
      else if (verb === 5) handle.shutdown();
      else if (verb === 6) handle.close();
      else handle.reset();
      if (verb > 5) this.opened.splice(this.opened.indexOf(handle), 1);
    }
    const prefix = ServicePrefix.of(DELAYED);
    if (this.chance(0.02)) this.target.driver.command({ kind: 'releaseDelayed', prefix });
    if (this.chance(0.02)) this.target.driver.command({ kind: 'discardDelayed', prefix });
  }

  private attack({ from, bytes, isBroadcast }: HostilePacket): void {
    this.received++;
    const parsed = parseSalPacket(bytes, 0, bytes.length);
    const flags = isWireError(parsed) ? 0 : (parsed.control?.flags ?? 0);
    // In a SYN-ACK, SOURCE tells the way that the SYN went.
    const isSynAck = (flags & SYN_ACK) === SYN_ACK;
    const claimed = isWireError(parsed) || isSynAck ? from : clientOf(parsed, from);
    this.credit(claimed, bytes.length);
    if (!isWireError(parsed) && flags === ControlFlag.ack) {
      const isHeard = this.own.some((flow) => flow.target === parsed.destinationFlowID && flow.address.equals(from));
      if (isHeard) this.proven.add(String(from));
    }
    const forwarded = this.forwarded;
    const to = isBroadcast ? this.broadcast : this.target.address;
    this.target.receive(bytes, from, to, isBroadcast ? RowFlag.broadcast : 0);
    for (const packet of this.target.takeSent()) {
      const isKnown = this.proven.has(String(packet.to)) || this.isHonest(packet.to);
      if (!isKnown) expect(String(packet.to), 'only who is said to ask is answered').toBe(String(claimed));
      this.pass(packet);
    }
    expect(this.forwarded - forwarded, 'copies that a stranger makes us send').toBeLessThanOrEqual(1);
  }

  private pass(packet: Packet): void {
    const { from, to, bytes } = packet;
    if (from === this.honest.address) {
      this.overhear(bytes);
      this.target.receive(bytes, from, to, 0);
    } else if (to.equals(this.honest.address)) this.honest.receive(bytes, from, to, 0);
    else if (this.isHonest(to)) this.forwarded++;
    else this.enter(to, bytes);
  }

  /** The honest client, and the next hops of the target's rules. */
  private isHonest(address: NetworkAddress): boolean {
    return [this.honest.address, ...this.hops].some((each) => each.equals(address));
  }

  private enter(to: NetworkAddress, bytes: Buffer): void {
    expect(to.ip, 'nothing is sent to many, to nobody or to ourselves').not.toMatch(FORBIDDEN);
    if (!this.proven.has(String(to))) {
      this.credit(to, -bytes.length);
      expect(this.ledger.get(String(to)), `amplification towards ${to}`).toBeGreaterThanOrEqual(0);
    }
    if (this.attackers.some((each) => each.equals(to))) this.learn(to, bytes);
  }

  private credit(address: NetworkAddress, bytes: number): void {
    this.ledger.set(String(address), (this.ledger.get(String(address)) ?? 0) + bytes);
  }

  /** The attacker hears what is sent to its own addresses. */
  private learn(address: NetworkAddress, bytes: Buffer): void {
    const heard = parseSalPacket(bytes, 0, bytes.length);
    if (isWireError(heard) || heard.control?.flags !== SYN_ACK) return;
    const tcp = heard.protocol === 6 ? parseTcpHeader(bytes, heard.transportOffset, heard.transportLength) : 0;
    const { sourceFlowID: target, destinationFlowID: peer, protocol } = heard;
    const sequence = typeof tcp === 'object' ? tcp.acknowledgment : 0;
    const acknowledgment = typeof tcp === 'object' && 'sequence' in tcp ? (tcp.sequence + 1) >>> 0 : undefined;
    this.own.push({ target, peer, protocol, address, heard, sequence, acknowledgment });
    if (this.own.length > 40) this.own.shift();
  }

  /** Sequence numbers of the honest, so that forged segments can be near and surely far. */
  private overhear(bytes: Buffer): void {
    const packet = parseSalPacket(bytes, 0, bytes.length);
    if (isWireError(packet)) return;
    const tcp = parseTcpHeader(bytes, packet.transportOffset, packet.transportLength);
    if (!isWireError(tcp)) this.sequences.set(packet.destinationFlowID, tcp.sequence);
  }

  private knowledge() {
    const honest: KnownFlow[] = [];
    for (const flow of this.target.stack.sal.flowTable.values()) {
      const address = flow.path?.remote;
      if (address?.equals(this.honest.address) !== true) continue;
      const { localFlowID: target, remoteFlowID: peer, protocol } = flow;
      honest.push({
        target,
        peer,
        protocol,
        address,
        heard: undefined,
        sequence: this.sequences.get(target) ?? 0,
        acknowledgment: undefined,
      });
    }
    const services = [STREAM, DATAGRAM, STREAM, DELAYED, FORWARDED, UNKNOWN];
    return { services, honest, own: this.own, attackers: this.attackers, spoofed: this.spoofed };
  }

  private checkBounds(): void {
    const { sal } = this.target.stack;
    if (sal.firstPackets.delayed.waiting > DELAYED_TOTAL) throw new Error('too much is delayed');
    const { size } = sal.flowTable;
    if (size > HALF_OPEN_MAXIMUM + DATAGRAM_PEERS_MAXIMUM + this.received) throw new Error('too many flows');
  }

  private below(bound: number): number {
    return Math.floor(this.random.fraction() * bound);
  }

  private chance(share: number): boolean {
    return this.random.fraction() < share;
  }
}

const SYN_ACK = ControlFlag.syn | ControlFlag.ack;

/** Spelled out, so as not to lean on what is tested. */
const FORBIDDEN = /^(0\.|127\.|2[2-5]\d\.|10\.0\.0\.255$|::$|::1$|ff|::ffff:)/;
