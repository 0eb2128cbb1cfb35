import { describe, expect, it } from 'vitest';
import { CONNECT_TIMEOUT, HALF_OPEN_TIMEOUT, HANDSHAKE_ACK_REPEATS } from '../../lib/limits';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce } from '../../lib/wire/flow-id';
import { writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { decode, type Packet, Wire } from './wire';

const flagsOf = (packet: Packet): number => decode(packet).control?.flags ?? 0;
const isSyn = (packet: Packet): boolean => flagsOf(packet) === ControlFlag.syn;
const isSynAck = (packet: Packet): boolean => flagsOf(packet) === (ControlFlag.syn | ControlFlag.ack);
const isAck = (packet: Packet): boolean => flagsOf(packet) === ControlFlag.ack;

function topology() {
  const wire = new Wire();
  const client = wire.node('10.0.0.1', 1);
  const server = wire.node('10.0.0.2', 2);
  client.forwardTo(server.address);
  return { wire, client, server };
}

describe('handshake (§4.2, §4.4)', () => {
  it('takes three packets, each with its extensions', () => {
    const { wire, client, server } = topology();
    const listener = server.listen();
    const { owner } = client.connect();
    const packets = wire.settle();
    expect(packets.map(flagsOf)).toEqual([0x80, 0xa0, 0x20]);
    expect(packets.map((packet) => decode(packet).destinationService !== undefined)).toEqual([true, false, true]);
    expect(owner.told).toEqual(['connected']);
    expect(listener.accepted).toHaveLength(1);
    expect(listener.halfOpen.size).toBe(0);
  });

  it('numbers SYN, SYN-ACK and the third ACK as the original does', () => {
    const { wire, client, server } = topology();
    server.listen();
    client.connect();
    const [syn, synAck, ack] = wire.settle().map((packet) => decode(packet));
    const next = (sequence: number): number => (sequence + 1) >>> 0;
    expect(syn!.control!.controlAck).toBe(0);
    expect(synAck!.control!.controlAck).toBe(next(syn!.control!.controlSequence));
    expect(ack!.control!.controlSequence).toBe(next(syn!.control!.controlSequence));
    expect(ack!.control!.controlAck).toBe(next(synAck!.control!.controlSequence));
    expect(ack!.control!.nonce.equals(syn!.control!.nonce)).toBe(true);
  });

  it('answers a repeated SYN with the same SYN-ACK, and accepts once', () => {
    const { wire, client, server } = topology();
    const listener = server.listen();
    client.connect();
    const [syn] = client.takeSent();
    wire.deliver(syn!);
    wire.deliver(syn!);
    const synAcks = server.takeSent();
    expect(synAcks).toHaveLength(2);
    expect(synAcks[0]!.bytes.equals(synAcks[1]!.bytes)).toBe(true);
    for (const packet of synAcks) wire.deliver(packet);
    wire.settle();
    expect(listener.accepted).toHaveLength(1);
  });

  it('sends the SYN again until the connect times out', () => {
    const { wire, client } = topology();
    const { owner } = client.connect();
    const sent: number[] = [];
    wire.settle(() => undefined);
    for (let time = 0; time < CONNECT_TIMEOUT; time += 100) {
      wire.now = (wire.now + 100) as typeof wire.now;
      client.sal.handleDeadline(wire.now);
      if (client.takeSent().some(isSyn)) sent.push(time + 100);
    }
    expect(sent).toEqual([300, 900, 2100, 4500]);
    expect(owner.told).toEqual(['closed']);
    expect(owner.failure).toBe('timedOut');
    expect(client.sal.flowTable.size).toBe(0);
  });

  it('repeats the third ACK until the server is known to have it', () => {
    const { wire, client, server } = topology();
    const listener = server.listen();
    client.connect();
    let lost = 0;
    wire.settle((packet) => (isAck(packet) && lost++ === 0 ? undefined : packet));
    expect(listener.accepted).toHaveLength(0);
    wire.advance(1000);
    expect(listener.accepted).toHaveLength(1);
    // The server answers a repeated one, so the client falls silent.
    wire.advance(1000);
    client.takeSent();
    wire.advance(60_000);
    expect(client.takeSent()).toEqual([]);
  });

  it('repeats the third ACK a bounded number of times to a peer that never answers it', () => {
    const { wire, client, server } = topology();
    server.listen();
    client.connect();
    let acks = 0;
    const count = (packet: Packet): Packet | undefined => {
      if (isAck(packet)) acks++;
      return isAck(packet) ? undefined : packet;
    };
    wire.settle(count);
    for (let time = 0; time < 120_000; time += 50) {
      wire.now = (wire.now + 50) as typeof wire.now;
      client.sal.handleDeadline(wire.now);
      wire.settle(count);
    }
    expect(acks).toBe(1 + HANDSHAKE_ACK_REPEATS);
  });

  it('forgets a half-open request that is never completed', () => {
    const { wire, client, server } = topology();
    const listener = server.listen();
    client.connect();
    wire.settle((packet) => (isSynAck(packet) ? undefined : packet));
    expect(listener.halfOpen.size).toBe(1);
    for (let time = 0; time <= HALF_OPEN_TIMEOUT; time += 500) {
      wire.now = (wire.now + 500) as typeof wire.now;
      server.sal.handleDeadline(wire.now);
    }
    expect(listener.halfOpen.size).toBe(0);
    expect(server.sal.flowTable.size).toBe(0);
  });

  it('drops SYNs beyond the backlog', () => {
    const { wire, client, server } = topology();
    const listener = server.listen(2);
    for (let index = 0; index < 5; index++) client.connect();
    wire.settle((packet) => (isSynAck(packet) ? undefined : packet));
    expect(listener.halfOpen.size).toBe(2);
    expect(server.sal.counters.value('synBacklogFull')).toBe(3);
  });

  it('never sends more than it was sent before the client is validated (S4)', () => {
    const { wire, client, server } = topology();
    server.listen();
    client.connect();
    const [syn] = client.takeSent();
    wire.deliver(syn!);
    let bytes = 0;
    for (let time = 0; time < 30_000; time += 100) {
      for (const packet of server.takeSent()) bytes += packet.bytes.length;
      wire.now = (wire.now + 100) as typeof wire.now;
      server.sal.handleDeadline(wire.now);
    }
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(syn!.bytes.length);
  });

  it('refuses a SYN that was meant for a host without the service', () => {
    const { wire, client, server } = topology();
    const { owner } = client.connect();
    wire.settle();
    expect(owner.failure).toBe('refused');
    expect(server.sal.counters.value('unmatched')).toBe(1);
  });

  it('is silent to a broadcast SYN for a service it does not have', () => {
    const { wire, client, server } = topology();
    client.connect();
    wire.deliverBroadcast(client.takeSent()[0]!);
    expect(server.takeSent()).toEqual([]);
  });

  it('takes the first of two instances, and resets the other', () => {
    const wire = new Wire();
    const client = wire.node('10.0.0.1', 1);
    const first = wire.node('10.0.0.2', 2);
    const second = wire.node('10.0.0.3', 3);
    const listeners = [first.listen(), second.listen()];
    client.forwardTo(first.address);
    const { owner, flow } = client.connect();
    wire.deliverBroadcast(client.takeSent()[0]!);
    wire.settle();
    expect(owner.told).toEqual(['connected']);
    expect(flow.path!.remote.equals(first.address)).toBe(true);
    expect(listeners.map((listener) => listener.accepted.length)).toEqual([1, 0]);
    expect(listeners[1]!.halfOpen.size).toBe(0);
    expect(second.sal.flowTable.size).toBe(0);
  });

  it('sends data only in 12-byte headers', () => {
    const { wire, client, server } = topology();
    const listener = server.listen();
    const { flow } = client.connect();
    wire.settle();
    const batch = flow.begin()!;
    batch.headerEnd += 0;
    batch.finish(0, 0);
    const [packet] = client.takeSent();
    expect(packet!.bytes.length).toBe(12);
    expect(decode(packet!).destinationFlowID).toBe(listener.accepted[0]!.flow.localFlowID);
  });
});

describe('forged control packets (§4.4, S1)', () => {
  function established() {
    const { wire, client, server } = topology();
    const listener = server.listen();
    const { flow, owner } = client.connect();
    wire.settle();
    return { wire, client, server, flow, owner, peer: listener.accepted[0]! };
  }

  function forge(flow: { localFlowID: number; remoteFlowID: number }, flags: number, nonce: FlowNonce): Buffer {
    const bytes = Buffer.alloc(32);
    writeSalPacketHeader(bytes, 0, {
      sourceFlowID: flow.localFlowID as never,
      destinationFlowID: flow.remoteFlowID as never,
      protocol: 6,
      control: { flags, controlSequence: controlSequence(0x7fffffff), controlAck: controlSequence(0), nonce },
    });
    return bytes;
  }

  it.each([
    ['RST', ControlFlag.rst],
    ['RST ACK', ControlFlag.rst | ControlFlag.ack],
    ['FIN', ControlFlag.fin],
    ['RSYN', ControlFlag.rsyn],
    ['ACK', ControlFlag.ack],
  ])('%s without the nonce changes nothing and gets no answer', (_name, flags) => {
    const { wire, client, server, flow, peer } = established();
    for (const nonce of [FlowNonce.zero, FlowNonce.of(1, 2), FlowNonce.of(flow.localNonce.high, 0)]) {
      wire.deliver({ from: client.address, to: server.address, bytes: forge(flow, flags, nonce) });
    }
    expect(server.takeSent()).toEqual([]);
    expect(peer.owner.told).toEqual(['connected']);
    expect(server.sal.counters.value('badNonce')).toBe(3);
  });

  it('a RST with the nonce ends the flow', () => {
    const { wire, client, server, flow, peer } = established();
    const bytes = forge(flow, ControlFlag.rst, flow.localNonce);
    wire.deliver({ from: client.address, to: server.address, bytes });
    expect(peer.owner.failure).toBe('reset');
    expect(server.sal.flowTable.size).toBe(0);
  });
});
