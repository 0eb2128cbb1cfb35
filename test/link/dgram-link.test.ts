import dgram from 'node:dgram';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TRANSMIT_QUEUE_MAXIMUM } from '../../lib/limits';
import { DgramLink } from '../../lib/link/dgram-link';
import type { Link } from '../../lib/link/link';
import { type AddressFamily, NetworkAddress } from '../../lib/wire/network-address';
import { RowFlag } from '../../lib/wire/received-batch';
import { TransmitBatch } from '../../lib/wire/transmit-batch';
import { linkConformance } from './conformance';
import { appendPacket, appendTrain, controlPacket, pattern, Recorder } from './rows';

const loopback = (link: Link, family: AddressFamily): NetworkAddress =>
  NetworkAddress.parse(family === 4 ? '127.0.0.1' : '::1', link.port)!;

linkConformance('the node:dgram link', () => ({ a: new DgramLink(), b: new DgramLink(), addressOf: loopback }));

describe('the node:dgram link', () => {
  const links: Link[] = [];
  afterEach(async () => {
    vi.restoreAllMocks();
    await Promise.all(links.splice(0).map((link) => link.close()));
  });

  const started = async (options: ConstructorParameters<typeof DgramLink>[0] = {}) => {
    const link = new DgramLink(options);
    const recorder = new Recorder();
    links.push(link);
    await link.start(recorder);
    return { link, recorder };
  };

  it('has the same port in both families', async () => {
    const { link } = await started();
    const other = new DgramLink({ port: link.port });
    await expect(other.start(new Recorder())).rejects.toMatchObject({ code: 'EADDRINUSE', port: link.port });
    const v6 = dgram.createSocket({ type: 'udp6', ipv6Only: true });
    const taken = new Promise((resolve) => v6.once('error', resolve));
    v6.bind(link.port);
    expect(await taken).toMatchObject({ code: 'EADDRINUSE' });
    v6.close();
  });

  it('holds a well-known port alone, and frees it when closed', async () => {
    const first = await started({ role: 'well-known' });
    const { port } = first.link;
    await expect(new DgramLink({ role: 'well-known', port }).start(new Recorder())).rejects.toMatchObject({
      name: 'ServalError',
      code: 'EADDRINUSE',
    });
    await first.link.close();
    const second = await started({ role: 'well-known', port });
    expect(second.link.port).toBe(port);
  });

  it('does not call packets of this host broadcast', async () => {
    const { link, recorder } = await started({ role: 'well-known' });
    const { link: sender } = await started();
    const batch = new TransmitBatch(1);
    appendPacket(batch, loopback(link, 4), controlPacket(9));
    sender.transmit(batch);
    await vi.waitFor(() => expect(recorder.rows).toHaveLength(1));
    expect(recorder.rows[0]!.flags).toBe(0);
  });

  it.each([
    ['well-known', RowFlag.broadcast],
    ['data', 0],
  ] as const)('takes packets from elsewhere for broadcast on a %s port: flags %i', async (role, flags) => {
    const { link, recorder } = await started({ role });
    // What the socket says came from another host: loopback has no other.
    emitMessage(link, controlPacket(9), { address: '192.0.2.9', port: 54325 });
    await vi.waitFor(() => expect(recorder.rows).toHaveLength(1));
    expect(recorder.rows[0]!.flags).toBe(flags);
    expect(recorder.rows[0]!.source.toString()).toBe('192.0.2.9:54325');
  });

  it('drops what has a source with a zone: there is no answering it', async () => {
    const { link, recorder } = await started();
    emitMessage(link, controlPacket(9), { address: 'fe80::1%lo', port: 54325 });
    emitMessage(link, controlPacket(10), { address: 'fe80::1', port: 54325 });
    await vi.waitFor(() => expect(recorder.rows).toHaveLength(1));
    expect(recorder.rows[0]!.flow).toBe(10);
    expect(link.statistics['badAddress']).toBe(1);
  });

  it('delivers what came in one turn as one batch', async () => {
    const { link, recorder } = await started();
    const bursts: number[] = [];
    vi.spyOn(recorder, 'received').mockImplementation((batch) => void bursts.push(batch.count));
    for (let flow = 0; flow < 20; flow++) emitMessage(link, controlPacket(flow), { address: '192.0.2.9', port: 1 });
    await vi.waitFor(() => expect(bursts).toEqual([20]));
  });

  it('delivers a batch early when it is full, of rows or of bytes', async () => {
    const { link, recorder } = await started();
    let rows = 0;
    vi.spyOn(recorder, 'received').mockImplementation((batch) => {
      rows += batch.count;
    });
    for (let flow = 0; flow < 300; flow++) emitMessage(link, controlPacket(flow), { address: '192.0.2.9', port: 1 });
    expect(rows).toBe(256);
    const large = Buffer.concat([controlPacket(1), pattern(65_000)]);
    for (let flow = 0; flow < 10; flow++) emitMessage(link, large, { address: '192.0.2.9', port: 1 });
    expect(rows).toBeGreaterThan(300);
    await vi.waitFor(() => expect(rows).toBe(310));
  });

  describe('when the kernel takes no more', () => {
    it('queues in order, says so, and says when it has gone', async () => {
      const kernel = holdSends();
      const { link, recorder } = await started();
      const { link: peer, recorder: atPeer } = await started();
      const payload = pattern(300_000);
      const batch = new TransmitBatch(4);
      appendTrain(batch, { to: loopback(peer, 4), flow: 5, pieces: [payload], segmentSize: 30_000 });
      expect(link.transmit(batch)).toBe(false);
      for (const piece of batch.pieces) piece.fill(0);
      batch.reset();
      appendPacket(batch, loopback(peer, 4), controlPacket(6));
      expect(link.transmit(batch)).toBe(false);
      expect(recorder.writableCount).toBe(0);
      kernel.release();
      await vi.waitFor(() => expect(atPeer.of(6)).toHaveLength(1));
      expect(atPeer.payloadOf(5).equals(payload)).toBe(true);
      expect(recorder.writableCount).toBe(1);
      expect(link.transmit(batch)).toBe(true);
    });

    it('drops and counts what goes past the bound', async () => {
      const kernel = holdSends();
      const { link } = await started();
      const batch = new TransmitBatch(4);
      const payload = pattern(60_000);
      const packets = Math.floor(TRANSMIT_QUEUE_MAXIMUM / 60_032);
      for (let index = 0; index < packets + 7; index++) {
        appendTrain(batch, { to: loopback(link, 4), flow: 5, pieces: [payload], segmentSize: 60_000 });
        link.transmit(batch);
        batch.reset();
      }
      expect(link.statistics['queueFull']).toBe(7);
      kernel.release();
    });
  });

  it('counts what it cannot send, and goes on', async () => {
    const { link, recorder } = await started();
    const batch = new TransmitBatch(4);
    appendPacket(batch, NetworkAddress.parse('127.0.0.1', 0)!, controlPacket(1));
    appendTrain(batch, { to: loopback(link, 4), flow: 2, pieces: [pattern(66_000)], segmentSize: 0, isTrain: false });
    appendPacket(batch, loopback(link, 4), controlPacket(3));
    link.transmit(batch);
    await vi.waitFor(() => expect(recorder.of(3)).toHaveLength(1));
    expect(link.statistics).toMatchObject({ badAddress: 1, tooLarge: 1, packetsSent: 1 });
  });

  it('does not open when it is closed first', async () => {
    const link = new DgramLink();
    const opening = link.start(new Recorder());
    await link.close();
    await expect(opening).rejects.toMatchObject({ code: 'ERR_SERVAL_HOST_CLOSED' });
    expect(link.transmit(new TransmitBatch(1))).toBe(true);
  });

  it('lets the process end when it is unreferenced', async () => {
    const { link } = await started();
    const before = process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;
    link.unref();
    expect(process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length).toBe(before - 2);
    link.ref();
    expect(process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length).toBe(before);
  });

  it('warns once a process that it is slow', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    DgramLink.warnOnce('no addon for this platform');
    DgramLink.warnOnce('no addon for this platform');
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('no addon for this platform'), {
      code: 'SERVAL_DGRAM_LINK',
    });
  });
});

/** Gives the link a message as its IPv4 socket would. */
function emitMessage(link: Link, bytes: Uint8Array, from: { address: string; port: number }): void {
  const { v4 } = (link as unknown as { sockets: { v4: dgram.Socket } }).sockets;
  v4.emit('message', Buffer.from(bytes), { ...from, family: 'IPv4', size: bytes.length });
}

/** A kernel that takes nothing until `release`: on loopback a real one takes everything. */
function holdSends(): { release(): void } {
  const held: (() => void)[] = [];
  const queued = new WeakMap<dgram.Socket, number>();
  const send = dgram.Socket.prototype.send as (this: dgram.Socket, ...packet: unknown[]) => void;
  type Sent = (error: Error | null, bytes: number) => void;
  const hold = function (this: dgram.Socket, ...packet: [Buffer, number, number, number, string, Sent]): dgram.Socket {
    const [bytes, offset, length, port, ip, sent] = packet;
    queued.set(this, (queued.get(this) ?? 0) + length);
    held.push(() => {
      send.call(this, bytes, offset, length, port, ip, (...outcome: Parameters<Sent>) => {
        queued.set(this, queued.get(this)! - length);
        sent(...outcome);
      });
    });
    return this;
  };
  const spies = [
    vi.spyOn(dgram.Socket.prototype, 'send').mockImplementation(hold as never),
    vi.spyOn(dgram.Socket.prototype, 'getSendQueueSize').mockImplementation(function (this: dgram.Socket) {
      return queued.get(this) ?? 0;
    }),
  ];
  return {
    release: () => {
      spies[0]!.mockImplementation(send as never);
      for (const sending of held.splice(0)) sending();
    },
  };
}
