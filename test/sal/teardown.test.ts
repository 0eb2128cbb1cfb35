import { describe, expect, it } from 'vitest';
import { CONTROL_TRANSMISSIONS_MAXIMUM, FIN_WAIT_2_MAXIMUM, TIME_WAIT, TIME_WAIT_GRAIN } from '../../lib/limits';
import { resetFlow, sendFin } from '../../lib/sal/signaling/teardown';
import { ControlFlag } from '../../lib/wire/control-extension';
import { TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { decode, type Packet, Wire } from './wire';

const flagsOf = (packet: Packet): number => decode(packet).control?.flags ?? 0;

const FIN_ACK = ControlFlag.fin | ControlFlag.ack;

function established(encapsulated = true) {
  const wire = new Wire();
  const client = wire.node('10.0.0.1', 1, { encapsulated });
  const server = wire.node('10.0.0.2', 2, { encapsulated });
  client.forwardTo(server.address);
  const listener = server.listen();
  const { flow, owner } = client.connect();
  wire.settle();
  return { wire, client, server, flow, owner, peer: listener.accepted[0]! };
}

describe('teardown (§4.4)', () => {
  it('takes a FIN and its acknowledgment each way, and leaves one TIME-WAIT', () => {
    const { wire, client, server, flow, owner, peer } = established();
    sendFin(client.sal, flow, wire.now);
    expect(wire.settle().map(flagsOf)).toEqual([ControlFlag.fin, ControlFlag.ack]);
    expect(peer.owner.told).toEqual(['connected', 'finished']);
    expect([flow.state, peer.flow.state]).toEqual(['finWait2', 'closeWait']);
    sendFin(server.sal, peer.flow, wire.now);
    expect(wire.settle().map(flagsOf)).toEqual([ControlFlag.fin, ControlFlag.ack]);
    expect(owner.told).toEqual(['connected', 'finished', 'closed']);
    expect(peer.owner.told).toEqual(['connected', 'finished', 'closed']);
    expect([client.sal.flowTable.size, server.sal.flowTable.size]).toEqual([0, 0]);
    expect([client.sal.timeWait.size, server.sal.timeWait.size]).toEqual([1, 0]);
    wire.advance(TIME_WAIT + TIME_WAIT_GRAIN + 1);
    expect(client.sal.timeWait.size).toBe(0);
  });

  it('waits for the FIN of a peer that goes on speaking, but not for ever', () => {
    const { wire, client, flow, peer } = established();
    flow.isAbandoned = true;
    sendFin(client.sal, flow, wire.now);
    wire.settle();
    const speak = (): void => {
      const batch = peer.flow.begin()!;
      const segment = { sequence: 0, acknowledgment: 0, flags: TcpFlag.ack, window: 0 };
      batch.headerEnd += writeTcpHeader(batch.headers, batch.headerEnd, segment);
      batch.finish(0, 0);
      wire.settle();
    };
    for (let time = 0; time + 60_000 < FIN_WAIT_2_MAXIMUM; time += 60_000) {
      wire.advance(60_000);
      speak();
      expect(client.sal.flowTable.size).toBe(1);
    }
    wire.advance(60_000);
    expect(client.sal.flowTable.size).toBe(0);
  });

  it('a FIN that follows one of the peer in the same turn acknowledges it; on a raw link they are two packets', () => {
    for (const encapsulated of [true, false]) {
      const { wire, client, server, flow, peer } = established(encapsulated);
      sendFin(client.sal, flow, wire.now);
      // The connection of the server has ended as well when it hears of the client's end.
      peer.owner.flowFinished = () => sendFin(server.sal, peer.flow, wire.now);
      const answers = encapsulated ? [FIN_ACK] : [ControlFlag.ack, ControlFlag.fin];
      expect(wire.settle().map(flagsOf)).toEqual([ControlFlag.fin, ...answers, ControlFlag.ack]);
      expect([client.sal.timeWait.size, server.sal.timeWait.size]).toEqual([1, 0]);
      expect([client.sal.flowTable.size, server.sal.flowTable.size]).toEqual([0, 0]);
    }
  });

  it('works when both ends finish at once', () => {
    const { wire, client, server, flow, peer } = established();
    sendFin(client.sal, flow, wire.now);
    sendFin(server.sal, peer.flow, wire.now);
    wire.settle();
    expect([client.sal.flowTable.size, server.sal.flowTable.size]).toEqual([0, 0]);
    expect([client.sal.timeWait.size, server.sal.timeWait.size]).toEqual([1, 1]);
    wire.advance(TIME_WAIT + TIME_WAIT_GRAIN + 1);
    expect([client.sal.timeWait.size, server.sal.timeWait.size]).toEqual([0, 0]);
  });

  it('sends a lost FIN again, and acknowledges a repeated one again', () => {
    const { wire, client, flow, peer } = established();
    sendFin(client.sal, flow, wire.now);
    client.takeSent();
    wire.advance(300);
    expect(peer.owner.told).toEqual(['connected', 'finished']);
    expect(flow.state).toBe('finWait2');
  });

  it('acknowledges a FIN again in TIME-WAIT', () => {
    const { wire, client, server, flow, peer } = established();
    sendFin(client.sal, flow, wire.now);
    wire.settle();
    sendFin(server.sal, peer.flow, wire.now);
    let lost = 0;
    wire.settle((packet) => (flagsOf(packet) === ControlFlag.ack && lost++ === 0 ? undefined : packet));
    expect([flow.state, peer.flow.state]).toEqual(['timeWait', 'lastAck']);
    wire.advance(400);
    expect(server.sal.flowTable.size).toBe(0);
  });

  it('gives up a FIN that nobody acknowledges', () => {
    const { wire, client, flow, owner } = established();
    let fins = 0;
    sendFin(client.sal, flow, wire.now);
    for (let time = 0; time < 600_000 && client.sal.flowTable.size > 0; time += 100) {
      fins += client.takeSent().filter((packet) => flagsOf(packet) === ControlFlag.fin).length;
      wire.now = (wire.now + 100) as typeof wire.now;
      client.sal.handleDeadline(wire.now);
    }
    expect(fins).toBe(CONTROL_TRANSMISSIONS_MAXIMUM);
    expect(owner.failure).toBe('timedOut');
  });

  it('a reset tells the peer, and leaves nothing at either end', () => {
    const { wire, client, server, flow, owner, peer } = established();
    resetFlow(client.sal, flow, wire.now);
    expect(wire.settle().map(flagsOf)).toEqual([ControlFlag.rst | ControlFlag.ack]);
    expect(owner.told).toEqual(['connected', 'closed']);
    expect(peer.owner.failure).toBe('reset');
    expect([client.sal.flowTable.size, server.sal.flowTable.size]).toEqual([0, 0]);
  });

  it('never answers a packet for a flow it does not know', () => {
    const { wire, client, server, flow } = established();
    sendFin(client.sal, flow, wire.now);
    const [fin] = client.takeSent();
    resetFlow(client.sal, flow, wire.now);
    wire.settle();
    wire.deliver(fin!);
    expect(server.takeSent()).toEqual([]);
    expect(server.sal.counters.value('unknownFlow')).toBe(1);
  });
});
