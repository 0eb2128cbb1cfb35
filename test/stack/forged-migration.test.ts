// Off the path: who knows the flowIDs of a flow, but not its nonces, cannot move it, end it, put data into it, fill
// memory, or have packets sent anywhere but a few questions (reliability S1, S2, §4.4).

import { expect, it } from 'vitest';
import { CHALLENGE_INTERVAL_MAXIMUM } from '../../lib/limits';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { AttackedHost, Clock } from './attacked-host';
import { HonestEnd, SILENT } from './honest-end';

const SERVICE = ServiceID.fromHex('1'.repeat(64))!;
const PACKETS = 500_000;
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

function address(ip: string, port = 4000): NetworkAddress {
  return NetworkAddress.parse(ip, port)!;
}

it(`of ${PACKETS} forged packets none has an effect, and memory stays flat`, () => {
  const desk = new Desk();
  const random = SeededRandom.of(7);
  const { flow, target, honest, clock } = desk;
  const bytes = Buffer.alloc(200);
  const attackers = Array.from({ length: 50 }, (_, index) => address(`10.66.0.${index + 1}`, 1000 + index));
  const { localFlowID, remoteFlowID, path } = flow;
  let received = 0;
  let heap = 0;
  for (let count = 0; count < PACKETS; count++) {
    const isOfFlow = random.uint32() % 4 !== 0;
    const isData = random.uint32() % 4 === 0;
    // Now and then with the peer's own address, which anybody can write into a packet.
    const from = random.uint32() % 8 === 0 ? honest.address : attackers[random.uint32() % attackers.length]!;
    const ids = {
      sourceFlowID: isOfFlow ? remoteFlowID : flowID(random.uint32()),
      destinationFlowID: isOfFlow || random.uint32() % 2 === 0 ? localFlowID : flowID(random.uint32()),
    };
    // The numbers are the right ones: only the nonce is not known.
    const control = {
      flags: KINDS[random.uint32() % KINDS.length]!,
      controlSequence: controlSequence(flow.control.receiveNext + (random.uint32() % 3)),
      controlAck: controlSequence(flow.control.sendNext - (random.uint32() % 2)),
      nonce: FlowNonce.of(random.uint32(), random.uint32()),
    };
    const isSpoofedData = isData && from === honest.address;
    let length = writeSalPacketHeader(bytes, 0, { ...ids, protocol: 6, ...(isData ? {} : { control }) });
    if (isData) {
      const flags = TcpFlag.ack | TcpFlag.psh;
      length += writeTcpHeader(bytes, length, { sequence: random.uint32(), acknowledgment: 0, flags, window: 100 });
      length += 20;
    }
    if (isSpoofedData) continue;
    received += length;
    target.receive(bytes.subarray(0, length), from, target.address, 0);
    if (count % 100 === 0) {
      clock.now = (clock.now + 5) as Instant;
      for (const end of desk.ends) end.write(50);
      desk.settle();
    }
    if (count === PACKETS / 4) heap = process.memoryUsage().heapUsed;
  }
  desk.settle();
  expect(flow.path).toBe(path);
  expect(flow.state).toBe('connected');
  expect(target.stack.sal.flowTable.size).toBe(1);
  expect(flow.migration?.peer).toBeUndefined();
  expect(target.stack.sal.counters.value('badNonce')).toBeGreaterThan(PACKETS / 3);
  // Garbage of three quarters of the packets; a record of each would be more.
  expect(process.memoryUsage().heapUsed - heap).toBeLessThan(100 * 1024 * 1024);
  // Data with both flowIDs makes us ask, with pauses that double.
  const questions = Math.log2(CHALLENGE_INTERVAL_MAXIMUM / 100) + 10;
  expect(desk.sentElsewhere.length).toBeLessThan(3 * questions);
  expect(desk.sentElsewhere.reduce((sum, one) => sum + one, 0)).toBeLessThan(received / 1000);
  for (const end of desk.ends) end.handle.shutdown();
  for (let time = 0; time < 100; time++) {
    clock.now = (clock.now + 100) as Instant;
    desk.settle();
  }
  const [server, client] = desk.ends as [HonestEnd, HonestEnd];
  expect([server.failure, client.failure]).toEqual(['', '']);
  expect([server.read, client.read]).toEqual([client.written, server.written]);
  expect(client.written).toBeGreaterThan(10_000);
});
