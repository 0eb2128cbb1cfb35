// The loopback link is its own peer, so the suite for pairs does not fit it: the same properties, one link.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LoopbackLink } from '../../lib/link/loopback-link';
import { NetworkAddress } from '../../lib/wire/network-address';
import { TransmitBatch } from '../../lib/wire/transmit-batch';
import { appendPacket, appendTrain, controlPacket, pattern, Recorder, synPacket } from './rows';

const SELF = NetworkAddress.parse('127.0.0.1')!;

describe('LoopbackLink', () => {
  let link: LoopbackLink;
  let recorder: Recorder;
  const batch = new TransmitBatch(64);

  beforeEach(async () => {
    link = new LoopbackLink();
    recorder = new Recorder();
    batch.reset();
    await link.start(recorder);
  });

  afterEach(() => link.close());

  const send = (): void => {
    expect(link.transmit(batch)).toBe(true);
    batch.reset();
  };

  it('gives packets back in a later turn, from and to itself', async () => {
    appendPacket(batch, SELF, synPacket(5));
    appendPacket(batch, SELF, controlPacket(6));
    send();
    expect(recorder.rows).toEqual([]);
    await vi.waitFor(() => expect(recorder.rows).toHaveLength(2));
    expect(recorder.rows.map((row) => row.bytes.toString('hex'))).toEqual(
      [synPacket(5), controlPacket(6)].map((bytes) => Buffer.from(bytes).toString('hex')),
    );
    for (const row of recorder.rows)
      expect([String(row.source), String(row.local)]).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  it('carries trains whole, from payload in pieces', async () => {
    const payload = pattern(60_000);
    const pieces = [payload.subarray(0, 1), payload.subarray(1, 30_000), payload.subarray(30_000)];
    appendTrain(batch, { to: SELF, flow: 7, pieces, segmentSize: 1400, sequence: 0xffff_f000 });
    send();
    await vi.waitFor(() => expect(recorder.lengthOf(7)).toBe(payload.length));
    expect(recorder.payloadOf(7).equals(payload)).toBe(true);
  });

  it('keeps order and content over many batches, and taken chunks stay as they were', async () => {
    const payload = pattern(50_000);
    for (let round = 0; round < 40; round++) {
      appendTrain(batch, { to: SELF, flow: 8, pieces: [payload], segmentSize: 1400, sequence: round * 50_000 });
      send();
    }
    await vi.waitFor(() => expect(recorder.lengthOf(8)).toBe(40 * 50_000));
    expect(recorder.payloadOf(8).equals(Buffer.concat(Array.from({ length: 40 }, () => payload)))).toBe(true);
    for (const row of recorder.rows) expect(row.bytes.equals(row.copy)).toBe(true);
  });

  it('counts packets and bytes', async () => {
    appendTrain(batch, { to: SELF, flow: 9, pieces: [pattern(3000)], segmentSize: 1000 });
    send();
    await vi.waitFor(() => expect(recorder.lengthOf(9)).toBe(3000));
    expect(link.statistics).toMatchObject({ packetsSent: 3, bytesSent: 3096, packetsReceived: 3, bytesReceived: 3096 });
  });

  it('may be closed twice, and delivers and transmits nothing afterwards', async () => {
    appendPacket(batch, SELF, controlPacket(10));
    send();
    await link.close();
    await link.close();
    appendPacket(batch, SELF, controlPacket(10));
    send();
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(recorder.rows).toEqual([]);
  });
});
