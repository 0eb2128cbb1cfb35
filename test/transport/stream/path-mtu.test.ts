import { describe, expect, it } from 'vitest';
import { PATH_PROBES_MAXIMUM, PATH_RAISE_INTERVAL } from '../../../lib/limits';
import type { Instant } from '../../../lib/time/instant';
import { PathMtuDiscovery } from '../../../lib/transport/stream/path-mtu-discovery';
import { ETHERNET, Pipe } from '../pipe';
import { WirePeer } from '../wire-peer';

const PATH = { base: 1020, maximum: 1420 };
const NOW = 0 as Instant;

function search(carries: number, maximum: number): { probes: number; size: number } {
  const discovery = new PathMtuDiscovery({ base: 1020, maximum }, 65_000, NOW);
  let probes = 0;
  for (let size = discovery.probeSegment(NOW); size > 0; size = discovery.probeSegment(NOW)) {
    probes++;
    discovery.handleProbeSent();
    if (size + 20 <= carries) discovery.handleProbeArrived(size, NOW);
    else discovery.handleProbeLost(NOW);
    if (probes > 200) throw new Error('the search does not end');
  }
  return { probes, size: discovery.segmentSize + 20 };
}

describe('path MTU discovery (RFC 8899)', () => {
  it('takes one probe where the first hop tells the truth', () => {
    expect(search(1420, 1420)).toEqual({ probes: 1, size: 1420 });
    expect(search(65_480, 64_920)).toEqual({ probes: 1, size: 64_920 });
  });

  it.each([1020, 1021, 1100, 1280, 1400, 1419, 9000, 40_000])('finds %i within its grain', (carries) => {
    const { size, probes } = search(carries, Math.max(1500, carries + 500));
    expect(size).toBeLessThanOrEqual(carries);
    expect(carries - size).toBeLessThan(17);
    expect(probes).toBeLessThanOrEqual(16 * PATH_PROBES_MAXIMUM);
  });

  it('never exceeds what the peer takes', () => {
    const discovery = new PathMtuDiscovery({ base: 1020, maximum: 9000 }, 1448, NOW);
    expect(discovery.probeSegment(NOW)).toBe(1448);
    expect(new PathMtuDiscovery({ base: 1020, maximum: 9000 }, 100, NOW).segmentSize).toBe(100);
  });

  it('tries again after the raise interval', () => {
    const discovery = new PathMtuDiscovery(PATH, 65_000, NOW);
    while (discovery.probeSegment(NOW) > 0) {
      discovery.handleProbeSent();
      discovery.handleProbeLost(NOW);
    }
    const later = (PATH_RAISE_INTERVAL + 1) as Instant;
    expect(discovery.probeSegment((PATH_RAISE_INTERVAL - 1) as Instant)).toBe(0);
    expect(discovery.probeSegment(later)).toBe(1400);
  });

  it('believes a message about the size only where it can be true', () => {
    const discovery = new PathMtuDiscovery(PATH, 65_000, NOW);
    discovery.probeSegment(NOW);
    discovery.handleProbeSent();
    discovery.handleProbeArrived(1400, NOW);
    expect(discovery.packetTooBig(5000, NOW)).toBe(false);
    expect(discovery.packetTooBig(100, NOW)).toBe(false);
    expect(discovery.packetTooBig(1300, NOW)).toBe(true);
    expect(discovery.segmentSize).toBe(1280);
  });

  it('sends probes of real data, one at a time, marked', () => {
    const peer = new WirePeer({ size: PATH, negotiation: { peerMaximumSegment: 1400 } });
    peer.write(20_000);
    const sent = peer.take();
    expect(sent[0]).toMatchObject({ seq: 0, length: 1400, isProbe: true });
    expect(sent.slice(1).every(({ length, isProbe }) => length === 1000 && !isProbe)).toBe(true);
    peer.ack(1400);
    expect(peer.take().every(({ length }) => length === 1400)).toBe(true);
    expect(peer.subflow.segmentSize).toBe(1400);
  });

  it('sends no probe without enough data', () => {
    const peer = new WirePeer({ size: PATH, negotiation: { peerMaximumSegment: 1400 } });
    peer.write(1300);
    expect(peer.take().some(({ isProbe }) => isProbe)).toBe(false);
  });

  it('does not take the loss of a probe for congestion', () => {
    const peer = new WirePeer({ size: PATH, negotiation: { peerMaximumSegment: 1400 } });
    peer.write(20_000);
    peer.take();
    const before = peer.subflow.control.window;
    peer.advance(50);
    peer.ack(0, [[1400, 7400]]);
    expect(peer.take().filter(({ seq }) => seq < 1400)).toMatchObject([
      { seq: 0, length: 1000 },
      { seq: 1000, length: 400 },
    ]);
    expect(peer.subflow.recovery.state).toBe('open');
    expect(peer.subflow.control.window).toBeGreaterThanOrEqual(before);
  });

  it('goes on at once when the network says that packets are too big', () => {
    const peer = new WirePeer({ size: PATH, negotiation: { peerMaximumSegment: 1400 } });
    peer.write(1400);
    peer.ack(1400);
    peer.write(2800);
    peer.take();
    peer.do((transport, now) => transport.packetTooBig(peer.flow, 1220, now));
    expect(peer.take().map(({ seq, length }) => [seq, length])).toEqual([
      [1400, 1200],
      [2600, 1200],
      [3800, 400],
    ]);
    expect(peer.subflow.recovery.state).toBe('open');
  });

  it.each([1280, 1180, 600])('survives a path that shrinks to %i without a word, within three timeouts', (mtu) => {
    const pipe = new Pipe({ forth: { delay: 10, rate: 20 }, size: ETHERNET });
    pipe.a.send(20_000_000);
    pipe.run(500);
    expect(pipe.a.subflow.segmentSize).toBe(1440);
    pipe.forth.mtu = mtu;
    const before = pipe.b.bytesRead;
    const timeout = pipe.a.subflow.roundTrip.timeout;
    // Below the base it takes a second timeout, which is twice as long.
    pipe.run((mtu < 1160 ? 6 : 3) * timeout);
    expect(pipe.b.bytesRead).toBeGreaterThan(before + 50_000);
    pipe.run(5000);
    expect(pipe.a.subflow.segmentSize).toBeLessThanOrEqual(mtu - 12 - 20);
    expect(pipe.a.subflow.segmentSize).toBeGreaterThan(mtu < 1160 ? 500 : mtu - 12 - 20 - 17);
    expect(pipe.b.bytesWrong).toBe(0);
  });

  it('is quick on a loopback', () => {
    const pipe = new Pipe({ forth: { delay: 0.02 }, size: { base: 1160, maximum: 65_480 } });
    pipe.a.send(1_000_000);
    expect(pipe.runUntil(() => pipe.a.subflow.segmentSize > 60_000, 1)).toBe(true);
  });
});
