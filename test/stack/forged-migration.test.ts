// Off the path: who knows the flowIDs of a flow, but not its nonces, cannot move it, end it, put data into it, fill
// memory, or have packets sent anywhere but a few questions (reliability S1, S2, §4.4).

import { expect, it } from 'vitest';
import { CHALLENGE_INTERVAL_MAXIMUM } from '../../lib/limits';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ReceivedBatch } from '../../lib/wire/received-batch';
import { type SalPacketHeader, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { createWireErrorCounters } from '../../lib/wire/wire-error';
import { AttackedHost, Clock } from './attacked-host';
import { HonestEnd, SILENT } from './honest-end';

const SERVICE = ServiceID.fromHex('1'.repeat(64))!;
const PACKETS = 1_000_000;
const BURST = 100;
const PACKET_BYTES_MAXIMUM = 128;
const KINDS = [
  ControlFlag.rsyn,
  ControlFlag.rsyn | ControlFlag.fin,
  ControlFlag.rsyn | ControlFlag.ack,
  ControlFlag.ack,
  ControlFlag.fin,
  ControlFlag.rst,
  ControlFlag.rst | ControlFlag.ack,
];

/** Two hosts on a desk with one stream, and an attacker who sees nothing. */
class Desk {
  readonly clock = new Clock();
  readonly target = new AttackedHost(this.clock, address('10.0.0.1'), 1);
  readonly honest = new AttackedHost(this.clock, address('10.0.0.2'), 2);
  readonly ends: HonestEnd[] = [];
  readonly sentElsewhere: number[] = [];

  constructor() {
    const add = (end: HonestEnd): void => void this.ends.push(end);
    const connection = (handle: ConstructorParameters<typeof HonestEnd>[0]): void => add(new HonestEnd(handle, 0));
    this.target.sockets.listen(ServicePrefix.of(SERVICE), {}, { connection });
    this.honest.forward(SERVICE, this.target.address);
    add(new HonestEnd(this.honest.sockets.connect(SERVICE, {}, SILENT), 0));
    this.settle();
  }

  /** What the two say to each other arrives; what goes elsewhere is counted. */
  settle(): void {
    for (let round = 0; round < 100; round++) {
      this.target.turn();
      this.honest.turn();
      const packets = [...this.target.takeSent(), ...this.honest.takeSent()];
      if (packets.length === 0) return;
      for (const { from, to, bytes } of packets) {
        const host = [this.target, this.honest].find((each) => each.address.equals(to));
        if (host === undefined) this.sentElsewhere.push(bytes.length);
        else host.receive(bytes, from, to, 0);
      }
    }
  }

  get flow() {
    return [...this.target.stack.sal.flowTable.values()][0]!;
  }
}

/** Writes packets in which the nonce, or one of the flowIDs, is not the right one. */
class Forger {
  bytes = 0;
  private readonly random = SeededRandom.of(7);
  private readonly slab = Buffer.alloc(BURST * PACKET_BYTES_MAXIMUM);
  private readonly batch = new ReceivedBatch(BURST, this.slab);
  private readonly joiner = new TrainJoiner(createWireErrorCounters());
  private readonly attackers = Array.from({ length: 50 }, (_, index) => address(`10.66.0.${index + 1}`, 1000 + index));

  constructor(private readonly desk: Desk) {}

  /** One burst of them reaches the target. */
  strike(): void {
    const { batch, desk, joiner } = this;
    batch.reset();
    for (let index = 0; index < BURST; index++) {
      const offset = index * PACKET_BYTES_MAXIMUM;
      // Now and then with the peer's own address, which anybody can write into a packet.
      const isSpoofed = this.below(8) === 0;
      const from = isSpoofed ? desk.honest.address : this.attackers[this.below(50)]!;
      const length = this.write(offset, isSpoofed) - offset;
      this.bytes += length;
      const error = joiner.append(batch, from, desk.target.address, 0, offset, length);
      if (error !== undefined) throw new Error(`a packet was forged badly: ${error}`);
    }
    desk.target.driver.received(1, batch);
    // A reader may have kept part of the slab: whoever cheats here would be read.
    expect(batch.retainedEnd).toBe(0);
  }

  private write(offset: number, isSpoofed: boolean): number {
    const { flow } = this.desk;
    const isOfFlow = this.below(4) !== 0;
    const wrong = isOfFlow ? 0 : 1 + this.below(3);
    const ids = {
      sourceFlowID: wrong & 1 ? flowID(this.random.uint32()) : flow.remoteFlowID,
      destinationFlowID: wrong & 2 ? flowID(this.random.uint32()) : flow.localFlowID,
      protocol: 6,
    };
    // Data has no nonce: who knows both flowIDs, the address of the peer and a number in the window can write, as with TCP.
    if (this.below(4) === 0 && !(isSpoofed && isOfFlow)) return this.writeData(offset, ids);
    // The numbers are the right ones: only the nonce is not known.
    const control = {
      flags: KINDS[this.below(KINDS.length)]!,
      controlSequence: controlSequence(flow.control.receiveNext + this.below(3)),
      controlAck: controlSequence(flow.control.sendNext - this.below(2)),
      nonce: FlowNonce.of(this.random.uint32(), this.random.uint32()),
    };
    const header = { ...ids, control, ...(this.below(4) === 0 ? { addresses: this.addresses() } : {}) };
    return offset + writeSalPacketHeader(this.slab, offset, header);
  }

  private writeData(
    offset: number,
    ids: Pick<SalPacketHeader, 'sourceFlowID' | 'destinationFlowID' | 'protocol'>,
  ): number {
    let end = offset + writeSalPacketHeader(this.slab, offset, ids);
    const sequence = this.random.uint32();
    end += writeTcpHeader(this.slab, end, {
      sequence,
      acknowledgment: 0,
      flags: TcpFlag.ack | TcpFlag.psh,
      window: 100,
    });
    return end + 20;
  }

  /** A list of one address, numbered as the next that the peer would tell, or as one of a handshake. */
  private addresses(): NonNullable<SalPacketHeader['addresses']> {
    const number = this.below(3);
    const numbers = { controlSequence: controlSequence(number), controlAck: controlSequence(number) };
    return { ...numbers, addresses: [this.attackers[this.below(50)]!.withPort(this.below(2) * 1000)] };
  }

  private below(bound: number): number {
    return this.random.uint32() % bound;
  }
}

function address(ip: string, port = 4000): NetworkAddress {
  return NetworkAddress.parse(ip, port)!;
}

it(`of ${PACKETS} forged packets none has an effect, and memory stays flat`, () => {
  const desk = new Desk();
  const { flow, target, clock } = desk;
  const forger = new Forger(desk);
  const { path, peerAddresses } = flow;
  let heap = 0;
  for (let count = 0; count < PACKETS; count += BURST) {
    forger.strike();
    clock.now = (clock.now + 5) as Instant;
    for (const end of desk.ends) end.write(50);
    desk.settle();
    if (count === PACKETS / 4) heap = process.memoryUsage().heapUsed;
  }
  desk.settle();
  expect(flow.path).toBe(path);
  expect(flow.state).toBe('connected');
  expect(target.stack.sal.flowTable.size).toBe(1);
  expect(flow.migration?.peer).toBeUndefined();
  expect(flow.peerAddresses).toEqual(peerAddresses);
  expect(desk.ends.map(({ handle }) => handle.flows.length)).toEqual([1, 1]);
  expect(target.stack.sal.counters.value('badNonce')).toBeGreaterThan(PACKETS / 3);
  // Garbage of three quarters of the packets; a record of each would be more.
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(100 * 1024 * 1024);
  // Data with both flowIDs makes us ask, with pauses that double.
  const questions = Math.log2(CHALLENGE_INTERVAL_MAXIMUM / 100) + 10;
  expect(desk.sentElsewhere.length).toBeLessThan(3 * questions);
  expect(desk.sentElsewhere.reduce((sum, one) => sum + one, 0)).toBeLessThan(forger.bytes / 1000);
  for (const end of desk.ends) end.handle.shutdown();
  for (let time = 0; time < 100; time++) {
    clock.now = (clock.now + 100) as Instant;
    desk.settle();
  }
  const [server, client] = desk.ends as [HonestEnd, HonestEnd];
  expect([server.failure, client.failure]).toEqual(['', '']);
  expect([server.read, client.read]).toEqual([client.written, server.written]);
  expect(client.written).toBeGreaterThan(10_000);
}, 120_000);
