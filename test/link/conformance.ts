// What every link must do (§3 of ARCHITECTURE: each seam has one suite that all implementations pass). A
// link may join segments or not, know its local address or not; what arrives must be what was sent.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Link } from '../../lib/link/link';
import { type AddressFamily, NetworkAddress } from '../../lib/wire/network-address';
import { RowKind } from '../../lib/wire/received-batch';
import { isWireError, parseSalPacket } from '../../lib/wire/sal-packet';
import { TcpFlag } from '../../lib/wire/tcp-header';
import { TransmitBatch } from '../../lib/wire/transmit-batch';
import { hasValidTransportChecksum } from '../../lib/wire/transport-checksum';
import { WIRE_ERRORS } from '../../lib/wire/wire-error';
import {
  ACKNOWLEDGMENT,
  appendPacket,
  appendTrain,
  controlPacket,
  pattern,
  type RecordedRow,
  Recorder,
  SOURCE_FLOW,
  synPacket,
  WINDOW,
} from './rows';

/** Two links, not yet started, that reach each other. */
export interface LinkPair {
  readonly a: Link;
  readonly b: Link;
  /** Where `link`, which has started, is reached, with its port; 0 on links without. */
  addressOf(link: Link, family: AddressFamily): NetworkAddress;
  /** Lets time pass where it does not pass by itself. */
  advance?(): void;
  /** Called after each test, when both links are closed. */
  release?(): Promise<void> | void;
}

export interface LinkConformanceOptions {
  /** Default both. */
  readonly families?: readonly AddressFamily[];
}

export function linkConformance(
  name: string,
  makePair: () => Promise<LinkPair> | LinkPair,
  { families = [4, 6] }: LinkConformanceOptions = {},
): void {
  describe(`${name} is a link`, () => {
    let pair: LinkPair;
    let a: Link;
    let b: Link;
    const atA = { current: new Recorder() };
    const atB = { current: new Recorder() };
    const batch = new TransmitBatch(64);
    let flow = 0x10000;

    beforeEach(async () => {
      pair = await makePair();
      ({ a, b } = pair);
      atA.current = new Recorder();
      atB.current = new Recorder();
      await a.start(atA.current);
      await b.start(atB.current);
      batch.reset();
      flow++;
    });

    afterEach(async () => {
      await a.close();
      await b.close();
      await pair.release?.();
      expect([...atA.current.failures, ...atB.current.failures]).toEqual([]);
    });

    const to = (link: Link, family: AddressFamily = families[0]!): NetworkAddress => pair.addressOf(link, family);
    const send = (link: Link): void => {
      link.transmit(batch);
      batch.reset();
    };
    const until = (what: string, condition: () => boolean): Promise<void> => waitUntil(what, condition, pair.advance);
    const arrival = (recorder: Recorder, of: number, bytes: number): Promise<void> =>
      until(`${bytes} bytes of flow ${of.toString(16)}`, () => recorder.lengthOf(of) >= bytes);

    it('has the port of its sockets, or none', () => {
      if (a.properties.encapsulated) {
        expect(a.port).toBeGreaterThan(0);
        expect(to(a).port).toBe(a.port);
      } else {
        expect(a.port).toBe(0);
        expect(to(a).port).toBe(0);
      }
    });

    describe.each(families)('over IPv%i', (family) => {
      it('carries a packet each way and says whence it came', async () => {
        appendPacket(batch, to(b, family), controlPacket(flow));
        send(a);
        appendPacket(batch, to(a, family), controlPacket(flow + 1000));
        send(b);
        await until('both packets', () => atB.current.of(flow).length + atA.current.of(flow + 1000).length === 2);
        const [there] = atB.current.of(flow);
        const [back] = atA.current.of(flow + 1000);
        expectPacket(there!, controlPacket(flow), to(a, family), to(b, family));
        expectPacket(back!, controlPacket(flow + 1000), to(b, family), to(a, family));
      });

      it('carries a packet with extensions and a transport part', async () => {
        const syn = synPacket(flow);
        appendPacket(batch, to(b, family), syn);
        send(a);
        await arrival(atB.current, flow, syn.length);
        const [row] = atB.current.of(flow);
        if (a.properties.encapsulated) {
          expectPacket(row!, syn, to(a, family), to(b, family));
        } else {
          expectChecked(row!, to(a, family), to(b, family));
        }
      });

      it('cuts a train and delivers it joined or not', async () => {
        const payload = pattern(10 * 1000 + 17);
        appendTrain(batch, {
          to: to(b, family),
          flow,
          pieces: [payload],
          segmentSize: 1000,
          sequence: 0xfffff000,
          tcpFlags: TcpFlag.ack | TcpFlag.psh | TcpFlag.fin,
        });
        send(a);
        await arrival(atB.current, flow, payload.length);
        expectTrain(atB.current.of(flow), payload, 0xfffff000, 11);
        expect(atB.current.of(flow)[0]!.source.equals(to(a, family))).toBe(true);
        expectLocal(atB.current.of(flow)[0]!, to(b, family));
      });
    });

    it.each([
      ['no payload', 0, 1],
      ['less than a segment', 999, 1],
      ['exactly a segment', 1000, 1],
      ['exactly three segments', 3000, 3],
    ])('cuts a train of %s', async (_what, length, segments) => {
      const payload = pattern(length);
      appendTrain(batch, {
        to: to(b),
        flow,
        pieces: [payload],
        segmentSize: 1000,
        tcpFlags: TcpFlag.ack | TcpFlag.fin,
      });
      send(a);
      await until('the last segment', () => segmentsOf(atB.current.of(flow)) === segments);
      const rows = atB.current.of(flow);
      expect(Buffer.concat(rows.map((row) => row.bytes)).equals(payload)).toBe(true);
      expect(rows.map((row) => row.tcpFlags & TcpFlag.fin)).toEqual(finInTheLast(rows.length));
    });

    it('puts payload together from several pieces', async () => {
      const payload = pattern(7000);
      const cuts = [0, 1, 1, 1000, 1001, 3999, 4000, 7000];
      const pieces = cuts.slice(1).map((end, index) => payload.subarray(cuts[index], end));
      appendTrain(batch, { to: to(b), flow, pieces, segmentSize: 1200 });
      send(a);
      await arrival(atB.current, flow, payload.length);
      expectTrain(atB.current.of(flow), payload, 0, 6, TcpFlag.ack);
    });

    it('keeps TCP options on each segment of a train', async () => {
      const payload = pattern(2500);
      const options = Uint8Array.from([1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9]);
      appendTrain(batch, { to: to(b), flow, pieces: [payload], segmentSize: 1000, options });
      send(a);
      await arrival(atB.current, flow, payload.length);
      const rows = atB.current.of(flow);
      expect(atB.current.payloadOf(flow).equals(payload)).toBe(true);
      for (const row of rows) expect([...row.options]).toEqual([...options]);
    });

    it('leaves a row that is no train in one piece', async () => {
      const payload = pattern(1100);
      appendTrain(batch, {
        to: to(b),
        flow,
        pieces: [payload.subarray(0, 500), payload.subarray(500)],
        segmentSize: 0,
        isTrain: false,
      });
      send(a);
      await arrival(atB.current, flow, payload.length);
      expectTrain(atB.current.of(flow), payload, 0, 1, TcpFlag.ack);
    });

    it('sends rows of several flows, kinds and destinations from one batch', async () => {
      const payloads = families.map((_family, index) => pattern(5000, index + 2));
      for (const [index, family] of families.entries()) {
        const request = { to: to(b, family), flow: flow + index * 0x1000, segmentSize: 1200 };
        appendTrain(batch, { ...request, pieces: [payloads[index]!.subarray(0, 3600)] });
        appendPacket(batch, to(b, family), controlPacket(request.flow + 0x100000));
        appendTrain(batch, { ...request, pieces: [payloads[index]!.subarray(3600)], sequence: 3600 });
      }
      send(a);
      for (const [index] of families.entries()) {
        await arrival(atB.current, flow + index * 0x1000, 5000);
        expectTrain(atB.current.of(flow + index * 0x1000), payloads[index]!, 0, 5, TcpFlag.ack);
        expect(atB.current.of(flow + index * 0x1000 + 0x100000)).toHaveLength(1);
      }
    });

    it('carries more than 64 KB in one row and in one batch', async () => {
      const payload = pattern(100_000);
      appendTrain(batch, { to: to(b), flow, pieces: [payload], segmentSize: 1400 });
      send(a);
      await arrival(atB.current, flow, payload.length);
      expectTrain(atB.current.of(flow), payload, 0, 72, TcpFlag.ack);
      for (let index = 0; index < 50; index++) {
        const part = payload.subarray(index * 2000, (index + 1) * 2000);
        appendTrain(batch, {
          to: to(b),
          flow: flow + 0x2000,
          pieces: [part],
          segmentSize: 1000,
          sequence: index * 2000,
        });
      }
      send(a);
      await arrival(atB.current, flow + 0x2000, payload.length);
      expectTrain(atB.current.of(flow + 0x2000), payload, 0, 100, TcpFlag.ack);
    });

    it('lets the caller reuse batch and payload at once', async () => {
      const payload = pattern(20_000);
      appendTrain(batch, { to: to(b), flow, pieces: [payload], segmentSize: 1400 });
      a.transmit(batch);
      for (const piece of batch.pieces) piece.fill(0);
      batch.reset();
      batch.headers.fill(0xee);
      batch.rows.fill(-1);
      batch.pieceSpans.fill(-1);
      await arrival(atB.current, flow, payload.length);
      expectTrain(atB.current.of(flow), payload, 0, 15, TcpFlag.ack);
    });

    it('never writes again into what was taken', async () => {
      const total = 2_000_000;
      const payload = pattern(total);
      for (let start = 0; start < total; start += 50_000) {
        const part = payload.subarray(start, start + 50_000);
        appendTrain(batch, { to: to(b), flow, pieces: [part], segmentSize: 1400, sequence: start });
        send(a);
        await arrival(atB.current, flow, start + 50_000);
      }
      for (const row of atB.current.of(flow)) expect(row.bytes.equals(row.copy)).toBe(true);
      expect(atB.current.payloadOf(flow).equals(payload)).toBe(true);
    });

    it('drops and counts malformed packets', async () => {
      const before = dropsOf(b);
      const bad = malformedPackets(flow);
      for (const bytes of bad) appendPacket(batch, to(b), bytes);
      appendPacket(batch, to(b), controlPacket(flow + 0x3000));
      send(a);
      await until('the good packet behind them', () => atB.current.of(flow + 0x3000).length === 1);
      expect(atB.current.of(flow)).toEqual([]);
      expect(dropsOf(b) - before).toBe(bad.length);
    });

    it('counts packets and bytes', async () => {
      appendTrain(batch, { to: to(b), flow, pieces: [pattern(3000)], segmentSize: 1000 });
      send(a);
      await arrival(atB.current, flow, 3000);
      await until('the sender to know', () => (a.statistics['packetsSent'] ?? 0) >= 3);
      expect(a.statistics['bytesSent']).toBeGreaterThanOrEqual(3000 + 3 * 32);
      expect(b.statistics['packetsReceived']).toBeGreaterThanOrEqual(3);
      expect(b.statistics['bytesReceived']).toBeGreaterThanOrEqual(3000 + 3 * 32);
    });

    it('says when it is writable again, whenever it said it was not', async () => {
      const payload = pattern(60_000);
      for (let round = 0; round < 40; round++) {
        appendTrain(batch, { to: to(b), flow, pieces: [payload], segmentSize: 1400 });
        const writables = atA.current.writableCount;
        const accepted = a.transmit(batch);
        batch.reset();
        if (!accepted) await until('writable', () => atA.current.writableCount > writables);
      }
      // However much was lost on the way, the link goes on.
      await until('a packet behind it all', () => {
        appendPacket(batch, to(b), controlPacket(flow + 0x4000));
        send(a);
        return atB.current.of(flow + 0x4000).length > 0;
      });
    });

    it('may be closed twice, and transmits nothing afterwards', async () => {
      appendPacket(batch, to(b), controlPacket(flow));
      const destination = to(b);
      await a.close();
      await a.close();
      expect(() => a.transmit(batch)).not.toThrow();
      batch.reset();
      appendPacket(batch, destination, controlPacket(flow + 0x5000));
      send(b);
      await until('what b sent', () => atB.current.of(flow + 0x5000).length === 1);
      expect(atB.current.of(flow)).toEqual([]);
    });

    it('delivers nothing after it was closed', async () => {
      const destination = to(b);
      appendPacket(batch, destination, controlPacket(flow));
      send(a);
      await b.close();
      const known = atB.current.rows.length;
      appendPacket(batch, destination, controlPacket(flow));
      send(a);
      for (let turn = 0; turn < 20; turn++) {
        pair.advance?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(atB.current.rows).toHaveLength(known);
    });
  });
}

function expectPacket(row: RecordedRow, bytes: Uint8Array, source: NetworkAddress, local: NetworkAddress): void {
  expect(row.kind).toBe(RowKind.packet);
  expect(row.bytes.toString('hex')).toBe(Buffer.from(bytes).toString('hex'));
  expect(row.source.toString()).toBe(source.toString());
  expectLocal(row, local);
}

/** A raw link fills in the transport checksum: the rest is as it was sent. */
function expectChecked(row: RecordedRow, source: NetworkAddress, local: NetworkAddress): void {
  const packet = parseSalPacket(row.bytes, 0, row.bytes.length);
  if (isWireError(packet)) throw new Error(`not a SAL packet: ${packet}`);
  const at = packet.transportOffset;
  expect(hasValidTransportChecksum(row.bytes, at, row.bytes.length - at, packet.protocol, source, local)).toBe(true);
  const expected = Buffer.from(synPacket(row.flow));
  row.bytes.copy(expected, at + 16, at + 16, at + 18);
  expect(row.bytes.toString('hex')).toBe(expected.toString('hex'));
  expect(row.source.toString()).toBe(source.toString());
}

/** A link that cannot know says the unspecified address, with the port. */
function expectLocal(row: RecordedRow, local: NetworkAddress): void {
  if (row.local.isUnspecified) expect([row.local.family, row.local.port]).toEqual([local.family, local.port]);
  else expect(row.local.toString()).toBe(local.toString());
}

/** The rows are one train, whatever was joined: in order, without gap, FIN and PSH at its end only. */
function expectTrain(
  rows: readonly RecordedRow[],
  payload: Buffer,
  sequence: number,
  segments: number,
  lastFlags: number = TcpFlag.ack | TcpFlag.psh | TcpFlag.fin,
): void {
  let reached = 0;
  for (const [index, row] of rows.entries()) {
    const isLast = index === rows.length - 1;
    expect(row.kind).toBe(RowKind.train);
    expect(row.sequence).toBe((sequence + reached) >>> 0);
    expect(row.bytes.equals(payload.subarray(reached, reached + row.bytes.length))).toBe(true);
    expect(row.tcpFlags).toBe(isLast ? lastFlags : TcpFlag.ack);
    expect([row.sourceFlowID, row.acknowledgment, row.window]).toEqual([SOURCE_FLOW, ACKNOWLEDGMENT, WINDOW]);
    expect(row.bytes.length).toBeGreaterThan((row.segments - 1) * row.segmentSize);
    expect(row.bytes.length).toBeLessThanOrEqual(row.segments * row.segmentSize);
    reached += row.bytes.length;
  }
  expect(reached).toBe(payload.length);
  expect(segmentsOf(rows)).toBe(segments);
}

function segmentsOf(rows: readonly RecordedRow[]): number {
  return rows.reduce((sum, row) => sum + row.segments, 0);
}

function finInTheLast(count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index === count - 1 ? TcpFlag.fin : 0));
}

const ANYWHERE = NetworkAddress.parse('192.0.2.1', 1)!;

/** What a link itself refuses; all else is left to the parser behind it. */
function malformedPackets(flow: number): Uint8Array[] {
  const scratch = new TransmitBatch(1);
  appendTrain(scratch, { to: ANYWHERE, flow, pieces: [], segmentSize: 0 });
  const good = scratch.headers.slice(0, scratch.headerEnd);
  const badCheck = good.slice();
  badCheck[10]! ^= 1;
  const shortTcp = good.slice(0, 24);
  const badOffset = good.slice();
  badOffset[24] = 0x40;
  return [good.slice(0, 8), badCheck, shortTcp, badOffset];
}

function dropsOf(link: Link): number {
  return WIRE_ERRORS.reduce((sum, reason) => sum + (link.statistics[reason] ?? 0), 0);
}

async function waitUntil(what: string, condition: () => boolean, advance: (() => void) | undefined): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited 5 s for ${what}`);
    advance?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
