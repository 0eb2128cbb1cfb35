import { describe, expect, it } from 'vitest';
import { TIME_WAIT, TIME_WAIT_GRAIN, TIME_WAIT_MAXIMUM } from '../../lib/limits';
import { Flow } from '../../lib/sal/flow';
import { LinkOutput } from '../../lib/sal/link-output';
import { Path } from '../../lib/sal/path';
import { resetFlow, sendFin } from '../../lib/sal/signaling/teardown';
import { TimeWait } from '../../lib/sal/time-wait';
import { type Instant, NEVER } from '../../lib/time/instant';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { decode, type Packet, Wire } from './wire';

const REMOTES = ['10.0.0.2', 'fd00::2'].map((ip) => NetworkAddress.parse(ip, 4000)!);
const LOCALS = [undefined, NetworkAddress.parse('fd00::1', 4001)!];
const segments = {
  writeSyn: fail,
  writeSynAck: fail,
  writeAck: fail,
  handleSyn: fail,
  handleSynAck: fail,
  handleAck: fail,
};
const output = new LinkOutput(1, { kind: 'udp', encapsulated: true, role: 'data', mtu: 1500 });

function fail(): never {
  throw new Error('nobody shakes hands here');
}

/** An ended flow, every field of which follows from `number`. */
function endedFlow(number: number): Flow {
  const flow = new Flow(FlowNonce.of(number, ~number), number * 3, number % 2 === 0 ? 6 : 17, segments);
  flow.localFlowID = flowID(0xffff_ffff - number);
  flow.setRemote(flowID(number + 1), FlowNonce.of(~number, number));
  flow.setPath(new Path(number % 3, LOCALS[number % 2], REMOTES[number % 2]!), output);
  flow.control.handleConsumed(controlSequence(number * 5));
  return flow;
}

function expectKept(timeWait: TimeWait, number: number): void {
  const flow = endedFlow(number);
  const { localFlowID, remoteFlowID, localNonce, remoteNonce, protocol, path } = flow;
  const { sendNext, receiveNext } = flow.control;
  expect(timeWait.recall(localFlowID)).toEqual({
    localFlowID,
    remoteFlowID,
    localNonce,
    remoteNonce,
    sendNext,
    receiveNext,
    path: new Path(path!.link, path!.local, path!.remote),
    protocol,
  });
}

describe('TIME-WAIT (§4.4)', () => {
  it('keeps what is needed to answer, and releases flowIDs in the order in which they came', () => {
    const timeWait = new TimeWait();
    // More than the rows at the start, some of them released before it grows: rows move.
    const at = (number: number): Instant => (1000 + number * 100) as Instant;
    for (let number = 0; number < 40; number++) timeWait.add(endedFlow(number), at(number));
    timeWait.handleDeadline((at(29) + TIME_WAIT) as Instant);
    for (let number = 40; number < 200; number++) timeWait.add(endedFlow(number), at(number));
    expect(timeWait.size).toBe(170);
    expect(timeWait.has(flowID(0xffff_ffff - 29))).toBe(false);
    for (let number = 30; number < 200; number++) expectKept(timeWait, number);
    expect(timeWait.nextDeadline()).toBe(at(30) + TIME_WAIT + TIME_WAIT_GRAIN);
    timeWait.handleDeadline((at(199) + TIME_WAIT) as Instant);
    expect([timeWait.size, timeWait.nextDeadline()]).toEqual([0, NEVER]);
  });

  it('has a bound: the oldest goes', () => {
    const timeWait = new TimeWait();
    const now = 1000 as Instant;
    for (let number = 0; number < TIME_WAIT_MAXIMUM; number++) expect(timeWait.add(endedFlow(number), now)).toBe(true);
    expect(timeWait.add(endedFlow(TIME_WAIT_MAXIMUM), now)).toBe(false);
    expect([timeWait.size, timeWait.has(flowID(0xffff_ffff))]).toEqual([TIME_WAIT_MAXIMUM, false]);
    expectKept(timeWait, 1);
    expectKept(timeWait, TIME_WAIT_MAXIMUM);
  });

  it('a flowID that was forgotten early and rests again is released by its own time', () => {
    const timeWait = new TimeWait();
    timeWait.add(endedFlow(1), 1000 as Instant);
    timeWait.forget(endedFlow(1).localFlowID);
    timeWait.add(endedFlow(1), 2000 as Instant);
    timeWait.handleDeadline((1000 + TIME_WAIT) as Instant);
    expect(timeWait.size).toBe(1);
    timeWait.handleDeadline((2000 + TIME_WAIT) as Instant);
    expect(timeWait.size).toBe(0);
  });
});

function resting() {
  const wire = new Wire();
  const client = wire.node('10.0.0.1', 1);
  const server = wire.node('10.0.0.2', 2);
  client.forwardTo(server.address);
  const listener = server.listen();
  const { flow } = client.connect();
  wire.settle();
  const peer = listener.accepted[0]!;
  sendFin(client.sal, flow, wire.now);
  wire.settle();
  sendFin(server.sal, peer.flow, wire.now);
  const packets = wire.settle();
  expect(client.sal.timeWait.size).toBe(1);
  const send = (flags: number, changes: Partial<{ nonce: FlowNonce; ack: number; sequence: number }>): Packet[] => {
    const bytes = Buffer.alloc(64);
    const length = writeSalPacketHeader(bytes, 0, {
      sourceFlowID: peer.flow.localFlowID,
      destinationFlowID: flow.localFlowID,
      protocol: 6,
      control: {
        flags,
        controlSequence: controlSequence(changes.sequence ?? 0),
        controlAck: controlSequence(changes.ack ?? 0),
        nonce: changes.nonce ?? peer.flow.localNonce,
      },
    });
    wire.deliver({ from: server.address, to: client.address, bytes: bytes.subarray(0, length) });
    return client.takeSent();
  };
  return { wire, client, flow, fin: packets[0]!, send };
}

describe('a packet for a flow in TIME-WAIT', () => {
  it('a repeated FIN is answered with the numbers of the first answer', () => {
    const { wire, client, flow, fin } = resting();
    wire.deliver(fin);
    const [answer] = client.takeSent();
    const { sourceFlowID, destinationFlowID, control } = decode(answer!);
    expect([sourceFlowID, destinationFlowID]).toEqual([flow.localFlowID, flow.remoteFlowID]);
    expect(control).toEqual({
      detail: 0,
      flags: ControlFlag.ack,
      controlSequence: flow.control.sendNext,
      controlAck: flow.control.receiveNext,
      nonce: flow.localNonce,
    });
    expect(answer!.to.toString()).toBe(fin.from.toString());
  });

  it('is dropped when its nonce is wrong', () => {
    const { client, flow, send } = resting();
    const nonce = FlowNonce.of(1, 2);
    expect(send(ControlFlag.fin, { nonce })).toEqual([]);
    expect(send(ControlFlag.rst, { nonce })).toEqual([]);
    expect(send(ControlFlag.rst | ControlFlag.ack, { nonce: flow.localNonce, ack: 77 })).toEqual([]);
    expect([client.sal.timeWait.size, client.sal.counters.value('badNonce')]).toEqual([1, 3]);
  });

  it('a reset of the peer, or of a host that saw our last packet, releases the flowID', () => {
    for (const from of ['peer', 'host'] as const) {
      const { client, flow, send } = resting();
      const { sendNext: ack } = flow.control;
      expect(send(ControlFlag.rst | ControlFlag.ack, from === 'peer' ? {} : { nonce: flow.localNonce, ack })).toEqual(
        [],
      );
      expect(client.sal.timeWait.size).toBe(0);
    }
  });

  it('an acknowledgment, data or a SYN-ACK is not answered', () => {
    const { client, send } = resting();
    expect(send(ControlFlag.ack, {})).toEqual([]);
    expect(send(ControlFlag.syn | ControlFlag.ack, {})).toEqual([]);
    expect([client.sal.timeWait.size, client.sal.counters.value('unknownFlow')]).toEqual([1, 0]);
  });

  it('its flowID is not given to another flow', () => {
    const { client, flow } = resting();
    const { localFlowID } = flow;
    const words = [localFlowID, 4711];
    const random = { uint32: () => words.shift()!, fraction: () => 0 };
    const other = endedFlow(3);
    expect(client.sal.flowTable.allocate(random, other, (id) => client.sal.timeWait.has(id))).toBe(4711);
    // As the SAL itself does.
    resetFlow(client.sal, other, 1000 as Instant);
    for (let count = 0; count < 100; count++) expect(client.connect().flow.localFlowID).not.toBe(localFlowID);
  });
});
