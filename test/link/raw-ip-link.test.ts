import { afterEach, describe, expect, it, vi } from 'vitest';
import { IP_PROTOCOL_SERVAL } from '../../lib/limits';
import type { LinkHandler } from '../../lib/link/link';
import { NativeLink } from '../../lib/link/native-link';
import { RawIpLink } from '../../lib/link/raw-ip-link';
import { FLOW_ID_UNKNOWN, FlowTag, flowID } from '../../lib/wire/flow-id';
import { type AddressFamily, NetworkAddress } from '../../lib/wire/network-address';
import { TransmitBatch } from '../../lib/wire/transmit-batch';
import { hasValidTransportChecksum } from '../../lib/wire/transport-checksum';
import { linkConformance } from './conformance';
import { appendPacket, appendTrain, controlPacket, pattern, Recorder, synPacket } from './rows';

const loopback = (family: AddressFamily): NetworkAddress => NetworkAddress.parse(family === 4 ? '127.0.0.1' : '::1')!;

/** Raw sockets need CAP_NET_RAW; the error is what an unprivileged program sees. */
const refusal = refusalOfRawSockets();
if (refusal !== undefined) console.warn(`skipped: raw IP links: ${refusal}`);

describe.skipIf(refusal !== undefined)('with raw sockets', () => {
  linkConformance('the raw IP link', () => ({
    a: new RawIpLink(),
    b: new RawIpLink(),
    addressOf: (_link, family) => loopback(family),
  }));

  describe('RawIpLink', () => {
    const links: RawIpLink[] = [];
    afterEach(async () => {
      await Promise.all(links.splice(0).map((link) => link.close()));
    });

    const started = async (options: ConstructorParameters<typeof RawIpLink>[0] = {}) => {
      const link = new RawIpLink(options);
      const recorder = new Recorder();
      links.push(link);
      await link.start(recorder);
      return { link, recorder };
    };

    it.each([4, 6] as const)('seals the checksum of each segment of a train over IPv%i', async (family) => {
      const { link, recorder } = await started();
      const batch = new TransmitBatch(4);
      const payload = pattern(10_001);
      appendTrain(batch, { to: loopback(family), flow: 9, pieces: [payload], segmentSize: 1001 });
      link.transmit(batch);
      await vi.waitFor(() => expect(recorder.lengthOf(9)).toBe(payload.length));
      expect(link.statistics['badTransportChecksum']).toBe(0);
      expect(recorder.payloadOf(9).equals(payload)).toBe(true);
    });

    it('seals a checksum whose field stands in the payload, as of a packet that is forwarded', async () => {
      const { link, recorder } = await started();
      const batch = new TransmitBatch(4);
      const syn = synPacket(9);
      const salBytes = syn[8]! * 4;
      batch.begin(loopback(4), undefined);
      batch.headers.set(syn.subarray(0, salBytes), batch.headerEnd);
      batch.headerEnd += salBytes;
      const transport = Uint8Array.from([...syn.subarray(salBytes), ...pattern(1000)]);
      const untouched = transport.slice();
      batch.appendPiece(transport, 0, 7);
      batch.appendPiece(transport, 7, transport.length - 7);
      batch.finish(0, 0);
      link.transmit(batch);
      await vi.waitFor(() => expect(recorder.of(9)).toHaveLength(1));
      const { bytes } = recorder.of(9)[0]!;
      expect(bytes).toHaveLength(salBytes + transport.length);
      expect(hasValidTransportChecksum(bytes, salBytes, transport.length, 6, loopback(4), loopback(4))).toBe(true);
      expect(Buffer.compare(transport, untouched)).toBe(0);
    });

    it('sends from the source that a row names', async () => {
      const { link, recorder } = await started();
      const batch = new TransmitBatch(4);
      const source = NetworkAddress.parse('127.0.0.7')!;
      batch.begin(NetworkAddress.parse('127.0.0.8')!, source);
      const packet = controlPacket(9);
      batch.headers.set(packet, batch.headerEnd);
      batch.headerEnd += packet.length;
      batch.finish(0, 0);
      link.transmit(batch);
      await vi.waitFor(() => expect(recorder.of(9)).toHaveLength(1));
      expect(recorder.of(9)[0]!.source.toString()).toBe('127.0.0.7');
      expect(recorder.of(9)[0]!.local.toString()).toBe('127.0.0.8');
    });

    it('tells of packets larger than any path', async () => {
      const { link, recorder } = await started();
      const tooBig = vi.spyOn(recorder as LinkHandler, 'packetTooBig');
      const batch = new TransmitBatch(4);
      appendTrain(batch, { to: loopback(4), flow: 9, pieces: [pattern(65_530)], segmentSize: 0, isTrain: false });
      link.transmit(batch);
      await vi.waitFor(() => expect(tooBig).toHaveBeenCalledTimes(1));
      expect(tooBig.mock.calls.map(([address, mtu]) => `${address} ${mtu}`)).toEqual(['127.0.0.1 65535']);
      expect(link.statistics['tooLarge']).toBe(1);
    });

    it.each([4, 6] as const)('is not woken by what is for flows of others (IPv%i)', async (family) => {
      const [one, two] = [FlowTag.of(0x11000000), FlowTag.of(0x22000000)];
      const { link: a, recorder: atA } = await started({ flowTag: one });
      const { link: b, recorder: atB } = await started({ flowTag: two });
      const { link: everybody, recorder: atEverybody } = await started();
      const batch = new TransmitBatch(128);
      const to = loopback(family);
      for (let packet = 1; packet <= 50; packet++) appendPacket(batch, to, controlPacket(one.mark(flowID(packet))));
      appendTrain(batch, { to, flow: two.mark(flowID(0x123456)), pieces: [pattern(5000)], segmentSize: 1000 });
      appendPacket(batch, to, controlPacket(0x33000001));
      appendPacket(batch, to, new Uint8Array(7));
      everybody.transmit(batch);
      await vi.waitFor(() => expect(everybody.statistics['packetsReceived']).toBe(50 + 5 + 2));
      expect(atA.rows.map((row) => row.flow)).toEqual(Array.from({ length: 50 }, (_, index) => 0x11000001 + index));
      expect(a.statistics).toMatchObject({ packetsReceived: 50, receiveOverflows: 0, truncated: 0 });
      expect(atB.payloadOf(0x22123456).equals(pattern(5000))).toBe(true);
      expect(b.statistics).toMatchObject({ packetsReceived: 5, receiveOverflows: 0, truncated: 0 });
      expect(atEverybody.rows).toHaveLength(atA.rows.length + atB.rows.length + 1);
    });

    it.each([4, 6] as const)('hears first packets, whoever they are for (IPv%i)', async (family) => {
      const { link: a, recorder: atA } = await started({ flowTag: FlowTag.of(0x11000000) });
      const { recorder: atB } = await started({ flowTag: FlowTag.of(0x22000000) });
      const batch = new TransmitBatch(4);
      appendPacket(batch, loopback(family), synPacket(FLOW_ID_UNKNOWN));
      a.transmit(batch);
      await vi.waitFor(() => expect([atA.rows.length, atB.rows.length]).toEqual([1, 1]));
    });

    it('opens only the families that were asked for', async () => {
      const { link, recorder } = await started({ families: [4] });
      const batch = new TransmitBatch(4);
      appendPacket(batch, loopback(6), controlPacket(9));
      appendPacket(batch, loopback(4), controlPacket(10));
      link.transmit(batch);
      await vi.waitFor(() => expect(recorder.of(10)).toHaveLength(1));
      expect(recorder.of(9)).toEqual([]);
      expect(link.statistics['badAddress']).toBe(1);
    });
  });
});

function refusalOfRawSockets(): string | undefined {
  const probe = new NativeLink();
  try {
    probe.start(new Recorder(), { purpose: 'open a raw socket', rawProtocol: IP_PROTOCOL_SERVAL });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    void probe.close();
  }
}
