import { expect, it } from 'vitest';
import { SeededRandom } from '../../lib/time/seeded-random';
import { NetworkAddress } from '../../lib/wire/network-address';
import { TransmitBatch } from '../../lib/wire/transmit-batch';
import { appendPacket, controlPacket } from '../link/rows';
import { describeWithAddon } from './addon';

/** What a test looks at: where a row goes, whose it is, how long its packets are. */
interface Row {
  readonly to: string;
  readonly flow: number;
  readonly size: number;
}

describeWithAddon('the order in which rows leave', (addon) => {
  const orderOf = (rows: readonly Row[]): Row[] => {
    const batch = new TransmitBatch(16 + rows.length * 4);
    for (const { to, flow, size } of rows) {
      const packet = new Uint8Array(size);
      packet.set([flow >>> 24, flow >>> 16, flow >>> 8, flow].slice(0, size));
      appendPacket(batch, NetworkAddress.parse(to)!, packet);
    }
    const { headers, pieces, pieceSpans, pieceCount } = batch;
    const order = addon.sendOrder(batch.rows, batch.count, headers, pieces, pieceSpans, pieceCount);
    expect([...order].sort((a, b) => a - b)).toEqual(rows.map((_, index) => index));
    return order.map((index) => rows[index]!);
  };
  const sizes = (rows: readonly Row[]): number[] => orderOf(rows).map(({ size }) => size);
  const [here, there] = ['192.0.2.1', '2001:db8::1'];

  it('is that of the batch where all packets have one size', () => {
    const rows = [5, 3, 4, 3, 5].map((flow) => ({ to: here, flow, size: 96 }));
    expect(orderOf(rows)).toEqual(rows);
  });

  it('is by destination, in the order of their first rows', () => {
    const rows = [here, there, here, there].map((to, flow) => ({ to, flow, size: 96 }));
    expect(orderOf(rows)).toEqual([rows[0], rows[2], rows[1], rows[3]]);
  });

  it('brings packets of one size together, the small ones first', () => {
    const rows = [96, 44, 1400, 96, 44, 1400, 44].map((size, flow) => ({ to: here, flow, size }));
    expect(sizes(rows)).toEqual([44, 44, 44, 96, 96, 1400, 1400]);
  });

  it('keeps packets of one flow in order, however long they are', () => {
    const rows = [96, 44, 96].flatMap((size) => [1, 2, 3].map((flow) => ({ to: here, flow, size })));
    expect(sizes(rows)).toEqual([96, 96, 96, 44, 44, 44, 96, 96, 96]);
    expect(orderOf(rows).map(({ flow }) => flow)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  it('sorts each destination for itself', () => {
    const rows = [here, there].flatMap((to) => [96, 44].map((size, flow) => ({ to, flow, size })));
    expect(orderOf(rows)).toEqual([rows[1], rows[0], rows[3], rows[2]]);
  });

  it('is that of the batch for packets too short to have a flowID', () => {
    expect(sizes([3, 2, 1, 3].map((size) => ({ to: here, flow: 0, size })))).toEqual([3, 2, 1, 3]);
  });

  it.each([1, 2, 3, 4, 5, 6])('never turns rows of a flow or destinations around (seed %i)', (seed) => {
    const random = SeededRandom.of(seed);
    const below = (limit: number): number => random.uint32() % limit;
    for (let round = 0; round < 20; round++) {
      const rows = Array.from({ length: 1 + below(300) }, (_, index) => ({
        to: `192.0.2.${1 + below(3)}`,
        flow: below(1 + (seed % 3) * 40),
        size: 44 + below(4) * 30,
        index,
      }));
      const order = orderOf(rows) as (typeof rows)[number][];
      const keys = (all: readonly Row[]) => [...new Set(all.map(({ to }) => to))];
      expect(keys(order)).toEqual(keys(rows));
      expect(order.filter(({ to }, at) => order[at - 1]?.to !== to)).toHaveLength(keys(rows).length);
      for (const to of keys(rows)) {
        for (let flow = 0; flow < 81; flow++) {
          const ofFlow = order.filter((row) => row.to === to && row.flow === flow).map(({ index }) => index);
          expect(ofFlow).toEqual([...ofFlow].sort((a, b) => a - b));
        }
      }
    }
  });

  it('takes a batch of rows each of another size', () => {
    const rows = Array.from({ length: 1000 }, (_, index) => ({
      to: here,
      flow: index,
      size: 12 + ((index * 7) % 1000),
    }));
    expect(sizes(rows)).toEqual(rows.map(({ size }) => size).sort((a, b) => a - b));
  });

  it('refuses rows that are not right', () => {
    const batch = new TransmitBatch(4);
    appendPacket(batch, NetworkAddress.parse(here)!, controlPacket(1));
    const { rows, headers, pieces, pieceSpans } = batch;
    expect(() => addon.sendOrder(rows, 2, headers, pieces, pieceSpans, 0)).toThrow(RangeError);
  });
});
