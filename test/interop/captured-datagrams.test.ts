// Datagrams of the original stack, connected and unconnected, with ours in the place of one of its hosts.

import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/sim/clock';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { type CaptureName, readCapture } from '../wire/pcap';
import { DatagramApplication } from './application';
import { OriginalPeer } from './original-peer';
import { ipPacketOf } from './packet-patch';
import { type IpPacket, type PacketView, viewOf } from './packet-view';
import { RawHost } from './raw-host';
import { BROADCAST, Replay } from './replay';

const CLIENT = '10.77.0.1';
const SERVER = '10.77.0.2';
const ROUTER = '10.77.0.254';

describe('b-udp-connected', () => {
  it('client: two datagrams, two answers, and the server closes', () => {
    const replay = new Replay({ capture: 'b-udp-connected', as: CLIENT }).run();
    expect(replay.signaling).toEqual(replay.capturedSignaling);
    expect(replay.kinds().filter((kind) => kind === 'datagram')).toHaveLength(2);
    expect(replay.datagrams[0]!.messages.map(({ text }) => text)).toEqual(['HELLO', 'QUIT']);
    expect(replay.host.stack.sal.flowTable.size).toBe(0);
  });

  it('server: takes the connection, answers on it, and closes', () => {
    const replay = new Replay({ capture: 'b-udp-connected', as: SERVER }).run();
    expect(replay.signaling).toEqual(replay.capturedSignaling);
    expect(replay.datagrams[0]!.messages.map(({ text }) => text)).toEqual(['hello', 'quit']);
    const sent = replay.sent.flatMap(({ kind, view }) => (kind === 'datagram' ? [view.datagram!.toString()] : []));
    expect(sent).toEqual(['HELLO', 'QUIT']);
    expect(replay.host.stack.sal.flowTable.size).toBe(0);
  });
});

describe('c-udp-unconnected', () => {
  const SERVER_SERVICE = service('00001b58');
  const CLIENT_SERVICE = service('00001770');

  it('sender: the datagrams of the capture, byte for byte but for the flowID', () => {
    const { host, sent } = stand(CLIENT);
    const socket = host.open(CLIENT_SERVICE);
    const captured = capturedFrom('c-udp-unconnected', CLIENT).filter(({ services }) => services[1] === CLIENT_SERVICE);
    for (const { services, datagram } of captured) socket.handle.send(datagram!, ServiceID.fromHex(services[0]!)!);
    host.settle();
    expect(sent.map(withoutFlowID)).toEqual(captured.map(withoutFlowID));
    expect(captured).toHaveLength(4);
  });

  it('sender without a name: a random serviceID stands for it', () => {
    const { host, sent } = stand(CLIENT);
    host.open(undefined).handle.send(Buffer.from('autobind'), ServiceID.fromHex(SERVER_SERVICE)!);
    host.settle();
    const [captured] = capturedFrom('c-udp-unconnected', CLIENT).filter(({ datagram }) => datagram!.length === 8);
    expect(sent[0]!.extensions).toEqual(captured!.extensions);
    expect(sent[0]!.datagram).toEqual(captured!.datagram);
    expect(sent[0]!.services[1]).not.toBe('0'.repeat(64));
  });

  it('receiver: takes them all, knows who sent each, and answers by serviceID', () => {
    const { host, sent } = stand(SERVER);
    const socket = host.open(SERVER_SERVICE);
    for (const { packet } of capturedFrom('c-udp-unconnected', CLIENT)) host.receive(packet);
    const { messages } = socket.application;
    expect(messages.map(({ text }) => text)).toEqual(['hello1', 'hello2', 'autobind', 'echo']);
    expect(messages.map(({ from }) => from.address.toString())).toEqual(Array(4).fill(CLIENT));
    expect(messages[3]!.from.serviceID.toString()).toBe(CLIENT_SERVICE);
    // For the service that nobody has, the last one, the original sends a RST with a broadcast source.
    expect(sent).toEqual([]);
    // As the original answers: the name of the sender is resolved, as that of any service.
    socket.handle.send(Buffer.from('reply'), messages[3]!.from.serviceID);
    host.settle();
    const captured = capturedFrom('c-udp-unconnected', SERVER);
    expect(sent.map(withoutFlowID)).toEqual(captured.map(withoutFlowID));
  });

  it('client: the answer arrives, and the RST of a host without the service harms nothing', () => {
    const { host, sent } = stand(CLIENT);
    const socket = host.open(CLIENT_SERVICE);
    const target = ServiceID.fromHex(service('00001e61'))!;
    socket.handle.send(Buffer.from('nosuchsvc'), target);
    host.settle();
    const all = readCapture('c-udp-unconnected').map(ipPacketOf);
    const reset = { ...all[6]!, bytes: Buffer.from(all[6]!.bytes) };
    reset.bytes.writeUInt32BE(sent[0]!.sourceFlowID, 4);
    host.receive(all[4]!);
    host.receive(reset);
    expect(socket.application.messages.map(({ text }) => text)).toEqual(['reply']);
    expect(socket.application.told).toEqual([]);
    expect(socket.handle.send(Buffer.from('on'), target)).toBeUndefined();
  });
});

describe('d-servd-router: registrations, which are unconnected datagrams', () => {
  const ROUTER_SERVICE = service('00015b38');
  const HOST_SERVICE = service('0000d903');

  it('router: gets each with the address of its host', () => {
    const { host } = stand(ROUTER);
    const socket = host.open(ROUTER_SERVICE);
    const from = [SERVER, CLIENT].flatMap((each) => capturedFrom('d-servd-router', each));
    const registrations = from.filter(({ services }) => services[0] === ROUTER_SERVICE);
    for (const { packet } of registrations) host.receive(packet);
    const { messages } = socket.application;
    expect(messages.map(({ bytes }) => bytes)).toEqual(registrations.map(({ datagram }) => datagram));
    expect(messages.map(({ from }) => from.address.toString())).toEqual(
      registrations.map((each) => each.packet.source),
    );
    expect(messages.length).toBeGreaterThan(10);
  });

  it('host: sends them to the router as the original does', () => {
    const { host, sent } = stand(SERVER, ROUTER);
    const socket = host.open(HOST_SERVICE);
    const captured = capturedFrom('d-servd-router', SERVER).filter(({ packet }) => packet.destination === ROUTER);
    for (const { datagram } of captured) socket.handle.send(datagram!, ServiceID.fromHex(ROUTER_SERVICE)!);
    host.settle();
    expect(sent.map(withoutFlowID)).toEqual(captured.map(withoutFlowID));
  });
});

/** A host of ours whose packets are judged. */
function stand(address: string, defaultRule = BROADCAST) {
  const clock = new SimulatedClock();
  const raw = new RawHost(clock, { address, broadcast: BROADCAST, seed: 2 });
  const judge = new OriginalPeer(address);
  const sent: PacketView[] = [];
  raw.forward(defaultRule);
  raw.sent = (packet) => {
    expect(judge.judge(packet)).toBe('unconnected');
    sent.push(viewOf(packet));
  };
  const settle = (): void => {
    while (clock.nextAt() === clock.now()) clock.step();
  };
  const open = (hex: string | undefined) => {
    const application = new DatagramApplication();
    const prefix = hex === undefined ? undefined : ServicePrefix.of(ServiceID.fromHex(hex)!);
    return { application, handle: raw.sockets.openDatagram(prefix, application) };
  };
  const receive = (packet: IpPacket): void => {
    raw.receive(packet);
    settle();
  };
  settle();
  return { host: { open, receive, settle }, sent };
}

function capturedFrom(name: CaptureName, address: string): PacketView[] {
  const views = readCapture(name).map((packet) => viewOf(ipPacketOf(packet)));
  return views.filter(({ packet, services, protocol }) => {
    return packet.source === address && protocol === 17 && services.length === 2;
  });
}

/** All of a packet but the flowID of its sender, and the SAL check that covers it. */
function withoutFlowID({ packet }: PacketView): string {
  const { source, destination, bytes } = packet;
  return `${source} ${destination} ${bytes.toString('hex', 4, 10)} ${bytes.toString('hex', 12)}`;
}

function service(start: string): string {
  return start.padEnd(64, '0');
}
