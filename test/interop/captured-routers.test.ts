// First packets that service routers of the original forwarded, given to our stack as the router (§4.2,
// Figure 5). Where the original kept the client's address as IP source, our links send with the router's own:
// hosts and networks refuse packets with sources that are not theirs, and answers follow SOURCE anyway. So the
// forwarded packets equal the captured ones to the last byte but for the transport checksum over the addresses.

import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/sim/clock';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { type CaptureName, readCapture } from '../wire/pcap';
import { ipPacketOf, sealed } from './packet-patch';
import { type IpPacket, viewOf } from './packet-view';
import { RawHost } from './raw-host';
import { BROADCAST } from './replay';

const CLIENT = '10.77.0.1';
const SERVER = '10.77.0.2';
const FIRST = '10.77.0.254';
const SECOND = '10.77.0.3';

describe.each<[CaptureName, number, CaptureName, number, string, string]>([
  ['d-syn-forward', 1, 'd-syn-forward', 2, FIRST, SERVER],
  ['d-servd-router', 13, 'd-servd-router', 14, FIRST, SERVER],
  ['d-servd-router', 17, 'd-syn-forward-server', 1, FIRST, SERVER],
  ['i-twohop-svr', 1, 'i-twohop-svr', 2, FIRST, SECOND],
  ['i-twohop-svr', 2, 'i-twohop', 2, SECOND, SERVER],
  ['i-twohop-svr', 4, 'i-twohop-svr', 5, SECOND, FIRST],
  ['i-twohop-svr', 7, 'i-twohop-svr', 8, FIRST, SECOND],
  ['i-twohop-svr', 8, 'i-twohop', 23, SECOND, SERVER],
])('%s #%i', (from, number, forwarded, index, router, next) => {
  const received = captured(from, number);
  const expected = captured(forwarded, index);

  it(`is forwarded as ${forwarded} #${index}`, () => {
    const [sent] = forward(router, next, received);
    expect(sent!.destination).toBe(expected.destination);
    const withCapturedSource = sealed({ ...sent!, source: expected.source, bytes: Buffer.from(sent!.bytes) });
    expect(withCapturedSource.bytes.toString('hex')).toBe(expected.bytes.toString('hex'));
  });

  it("has right checksums with the router's own address", () => {
    const [sent] = forward(router, next, received);
    expect(sent!.source).toBe(router);
    expect(viewOf(sent!).problems).toEqual([]);
  });
});

describe('what is not forwarded', () => {
  it('i-twohop-svr #5: a packet that has been here before', () => {
    expect(forward(FIRST, SECOND, captured('i-twohop-svr', 5))).toEqual([]);
  });

  it('a packet with a broadcast destination', () => {
    expect(forward(FIRST, SERVER, captured('a-tcp', 1))).toEqual([]);
  });

  it('a packet whose service has no rule', () => {
    expect(forward(FIRST, SERVER, captured('d-syn-forward', 1), '9999'.padEnd(64, '0'))).toEqual([]);
  });

  it('anything, by a host that is no router', () => {
    expect(forward(FIRST, SERVER, captured('d-syn-forward', 1), undefined, false)).toEqual([]);
  });

  it('packets of flows that are not ours, which every raw socket of a host hears: no answer either', () => {
    for (const number of [3, 6, 8, 13, 14, 15]) {
      const packet = { ...captured('d-syn-forward-server', number), source: CLIENT, destination: FIRST };
      expect(forward(FIRST, SERVER, sealed(packet))).toEqual([]);
    }
  });
});

/** What a router at `address` sends when it receives `packet` and forwards its service to `next`. */
function forward(address: string, next: string, packet: IpPacket, service?: string, forwards = true): IpPacket[] {
  const clock = new SimulatedClock();
  const router = new RawHost(clock, { address, broadcast: BROADCAST, seed: 3, forwards });
  const sent: IpPacket[] = [];
  router.sent = (each) => sent.push(each);
  const name = service ?? viewOf(packet).services[0] ?? ''.padEnd(64, '0');
  router.forward(next, ServicePrefix.of(ServiceID.fromHex(name)!));
  clock.step();
  router.receive(packet);
  while (clock.step());
  return sent;
}

function captured(name: CaptureName, number: number): IpPacket {
  return ipPacketOf(readCapture(name)[number - 1]!);
}
