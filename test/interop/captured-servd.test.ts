// d-servd-router.pcap: registrations between the original's hosts and their router, with ours in the place of each side.

import { describe, expect, it } from 'vitest';
import { ServdClient } from '../../lib/controller/policies/servd-client';
import { ServdRouter } from '../../lib/controller/policies/servd-router';
import type { DatagramHandle } from '../../lib/driver/handles';
import { SimulatedClock } from '../../lib/sim/clock';
import type { ForwardRule } from '../../lib/table/service-rule';
import type { Instant } from '../../lib/time/instant';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { readTimedCapture } from '../wire/pcap';
import { DatagramApplication } from './application';
import { OriginalPeer } from './original-peer';
import { ipPacketOf, sealed } from './packet-patch';
import { type PacketView, viewOf } from './packet-view';
import { addressOf, RawHost } from './raw-host';
import { BROADCAST } from './replay';

const FIRST = '10.77.0.1';
const SECOND = '10.77.0.2';
const ROUTER = '10.77.0.254';
const SERVICE = ServiceID.fromHex('00001f40'.padEnd(64, '0'))!;

const captured = readTimedCapture('d-servd-router').map(({ at, packet }, index) => {
  return { number: index + 1, at, view: viewOf(ipPacketOf(packet)) };
});

describe('the router of the original, replaced by ours', () => {
  function router() {
    const clock = new SimulatedClock();
    const host = new RawHost(clock, { address: ROUTER, broadcast: BROADCAST, seed: 5, forwards: true });
    const policy = new ServdRouter(1);
    host.talk(policy);
    const sent: PacketView[] = [];
    host.sent = (packet) => void sent.push(viewOf(packet));
    const rules = (): string[] =>
      [...host.stack.sal.serviceTable.rules()].flatMap((rule) =>
        rule.action === 'forward'
          ? [`${rule.prefix.base.toString().slice(4, 8)} -> ${(rule as ForwardRule).address}`]
          : [],
      );
    const runTo = (at: number): void => {
      for (let next = clock.nextAt(); next !== undefined && next <= at; next = clock.nextAt()) clock.step();
      clock.advanceTo(at as Instant);
    };
    /** Everything up to packet `to` that the hosts sent. */
    const replay = (from: number, to: number): void => {
      for (const { number, at, view } of captured) {
        if (number < from || number > to || ![FIRST, SECOND].includes(view.packet.source)) continue;
        // What the router itself forwarded has the client's source address.
        if (view.packet.destination === SECOND) continue;
        runTo(at + START);
        host.receive(view.packet);
      }
    };
    return { host, policy, sent, rules, runTo, replay };
  }

  it('has the rules that the original had, and forwards by them what it forwarded', () => {
    const { rules, replay, sent } = router();
    replay(1, 10);
    expect(rules().sort()).toEqual(['1f40 -> 10.77.0.2', 'd903 -> 10.77.0.1', 'd903 -> 10.77.0.2']);
    replay(11, 13);
    const [, forwarded] = [captured[12], captured[13]!.view];
    expect(sent).toHaveLength(1);
    const withCapturedSource = sealed({ ...sent[0]!.packet, source: forwarded.packet.source });
    expect(withCapturedSource.bytes.toString('hex')).toBe(forwarded.packet.bytes.toString('hex'));
  });

  it('keeps a registration that is repeated, and forwards by it to the end', () => {
    const { rules, replay, sent } = router();
    replay(1, 19);
    // The second refresh of the service came after 36 s, 13 s before the connect.
    expect(sent.map(({ packet }) => packet.destination)).toEqual([SECOND, SECOND]);
    expect(rules()).toContain('1f40 -> 10.77.0.2');
    replay(20, 20);
    expect(rules().sort()).toEqual(['d903 -> 10.77.0.1', 'd903 -> 10.77.0.2']);
  });

  it('forgets a host that repeats nothing, 50 s after it spoke last', () => {
    const { rules, replay, runTo, policy } = router();
    replay(1, 10);
    runTo(captured[9]!.at + START + 49_000);
    expect(rules()).toContain('1f40 -> 10.77.0.2');
    runTo(captured[9]!.at + START + 50_001);
    expect(rules()).toEqual([]);
    expect(policy.counts.registered).toBe(4);
  });

  it('says nothing to anybody', () => {
    const { replay, sent } = router();
    replay(1, 12);
    replay(20, 21);
    expect(sent).toEqual([]);
  });
});

describe('a host of the original, replaced by ours', () => {
  function host(router: string | undefined) {
    const clock = new SimulatedClock();
    const raw = new RawHost(clock, { address: SECOND, broadcast: BROADCAST, seed: 6 });
    const judge = new OriginalPeer(SECOND);
    const sent: PacketView[] = [];
    raw.sent = (packet) => {
      expect(judge.judge(packet)).toBe('unconnected');
      sent.push(viewOf(packet));
    };
    raw.forward(BROADCAST);
    raw.interfaceUp('eth0', SECOND);
    raw.talk(new ServdClient({ link: 1, router: router === undefined ? undefined : addressOf(router) }));
    const sockets: DatagramHandle[] = [];
    const offer = () => sockets.push(raw.sockets.openDatagram(ServicePrefix.of(SERVICE), new DatagramApplication()));
    const run = (milliseconds: number): void => {
      const end = clock.now() + milliseconds;
      for (let next = clock.nextAt(); next !== undefined && next <= end; next = clock.nextAt()) clock.step();
      clock.advanceTo(end as Instant);
    };
    return { raw, sent, sockets, offer, run };
  }

  it('registers and unregisters by the packets of the capture, byte for byte but for what is random', () => {
    const { sent, sockets, offer, run } = host(ROUTER);
    run(0);
    offer();
    run(0);
    sockets[0]!.close();
    run(0);
    expect(sent.map(withoutNumbers)).toEqual([10, 20].map((number) => withoutNumbers(captured[number - 1]!.view)));
  });

  it('repeats itself each 20 s with its address, as the capture but for that', () => {
    const { sent, offer, run } = host(ROUTER);
    offer();
    run(60_000);
    const [first, ...again] = sent.map((view) => view.datagram!);
    expect(again).toHaveLength(3);
    const refresh = captured[14]!.view.datagram!;
    for (const each of again) {
      expect(each.toString('hex', 8, 12)).toBe(refresh.toString('hex', 8, 12));
      expect([...each.subarray(12, 16)]).toEqual([10, 77, 0, 2]);
      expect(each.subarray(16)).toEqual(refresh.subarray(16));
    }
    expect([first!, ...again].map((each) => each.readUInt32LE(4))).toEqual([1, 2, 3, 4]);
  });

  it('tells all on the segment while it knows no router, as the original begins', () => {
    const { sent, offer, run } = host(undefined);
    offer();
    run(0);
    expect(sent.map(({ packet }) => packet.destination)).toEqual([captured[6]!.view.packet.destination]);
  });

  it('follows its interface to another address, and says from which', () => {
    const { raw, sent, offer, run } = host(ROUTER);
    offer();
    run(0);
    raw.interfaceDown('eth0', SECOND);
    raw.interfaceUp('eth0', '10.77.0.9');
    run(0);
    expect(sent).toHaveLength(2);
    expect(sent[1]!.datagram!.toString('hex', 8, 16)).toBe('010000000a4d0002');
  });
});

const START = 1000;

/** All of a packet but its flowID and the number of its message, and the checks over them. */
function withoutNumbers({ packet, datagram, services }: PacketView): string {
  const { source, destination } = packet;
  return [source, destination, ...services, datagram!.toString('hex', 0, 4), datagram!.toString('hex', 8)].join(' ');
}
