// What leaves when an application sends unconnected datagrams (§5.1): each is resolved for itself, is as it was when
// it was sent, and finds room.

import { describe, expect, it } from 'vitest';
import type { DatagramHandle } from '../../lib/driver/handles';
import { COPIED_BYTES_MAXIMUM } from '../../lib/limits';
import { Stack } from '../../lib/stack/stack';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { parseSalPacket, type SalPacket } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import type { Packet } from '../sal/wire';
import { AttackedHost, Clock } from './attacked-host';

const SERVICE = ServiceID.fromHex('5e'.repeat(32))!;
const OTHER = ServiceID.fromHex('07'.repeat(32))!;
const [near, far] = ['10.0.0.2', '10.0.0.3'].map((ip) => NetworkAddress.parse(ip, 4000)!) as [
  NetworkAddress,
  NetworkAddress,
];
const ignore = { message() {}, connected() {}, failed() {}, closed() {} };

function open(): { host: AttackedHost; handle: DatagramHandle } {
  const host = new AttackedHost(new Clock(), NetworkAddress.parse('10.0.0.1', 4000)!, 1);
  return { host, handle: host.sockets.openDatagram(undefined, ignore) };
}

function payloadOf({ bytes }: Packet): Buffer {
  const { transportOffset } = parseSalPacket(bytes, 0, bytes.length) as SalPacket;
  return bytes.subarray(transportOffset + 8);
}

describe('sendTo', () => {
  it('chooses by weight for each datagram, and counts each', () => {
    const { host, handle } = open();
    host.forward(SERVICE, near, { weight: 1 });
    host.forward(SERVICE, far, { weight: 3 });
    for (let count = 0; count < 400; count++) expect(handle.send(Buffer.of(count), SERVICE)).toBe(undefined);
    host.turn();
    const toFar = host.sent.filter(({ to }) => to.equals(far)).length;
    expect(host.sent.length).toBe(400);
    expect(toFar).toBeGreaterThan(250);
    expect(toFar).toBeLessThan(350);
    const matched = [near, far].map((address) => {
      const key = { action: 'forward', prefix: ServicePrefix.of(SERVICE), address, link: 1 } as const;
      return host.stack.sal.serviceTable.statistics(key)?.packetsResolved;
    });
    expect(matched).toEqual([400 - toFar, toFar]);
  });

  it('names the target of each datagram, though they take turns', () => {
    const { host, handle } = open();
    host.forward(undefined, near);
    for (const target of [SERVICE, OTHER, OTHER, SERVICE]) handle.send(Buffer.of(1), target);
    host.turn();
    const targets = host.sent.map(
      ({ bytes }) => (parseSalPacket(bytes, 0, bytes.length) as SalPacket).destinationService,
    );
    expect(targets).toEqual([SERVICE, OTHER, OTHER, SERVICE]);
  });

  it('sends the bytes of the moment: now, and when a rule comes later', () => {
    const { host, handle } = open();
    host.forward(SERVICE, near);
    const delay = { action: 'delay', prefix: ServicePrefix.of(OTHER), priority: 1, weight: 1 } as const;
    host.driver.command({ kind: 'addRule', rule: delay });
    const message = Buffer.from('early');
    handle.send(message, SERVICE);
    handle.send(message, OTHER);
    message.fill('!');
    host.turn();
    expect(host.sent.map((packet) => payloadOf(packet).toString())).toEqual(['early']);
    host.driver.command({ kind: 'deleteRule', rule: delay });
    host.forward(OTHER, far);
    host.driver.command({ kind: 'releaseDelayed', prefix: ServicePrefix.of(OTHER) });
    host.turn();
    expect(host.sent.map((packet) => payloadOf(packet).toString())).toEqual(['early', 'early']);
  });

  it('waits for the first rules while the host starts, and for no longer', () => {
    const { host, handle } = open();
    host.stack.isStarting = true;
    expect(handle.send(Buffer.from('early'), SERVICE)).toBe(undefined);
    expect(handle.send(Buffer.from('to nobody'), OTHER)).toBe(undefined);
    host.forward(SERVICE, near);
    host.driver.started();
    host.turn();
    expect(host.sent.map((packet) => payloadOf(packet).toString())).toEqual(['early']);
    expect(host.stack.sal.firstPackets.delayed.waiting).toBe(0);
    expect(handle.send(Buffer.from('late'), OTHER)?.code).toBe('EHOSTUNREACH');
  });

  it('transmits a full batch at once instead of dropping', () => {
    const { host, handle } = open();
    host.forward(SERVICE, near);
    const message = Buffer.alloc(1200);
    const count = Math.ceil((COPIED_BYTES_MAXIMUM * 3) / message.length);
    for (let key = 0; key < count; key++) {
      message.writeUInt32BE(key);
      expect(handle.send(message, SERVICE)).toBe(undefined);
    }
    expect(host.sent.length).toBeGreaterThan(count / 2);
    expect(host.sent.length).toBeLessThan(count);
    host.turn();
    expect(host.sent.map((packet) => payloadOf(packet).readUInt32BE())).toEqual([...new Array(count).keys()]);
  });

  it('leaves room for signaling in a batch that is full of datagrams', () => {
    const { host, handle } = open();
    host.forward(SERVICE, near);
    const now = host.driver.now();
    const endpoint = host.stack.openDatagram(undefined, now)!;
    while (endpoint.sendTo(SERVICE, Buffer.alloc(1200), now) === undefined);
    expect(endpoint.sendTo(SERVICE, Buffer.alloc(1200), now)).toBe('noRoom');
    host.stack.connect(SERVICE, {}, now);
    handle.connect(SERVICE, {});
    host.turn();
    const controls = host.sent.filter(({ bytes }) => (parseSalPacket(bytes, 0, bytes.length) as SalPacket).control);
    expect(controls.length).toBe(2);
  });
});

describe('what fits', () => {
  it('is asked for again in each batch, also while nothing fits', () => {
    let mtu = 1500;
    const stack = new Stack({ random: SeededRandom.of(1), mtuTo: () => mtu });
    const link = stack.attachLink({ kind: 'memory', encapsulated: true, role: 'data', mtu: 9000 });
    const rule = { action: 'forward', prefix: ServicePrefix.any, address: near, link, priority: 1, weight: 1 } as const;
    const now = new Clock().now;
    stack.handleCommand({ kind: 'addRule', rule: { ...rule, broadcast: false, scope: 'network' } }, now);
    const endpoint = stack.openDatagram(undefined, now)!;
    const [fitting, larger] = [Buffer.alloc(1380), Buffer.alloc(1381)];
    const send = (message: Buffer) => endpoint.sendTo(SERVICE, message, now);
    expect([send(fitting), send(larger)]).toEqual([undefined, 'tooLarge']);
    mtu = 1501;
    stack.outputs()[link]!.batch.reset();
    expect([send(larger), send(larger)]).toEqual([undefined, undefined]);
    mtu = 1500;
    stack.outputs()[link]!.batch.reset();
    expect(send(larger)).toBe('tooLarge');
    mtu = 1501;
    expect(send(larger)).toBe(undefined);
  });
});
