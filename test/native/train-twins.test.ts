// The native cutter and joiner against the TypeScript ones: on the golden vectors, and on random input.

import { describe, expect, it } from 'vitest';
import type { NativeBinding } from '../../lib/native/native-binding';
import { SeededRandom } from '../../lib/time/seeded-random';
import { flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { RECEIVED_ROW_INTS, ReceivedBatch, ReceivedField, RowFlag, RowKind } from '../../lib/wire/received-batch';
import { SAL_HEADER_BYTES, writeBareSalHeader } from '../../lib/wire/sal-header';
import { TcpFlag, writeTcpHeader } from '../../lib/wire/tcp-header';
import { cutTrain, sealCutPacket } from '../../lib/wire/train-cutter';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { TransmitBatch, TransmitFlag } from '../../lib/wire/transmit-batch';
import { createWireErrorCounters } from '../../lib/wire/wire-error';
import { appendTrain, controlPacket, pattern, synPacket } from '../link/rows';
import { describeCutter, describeJoiner, local, type PlacedPacket } from '../wire/train-conformance';
import { describeWithAddon, wordsOf } from './addon';

const PEERS = [NetworkAddress.parse('192.0.2.1', 54325)!, NetworkAddress.parse('2001:db8::1', 54325)!];

describeWithAddon('the native twins', (addon) => {
  describeCutter('the native cutter', (batch) => cutNatively(addon, batch));
  describeCutter('the native cutter, transport headers in one piece', (batch) => cutNatively(addon, batch, true));
  describeJoiner('the native joiner', (packets) => joinNatively(addon, packets));

  describe('on random input', () => {
    it.each([1, 2, 3, 4, 5])('cut what the TypeScript cutter cuts (seed %i)', (seed) => {
      const random = SeededRandom.of(seed);
      for (let round = 0; round < 60; round++) {
        const batch = new TransmitBatch(64);
        appendRandomRow(batch, random);
        const expected: string[] = [];
        cutTrain(batch, 0, new Uint8Array(80_000), (packet) => expected.push(hex(packet)));
        expect(cutNatively(addon, batch).map(hex)).toEqual(expected);
        expect(cutNatively(addon, batch, true).map(hex)).toEqual(expected);
      }
    });

    it.each([1, 2, 3, 4, 5])('join what the TypeScript joiner joins (seed %i)', (seed) => {
      const random = SeededRandom.of(seed);
      let joined = 0;
      for (let round = 0; round < 60; round++) {
        const packets = randomPackets(random);
        for (const transportChecksums of [false, true]) {
          const expected = joinInTypeScript(packets, transportChecksums);
          const actual = joinNatively(addon, packets, transportChecksums);
          expect(describeBatch(actual.batch)).toEqual(describeBatch(expected.batch));
          expect(countsAbove0(actual.drops)).toEqual(countsAbove0(expected.drops));
          joined += packets.length - expected.batch.count;
        }
      }
      expect(joined).toBeGreaterThan(100);
    });
  });
});

function cutNatively(addon: NativeBinding, batch: TransmitBatch, whole = false): Uint8Array[] {
  const { rows, count, headers, pieces, pieceSpans, pieceCount } = batch;
  return addon.cutTrains(rows, count, headers, pieces, pieceSpans, pieceCount, whole);
}

function joinNatively(addon: NativeBinding, packets: readonly PlacedPacket[], transportChecksums = false) {
  const batch = new ReceivedBatch(packets.length, Buffer.alloc(200_000, 0xcc));
  const origins = packets.flatMap(({ source, local, rowFlags }) => [...wordsOf(source), ...wordsOf(local), rowFlags]);
  const bytes = packets.map((packet) => packet.bytes);
  const result = addon.joinTrains(bytes, Int32Array.from(origins), batch.rows, batch.slab, transportChecksums);
  batch.count = result.count;
  const drops: Record<string, number> = {};
  for (const reason of result.refusals) if (reason !== '') drops[reason] = (drops[reason] ?? 0) + 1;
  return { batch, drops };
}

function joinInTypeScript(packets: readonly PlacedPacket[], transportChecksums: boolean) {
  const drops = createWireErrorCounters();
  const joiner = new TrainJoiner(drops, { transportChecksums });
  const batch = new ReceivedBatch(packets.length, Buffer.alloc(200_000, 0xcc));
  let offset = 0;
  for (const { source, local, rowFlags, bytes } of packets) {
    batch.slab.set(bytes, offset);
    joiner.append(batch, source, local, rowFlags, offset, bytes.length);
    offset += bytes.length;
  }
  return { batch, drops };
}

/** Every field of every row, and instead of where bytes lie the bytes. */
function describeBatch(batch: ReceivedBatch): object[] {
  return Array.from({ length: batch.count }, (_, row) => {
    const base = row * RECEIVED_ROW_INTS;
    const fields = [...batch.rows.subarray(base, base + RECEIVED_ROW_INTS)];
    const bytes = bytesAt(batch, fields[ReceivedField.offset]!, fields[ReceivedField.length]!);
    const options = bytesAt(batch, fields[ReceivedField.optionsOffset]!, fields[ReceivedField.optionsLength]!);
    fields[ReceivedField.offset] = 0;
    fields[ReceivedField.optionsOffset] = 0;
    return { kind: batch.kind(row) === RowKind.train ? 'train' : 'packet', fields, bytes, options };
  });
}

function bytesAt(batch: ReceivedBatch, offset: number, length: number): string {
  return batch.slab.toString('hex', offset, offset + length);
}

function appendRandomRow(batch: TransmitBatch, random: SeededRandom): void {
  const below = (limit: number): number => random.uint32() % limit;
  const pieces = Array.from({ length: below(90) < 5 ? 80 : below(6) }, () => pattern(below(900), below(99) + 1));
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const isTrain = below(5) > 0;
  appendTrain(batch, {
    to: PEERS[below(2)]!,
    flow: random.uint32(),
    pieces,
    segmentSize: isTrain ? 1 + below(below(2) === 0 ? 1400 : length + 10) : 0,
    sequence: random.uint32(),
    tcpFlags: below(256),
    options: pattern(below(3) * 4),
    isTrain,
  });
}

/** Trains of three flows, interleaved, cut by the TypeScript cutter; now and then damaged, lost or signaling. */
function randomPackets(random: SeededRandom): PlacedPacket[] {
  const below = (limit: number): number => random.uint32() % limit;
  const packets: PlacedPacket[] = [];
  const sequences = [random.uint32(), random.uint32(), 0xfffffff0];
  while (packets.length < 80) {
    const source = PEERS[below(8) === 0 ? 1 : 0]!;
    const add = (bytes: Uint8Array): void => {
      if (below(40) === 0) return;
      if (below(40) === 0) bytes[below(bytes.length)]! ^= 1 << below(8);
      const cut = below(60) === 0 ? bytes.slice(0, below(bytes.length)) : bytes;
      packets.push({ source, local, rowFlags: below(30) === 0 ? RowFlag.broadcast : 0, bytes: cut });
    };
    const what = below(10);
    if (what === 0) add(controlPacket(below(3) + 1));
    else if (what === 1) add(synPacket(below(3) + 1));
    else addTrain(random, sequences, source, add);
  }
  return packets;
}

function addTrain(random: SeededRandom, sequences: number[], source: NetworkAddress, add: (bytes: Uint8Array) => void) {
  const below = (limit: number): number => random.uint32() % limit;
  const flow = below(3);
  const batch = new TransmitBatch(1);
  const length = below(4) === 0 ? 0 : below(2000);
  const optionsLength = below(6) === 0 ? 12 : 0;
  batch.begin(local, undefined);
  batch.headerEnd += writeBareSalHeader(batch.headers, 0, flowID(77), flowID(flow + 1), 6);
  batch.headerEnd += writeTcpHeader(batch.headers, SAL_HEADER_BYTES, {
    sequence: sequences[flow]!,
    acknowledgment: below(10) === 0 ? 2 : 1,
    flags: below(10) === 0 ? below(256) : below(4) === 0 ? TcpFlag.ack | TcpFlag.psh : TcpFlag.ack,
    window: below(10) === 0 ? 8 : 9,
    optionsLength,
  });
  batch.headerEnd += optionsLength;
  if (length > 0) batch.appendPiece(pattern(length), 0, length);
  batch.finish(below(3) === 0 ? 500 : 250, TransmitFlag.train);
  sequences[flow] = (sequences[flow]! + length) >>> 0;
  cutTrain(batch, 0, new Uint8Array(3000), (packet) => {
    const bytes = packet.slice();
    sealCutPacket(bytes, source, local);
    add(bytes);
  });
}

function countsAbove0(counts: Readonly<Record<string, number>>): object {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
