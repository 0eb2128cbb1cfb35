// Whole streams over links that have to do without something: what an application reads is what was written, and
// the counters say that the fallback was used.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import { connect, createServer } from '../../lib/index';
import { DgramLink } from '../../lib/link/dgram-link';
import type { Link } from '../../lib/link/link';
import { UdpLink, type UdpLinkOptions } from '../../lib/link/udp-link';
import type { StreamSocket } from '../../lib/socket/stream-socket';
import { NetworkAddress } from '../../lib/wire/network-address';
import { describeWithAddon } from '../native/addon';
import { LinkHost } from './link-host';
import { pattern } from './rows';

const { EAGAIN, EINVAL, EIO, EMSGSIZE, ENOBUFS, EOPNOTSUPP, EPERM } = constants.errno;

const TOTAL = 4_000_000;
const PIECE = 50_000;

describeWithAddon('a stream', () => {
  const hosts: LinkHost[] = [];
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
  });

  interface Outcome<A extends Link, B extends Link> {
    readonly a: A;
    readonly b: B;
    readonly atA: LinkHost;
  }

  /** Sends TOTAL bytes from `a` to `b` and back; `meanwhile` is called now and then. Fails where a digest differs. */
  async function transfer<A extends Link, B extends Link>(
    a: A,
    b: B,
    meanwhile: () => void = () => {},
  ): Promise<Outcome<A, B>> {
    const [atA, atB] = [await LinkHost.over(a, 1), await LinkHost.over(b, 2)];
    hosts.push(atA, atB);
    atA.forward(NetworkAddress.parse('127.0.0.1', b.port)!);
    const server = createServer({ host: atB.sockets }, (socket: StreamSocket) => socket.pipe(socket));
    await new Promise<void>((resolve) => server.listen('test/echo', resolve));
    const socket = connect('test/echo', { host: atA.sockets });
    const received = createHash('sha256');
    socket.on('data', (chunk: Buffer) => received.update(chunk));
    const sent = createHash('sha256');
    await once(socket, 'connect');
    for (let at = 0; at < TOTAL; at += PIECE) {
      const piece = pattern(PIECE, at + 1);
      sent.update(piece);
      meanwhile();
      if (!socket.write(piece)) await once(socket, 'drain');
    }
    socket.end();
    await once(socket, 'end');
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    server.close();
    return { a, b, atA };
  }

  /** Native at both ends; errors are injected at the sender every so many pieces. */
  const withErrors = (errno: number, times: number, segmentedOnly = false) => {
    const [a, b] = [new UdpLink(), new UdpLink()];
    let piece = 0;
    return transfer(a, b, () => {
      if (piece++ % 10 === 5) a.injectSendError(errno, times, segmentedOnly);
    });
  };

  it('with everything the kernel has', async () => {
    const { a, b } = await transfer(new UdpLink(), new UdpLink());
    for (const { statistics } of [a, b]) {
      expect(statistics['packetsSent']).toBeGreaterThan(2 * statistics['messagesSent']!);
      expect(statistics['packetsReceived']).toBeGreaterThan(2 * statistics['messagesReceived']!);
    }
  });

  it.each<[string, UdpLinkOptions, UdpLinkOptions]>([
    ['a kernel without UDP_SEGMENT', { segmentation: false }, {}],
    ['a kernel without UDP_GRO', {}, { aggregation: false }],
    [
      'kernels without either',
      { segmentation: false, aggregation: false },
      { segmentation: false, aggregation: false },
    ],
    ['one of each', { segmentation: false }, { aggregation: false }],
  ])('over %s', async (_name, ofA, ofB) => {
    const { a, b } = await transfer(new UdpLink(ofA), new UdpLink(ofB));
    if (ofA.segmentation === false) expect(a.statistics['packetsSent']).toBe(a.statistics['messagesSent']);
    if (ofB.aggregation === false) expect(b.statistics['packetsReceived']).toBe(b.statistics['messagesReceived']);
    // One system call takes many all the same.
    expect(a.statistics['sendCalls']).toBeLessThan(a.statistics['packetsSent']! / 2);
  });

  it('over a device that refuses super-packets (EIO): after the first none is tried', async () => {
    const { a } = await withErrors(EIO, 1, true);
    expect(a.statistics['segmentationFallbacks']).toBe(1);
    expect(a.statistics['packetsSent']! - a.statistics['messagesSent']!).toBeLessThan(TOTAL / 10 / 1400);
  });

  it.each([
    ['EINVAL', EINVAL],
    ['EOPNOTSUPP', EOPNOTSUPP],
    ['EMSGSIZE', EMSGSIZE],
  ])('over a kernel that now and then refuses a super-packet (%s)', async (_name, errno) => {
    // What may be the error of another packet is tried again first.
    const { a } = await withErrors(errno, errno === EINVAL ? 1 : 2, true);
    expect(a.statistics['segmentationFallbacks']).toBeGreaterThan(3);
    expect(a.statistics['packetsSent']).toBeGreaterThan(2 * a.statistics['messagesSent']!);
  });

  it.each([
    ['a full socket (EAGAIN)', EAGAIN],
    ['a full device queue (ENOBUFS)', ENOBUFS],
  ])('over %s', async (_name, errno) => {
    const { a } = await withErrors(errno, 2);
    expect(a.statistics['packetsHeld']).toBeGreaterThan(10);
    expect(a.statistics['queueFull']).toBe(0);
  });

  it('past a firewall that forbids some packets (EPERM): they are sent again', async () => {
    const { a } = await withErrors(EPERM, 1);
    expect(a.statistics['forbidden']).toBeGreaterThan(3);
  });

  it('when the device turns out to take smaller packets (EMSGSIZE)', async () => {
    const plain = { segmentation: false };
    const [a, b] = [new UdpLink(plain), new UdpLink(plain)];
    let piece = 0;
    const { atA } = await transfer(a, b, () => {
      if (piece++ % 10 === 5) a.injectSendError(EMSGSIZE, 2);
    });
    expect(a.statistics['tooLarge']).toBeGreaterThan(3);
    expect(atA.packetsTooBig).toContain(`127.0.0.1:${b.port} 65535`);
  });

  it.each<[string, () => Link, () => Link]>([
    ['the link over node:dgram at both ends', () => new DgramLink(), () => new DgramLink()],
    ['the link over node:dgram towards a native one', () => new DgramLink(), () => new UdpLink()],
    ['a native link towards one over node:dgram', () => new UdpLink(), () => new DgramLink()],
  ])('over %s', async (_name, makeA, makeB) => {
    const { a } = await transfer(makeA(), makeB());
    expect(a.statistics['bytesSent']).toBeGreaterThan(TOTAL);
  });
});
