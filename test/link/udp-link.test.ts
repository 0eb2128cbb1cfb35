import { constants } from 'node:os';
import { afterEach, expect, it, vi } from 'vitest';
import { TRANSMIT_QUEUE_MAXIMUM } from '../../lib/limits';
import type { Link, LinkHandler } from '../../lib/link/link';
import { UdpLink, type UdpLinkOptions } from '../../lib/link/udp-link';
import { type AddressFamily, NetworkAddress } from '../../lib/wire/network-address';
import { RowFlag } from '../../lib/wire/received-batch';
import { TcpFlag } from '../../lib/wire/tcp-header';
import { TransmitBatch } from '../../lib/wire/transmit-batch';
import { describeWithAddon } from '../native/addon';
import { linkConformance } from './conformance';
import { appendPacket, appendTrain, controlPacket, pattern, Recorder } from './rows';

const { EAGAIN, EINVAL, EIO, EMSGSIZE, ENOBUFS, EPERM } = constants.errno;

const loopback = (link: Link, family: AddressFamily = 4): NetworkAddress =>
  NetworkAddress.parse(family === 4 ? '127.0.0.1' : '::1', link.port)!;

describeWithAddon('with the addon', () => {
  linkConformance('the native UDP link', () => ({ a: new UdpLink(), b: new UdpLink(), addressOf: loopback }));

  const plain = { segmentation: false, aggregation: false };
  linkConformance('the native UDP link without super-packets', () => ({
    a: new UdpLink(plain),
    b: new UdpLink(plain),
    addressOf: loopback,
  }));

  linkConformance('the native UDP link towards one without super-packets', () => ({
    a: new UdpLink(),
    b: new UdpLink(plain),
    addressOf: loopback,
  }));
});

describeWithAddon('UdpLink', () => {
  const links: Link[] = [];
  afterEach(async () => {
    await Promise.all(links.splice(0).map((link) => link.close()));
  });

  const started = async (options: UdpLinkOptions = {}) => {
    const link = new UdpLink(options);
    const recorder = new Recorder();
    links.push(link);
    await link.start(recorder);
    return { link, recorder };
  };
  const pair = async (options: UdpLinkOptions = {}) => {
    const { link: a, recorder: atA } = await started(options);
    const { link: b, recorder: atB } = await started(options);
    return { a, b, atA, atB };
  };
  const send = (link: Link, fill: (batch: TransmitBatch) => void): boolean => {
    const batch = new TransmitBatch(128);
    fill(batch);
    return link.transmit(batch);
  };
  const sendTrain = (link: Link, to: NetworkAddress, payload: Buffer, segmentSize = 1400, sequence = 0): boolean =>
    send(link, (batch) => appendTrain(batch, { to, flow: 9, pieces: [payload], segmentSize, sequence }));

  it('holds its port alone, in both families', async () => {
    const { link } = await started({ role: 'well-known' });
    const other = new UdpLink({ port: link.port });
    await expect(other.start(new Recorder())).rejects.toMatchObject({
      name: 'ServalError',
      code: 'EADDRINUSE',
      port: link.port,
      syscall: 'bind',
    });
    await link.close();
    expect((await started({ port: link.port === 0 ? 0 : link.port })).link.port).toBeGreaterThan(0);
  });

  it('frees its port when it is closed', async () => {
    const { link } = await started();
    const { port } = link;
    await link.close();
    expect((await started({ port })).link.port).toBe(port);
  });

  it('sends a long train in super-packets, which arrive joined', async () => {
    const { a, b, atB } = await pair();
    const payload = pattern(640_000);
    sendTrain(a, loopback(b), payload);
    await vi.waitFor(() => expect(atB.lengthOf(9)).toBe(payload.length));
    expect(atB.payloadOf(9).equals(payload)).toBe(true);
    expect(a.statistics['packetsSent']).toBe(458);
    expect(a.statistics['messagesSent']).toBe(11);
    expect(a.statistics['sendCalls']).toBe(1);
    expect(b.statistics['messagesReceived']).toBe(11);
    expect(b.statistics['packetsReceived']).toBe(458);
    expect(atB.of(9).length).toBeLessThanOrEqual(11);
  });

  it('puts packets of many flows for one peer into one super-packet', async () => {
    const { a, b, atB } = await pair();
    send(a, (batch) => {
      for (let flow = 1; flow <= 40; flow++) appendPacket(batch, loopback(b), controlPacket(flow));
    });
    await vi.waitFor(() => expect(atB.rows).toHaveLength(40));
    expect(atB.rows.map((row) => row.flow)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(a.statistics).toMatchObject({ packetsSent: 40, messagesSent: 1, sendCalls: 1 });
    expect(b.statistics).toMatchObject({ packetsReceived: 40, messagesReceived: 1 });
  });

  it('sorts a batch by destination, each in its own super-packet', async () => {
    const { a, b, atA, atB } = await pair();
    const { link: c, recorder: atC } = await started();
    send(a, (batch) => {
      for (let flow = 1; flow <= 30; flow++) {
        appendPacket(batch, loopback([a, b, c][flow % 3]!, flow % 2 === 0 ? 4 : 6), controlPacket(flow));
      }
    });
    await vi.waitFor(() => expect(atA.rows.length + atB.rows.length + atC.rows.length).toBe(30));
    expect(a.statistics).toMatchObject({ packetsSent: 30, messagesSent: 6 });
    const flows = atB.rows.map((row) => row.flow);
    expect(flows.filter((flow) => flow % 2 === 0)).toEqual([4, 10, 16, 22, 28]);
    expect(flows.filter((flow) => flow % 2 === 1)).toEqual([1, 7, 13, 19, 25]);
  });

  it('makes few super-packets of messages of many flows and several sizes', async () => {
    const { a, b, atB } = await pair();
    const bytes = [64, 0, 500];
    send(a, (batch) => {
      for (let flow = 1; flow <= 60; flow++) {
        const payload = pattern(bytes[flow % 3]!, flow);
        appendTrain(batch, { to: loopback(b), flow, sourceFlow: flow, pieces: [payload], segmentSize: 0 });
      }
    });
    await vi.waitFor(() => expect(atB.rows).toHaveLength(60));
    for (let flow = 1; flow <= 60; flow++)
      expect(atB.payloadOf(flow).equals(pattern(bytes[flow % 3]!, flow))).toBe(true);
    expect(a.statistics).toMatchObject({ packetsSent: 60, messagesSent: 3, sendCalls: 1 });
  });

  it('lets only the last packet of a super-packet be shorter', async () => {
    const { a, b, atB } = await pair();
    send(a, (batch) => {
      appendTrain(batch, { to: loopback(b), flow: 1, pieces: [pattern(2800)], segmentSize: 1400 });
      appendTrain(batch, { to: loopback(b), flow: 2, pieces: [pattern(500)], segmentSize: 1400 });
      appendTrain(batch, { to: loopback(b), flow: 3, pieces: [], segmentSize: 0 });
      appendTrain(batch, { to: loopback(b), flow: 4, pieces: [pattern(600)], segmentSize: 1400 });
    });
    await vi.waitFor(() => expect(atB.rows).toHaveLength(4));
    expect(atB.rows.map((row) => row.bytes.length)).toEqual([2800, 500, 0, 600]);
    expect(a.statistics).toMatchObject({ packetsSent: 5, messagesSent: 3 });
  });

  it('receives trains whose segment size and shape change all the time', async () => {
    const { a, b, atB } = await pair();
    const payload = pattern(60_000);
    const options = Uint8Array.from([1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9]);
    const shapes = [
      { segmentSize: 1400 },
      { segmentSize: 1400 },
      { segmentSize: 1000 },
      { segmentSize: 1000, options },
      { segmentSize: 8000 },
      { segmentSize: 60_000 },
      { segmentSize: 1400 },
      { segmentSize: 100 },
    ];
    for (let round = 0; round < 5; round++) {
      for (const [index, shape] of shapes.entries()) {
        const flow = 100 + round * 10 + index;
        send(a, (batch) => {
          appendTrain(batch, { to: loopback(b), flow, pieces: [payload], ...shape });
          appendPacket(batch, loopback(b), controlPacket(7));
        });
        await vi.waitFor(() => expect(atB.lengthOf(flow)).toBe(payload.length), { interval: 2 });
        expect(atB.payloadOf(flow).equals(payload)).toBe(true);
      }
    }
    expect(atB.of(7)).toHaveLength(40);
    for (const row of atB.rows) expect(row.bytes.equals(row.copy)).toBe(true);
    // Bets are won where two trains in a row look the same, and lost bets lose nothing.
    expect(b.statistics['messagesScattered']).toBeGreaterThanOrEqual(5);
    expect(b.statistics['messagesScattered']).toBeLessThan(40);
  });

  it('lets the kernel put the payload of a bulk flow in place', async () => {
    const { a, b, atB } = await pair();
    const payload = pattern(64_400);
    for (let index = 0; index < 20; index++) {
      sendTrain(a, loopback(b), payload, 1400, index * payload.length);
      send(a, (batch) => appendTrain(batch, { to: loopback(b), flow: 8, pieces: [], segmentSize: 0 }));
      await vi.waitFor(() => expect(atB.lengthOf(9)).toBe((index + 1) * payload.length), { interval: 2 });
    }
    expect(atB.payloadOf(9).equals(Buffer.concat(Array(20).fill(payload)))).toBe(true);
    expect(b.statistics['messagesScattered']).toBeGreaterThanOrEqual(19);
  });

  it.each([
    ['EIO: a device that cannot', EIO],
    ['EINVAL: a kernel that will not', EINVAL],
  ])('cuts super-packets itself after %s', async (_name, errno) => {
    const { a, b, atB } = await pair();
    const payload = pattern(100_000);
    a.injectSendError(errno, 1, true);
    expect(sendTrain(a, loopback(b), payload)).toBe(true);
    await vi.waitFor(() => expect(atB.lengthOf(9)).toBe(payload.length));
    expect(atB.payloadOf(9).equals(payload)).toBe(true);
    expect(a.statistics['segmentationFallbacks']).toBe(1);
    sendTrain(a, loopback(b), payload.subarray(0, 50_000), 1400, 100_000);
    await vi.waitFor(() => expect(atB.lengthOf(9)).toBe(150_000));
    // After EIO it stops trying.
    const messages = a.statistics['messagesSent']!;
    expect(messages).toBe(errno === EIO ? 45 + 1 + 36 : 45 + 1 + 1);
  });

  it.each([
    ['EAGAIN', EAGAIN],
    ['ENOBUFS', ENOBUFS],
  ])('holds what a full socket does not take (%s), in order, and says when it has gone', async (_name, errno) => {
    const { a, b, atA, atB } = await pair();
    const payload = pattern(300_000);
    a.injectSendError(errno, 1);
    expect(sendTrain(a, loopback(b), payload.subarray(0, 200_000))).toBe(false);
    expect(sendTrain(a, loopback(b), payload.subarray(200_000), 1400, 200_000)).toBe(false);
    expect(atA.writableCount).toBe(0);
    await vi.waitFor(() => expect(atB.lengthOf(9)).toBe(payload.length));
    expect(atB.payloadOf(9).equals(payload)).toBe(true);
    expect(atA.writableCount).toBe(1);
    expect(a.statistics['packetsHeld']).toBe(143 + 72);
    expect(sendTrain(a, loopback(b), payload.subarray(0, 10))).toBe(true);
  });

  it('holds no more than its bound and counts what it drops', async () => {
    const { a, b, atA } = await pair();
    const row = pattern(100_000);
    a.injectSendError(EAGAIN, 1);
    const isDone = send(a, (batch) => {
      for (let index = 0; index < 60; index++) {
        appendTrain(batch, { to: loopback(b), flow: 9, pieces: [row], segmentSize: 1400, sequence: index * 100_000 });
      }
    });
    expect(isDone).toBe(false);
    const { packetsHeld = 0, queueFull = 0 } = a.statistics;
    expect(packetsHeld + queueFull).toBe(60 * 72);
    expect(packetsHeld * 1432).toBeLessThanOrEqual(TRANSMIT_QUEUE_MAXIMUM + 60 * 1432);
    expect(queueFull).toBeGreaterThan(1000);
    await vi.waitFor(() => expect(atA.writableCount).toBe(1));
    expect(a.statistics['packetsSent']).toBe(packetsHeld);
  });

  it('drops a packet that is too big for the device, and tells the MTU once', async () => {
    const { a, b, atA, atB } = await pair();
    const tooBig = vi.spyOn(atA as LinkHandler, 'packetTooBig');
    a.injectSendError(EMSGSIZE, 4);
    send(a, (batch) => {
      const request = { to: loopback(b), pieces: [pattern(1000)], segmentSize: 0, isTrain: false };
      appendTrain(batch, { ...request, flow: 1 });
      appendTrain(batch, { ...request, flow: 2, pieces: [pattern(1001)] });
      appendTrain(batch, { ...request, flow: 3, pieces: [pattern(1002)] });
    });
    expect(tooBig).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(tooBig).toHaveBeenCalled());
    await vi.waitFor(() => expect(atB.of(3)).toHaveLength(1));
    expect(tooBig.mock.calls.map(([address, mtu]) => `${address} ${mtu}`)).toEqual([`127.0.0.1:${b.port} 65535`]);
    expect(a.statistics).toMatchObject({ tooLarge: 2, packetsSent: 1 });
  });

  it('drops what no IP packet can carry', async () => {
    const { a, b, atA } = await pair();
    const tooBig = vi.spyOn(atA as LinkHandler, 'packetTooBig');
    const request = { to: loopback(b), flow: 1, segmentSize: 0, isTrain: false };
    send(a, (batch) => {
      appendTrain(batch, { ...request, pieces: [pattern(65_520)] });
      appendTrain(batch, { ...request, pieces: [pattern(500_000)] });
    });
    await vi.waitFor(() => expect(tooBig).toHaveBeenCalledTimes(1));
    expect(a.statistics).toMatchObject({ tooLarge: 2, packetsSent: 0 });
  });

  it('counts what a firewall forbids', async () => {
    const { a, b, atB } = await pair();
    a.injectSendError(EPERM, 1);
    send(a, (batch) => {
      appendPacket(batch, loopback(b), controlPacket(1));
      appendTrain(batch, { to: loopback(b), flow: 2, pieces: [pattern(1000)], segmentSize: 1400 });
    });
    await vi.waitFor(() => expect(atB.of(2)).toHaveLength(1));
    expect(a.statistics).toMatchObject({ forbidden: 1, packetsSent: 1 });
  });

  it.each([4, 6] as const)('hears that nobody is there, and loses nothing for others (IPv%i)', async (family) => {
    const { a, b, atA, atB } = await pair();
    const { link: gone } = await started();
    const nobody = loopback(gone, family);
    await gone.close();
    const unreachable = vi.spyOn(atA as LinkHandler, 'unreachable');
    for (let index = 0; index < 20; index++) {
      send(a, (batch) => appendPacket(batch, nobody, controlPacket(1)));
      send(a, (batch) => appendPacket(batch, loopback(b, family), controlPacket(index + 2)));
    }
    await vi.waitFor(() => expect(unreachable).toHaveBeenCalled());
    await vi.waitFor(() => expect(atB.rows).toHaveLength(20));
    for (const [address] of unreachable.mock.calls) expect(address.equals(nobody)).toBe(true);
    expect(a.statistics['networkErrors']).toBeGreaterThan(0);
    expect(a.statistics['unroutable']).toBe(0);
  });

  it('knows what came by broadcast, and on which address to answer', async () => {
    const { a, b, atB } = await pair();
    send(a, (batch) => {
      appendPacket(batch, NetworkAddress.parse('127.255.255.255', b.port)!, controlPacket(1));
      appendPacket(batch, NetworkAddress.parse('127.0.0.9', b.port)!, controlPacket(2));
    });
    await vi.waitFor(() => expect(atB.rows).toHaveLength(2));
    expect(atB.of(1)[0]!.flags).toBe(RowFlag.broadcast);
    expect(atB.of(1)[0]!.local.toString()).toBe(`127.0.0.1:${b.port}`);
    expect(atB.of(2)[0]!.flags).toBe(0);
    expect(atB.of(2)[0]!.local.toString()).toBe(`127.0.0.9:${b.port}`);
  });

  it('sends from the address that a row names', async () => {
    const { a, b, atB } = await pair();
    send(a, (batch) => {
      batch.begin(loopback(b), NetworkAddress.parse('127.0.0.7', a.port));
      const packet = controlPacket(1);
      batch.headers.set(packet, batch.headerEnd);
      batch.headerEnd += packet.length;
      batch.finish(0, 0);
    });
    await vi.waitFor(() => expect(atB.rows).toHaveLength(1));
    expect(atB.rows[0]!.source.toString()).toBe(`127.0.0.7:${a.port}`);
  });

  it('is told of a source that this host does not have by a counter', async () => {
    const { a, b } = await pair();
    send(a, (batch) => {
      batch.begin(loopback(b), NetworkAddress.parse('192.0.2.1', a.port));
      const packet = controlPacket(1);
      batch.headers.set(packet, batch.headerEnd);
      batch.headerEnd += packet.length;
      batch.finish(0, 0);
    });
    expect(a.statistics).toMatchObject({ packetsSent: 0, unroutable: 1 });
  });

  it('may be closed while it holds packets, and from inside its handler', async () => {
    const { a, b } = await pair();
    a.injectSendError(EAGAIN, 1);
    expect(sendTrain(a, loopback(b), pattern(100_000))).toBe(false);
    await a.close();
    const { link: c } = await started();
    let bursts = 0;
    const closing = new UdpLink();
    links.push(closing);
    const recorder = new Recorder();
    await closing.start({
      received: () => {
        bursts++;
        void closing.close();
      },
      writable: () => {},
      unreachable: () => {},
      packetTooBig: () => {},
      failed: (error) => recorder.failed(error),
    });
    const destination = loopback(closing);
    for (let index = 0; index < 50; index++) sendTrain(c, destination, pattern(60_000), 1400, index * 60_000);
    await vi.waitFor(() => expect(bursts).toBe(1));
    await closing.close();
    expect(bursts).toBe(1);
    expect(closing.statistics['burstsReceived']).toBe(1);
  });

  it('keeps TCP flags, FIN included, in the last packet of a train only', async () => {
    const { a, b, atB } = await pair();
    send(a, (batch) =>
      appendTrain(batch, {
        to: loopback(b),
        flow: 9,
        pieces: [pattern(5000)],
        segmentSize: 1000,
        tcpFlags: TcpFlag.ack | TcpFlag.fin | TcpFlag.psh,
      }),
    );
    await vi.waitFor(() => expect(atB.lengthOf(9)).toBe(5000));
    expect(atB.of(9)).toHaveLength(1);
    expect(atB.of(9)[0]).toMatchObject({ segments: 5, segmentSize: 1000, tcpFlags: 0x19 });
  });

  it('knows the MTU of a path, and how much the kernel will hold', async () => {
    const { link } = await started();
    expect(link.mtuTo(NetworkAddress.parse('127.0.0.1', 1)!)).toBe(65_535);
    expect(link.mtuTo(NetworkAddress.parse('fe80::1', 1)!)).toBeUndefined();
    expect(link.receiveBuffer).toBeGreaterThan(100_000);
  });

  it('transmits nothing before it has started', () => {
    const link = new UdpLink();
    expect(send(link, (batch) => appendPacket(batch, loopback(link), controlPacket(1)))).toBe(true);
    expect(link.port).toBe(0);
    expect(link.statistics).toEqual({});
  });

  it('refuses to start once it was closed', async () => {
    const link = new UdpLink();
    await link.close();
    await expect(link.start(new Recorder())).rejects.toMatchObject({ code: 'ERR_SERVAL_HOST_CLOSED' });
  });
});
