import { describe, expect, it } from 'vitest';
import { FlowTable } from '../../lib/table/flow-table';
import type { RandomSource } from '../../lib/time/random-source';
import { SeededRandom } from '../../lib/time/seeded-random';
import { FLOW_ID_UNKNOWN, type FlowID, FlowTag, flowID } from '../../lib/wire/flow-id';

function drawing(...words: number[]): RandomSource {
  return {
    uint32: () => {
      const word = words.shift();
      if (word === undefined) throw new Error('drew too often');
      return word;
    },
    fraction: () => 0,
  };
}

describe('FlowTable', () => {
  it('gives random flowIDs: never 0, never one in use', () => {
    const table = new FlowTable<string>();
    expect(table.allocate(drawing(0, 0xfffffff0), 'first')).toBe(0xfffffff0);
    expect(table.allocate(drawing(0xfffffff0, 0, 7), 'second')).toBe(7);
    expect(table.get(flowID(0xfffffff0))).toBe('first');
    expect(table.get(flowID(7))).toBe('second');
    expect(table.size).toBe(2);
  });

  it('knows no flow with flowID 0, or one that was never given', () => {
    const table = new FlowTable<string>();
    table.allocate(drawing(64), 'at the place of 0');
    expect(table.get(FLOW_ID_UNKNOWN)).toBeUndefined();
    expect(table.get(flowID(128))).toBeUndefined();
    expect(table.release(FLOW_ID_UNKNOWN)).toBe(false);
    expect(table.release(flowID(128))).toBe(false);
    expect(table.size).toBe(1);
  });

  it('gives flowIDs that begin with its tag, and are otherwise as they were drawn', () => {
    const table = new FlowTable<string>(10, FlowTag.of(0xa5ffffff));
    expect(table.allocate(drawing(0x12345678), 'first')).toBe(0xa5345678);
    expect(table.allocate(drawing(0x99345678, 0), 'second')).toBe(0xa5000000);
    expect(new FlowTable<string>(10, FlowTag.of(0)).allocate(drawing(0xff000000, 0xff000001), 'third')).toBe(1);
  });

  it('is full at its limit, until one is released', () => {
    const random = SeededRandom.of(1);
    const table = new FlowTable<number>(3);
    const [first] = [1, 2, 3].map((flow) => table.allocate(random, flow));
    expect(table.allocate(random, 4)).toBeUndefined();
    expect(table.release(first!)).toBe(true);
    expect(table.release(first!)).toBe(false);
    expect(table.allocate(random, 4)).toBeDefined();
    expect([...table.values()].sort()).toEqual([2, 3, 4]);
  });

  it.each([0xffffffff, 0x0000003f, 0xf000000f])('agrees with a Map when flowIDs crowd (mask %d)', (mask) => {
    const random = SeededRandom.of(mask);
    const crowded: RandomSource = { uint32: () => (random.uint32() & mask) >>> 0, fraction: () => 0 };
    const table = new FlowTable<number>(40);
    const model = new Map<FlowID, number>();
    for (let step = 0; step < 4000; step++) {
      if (random.uint32() % 2 === 0) {
        const id = table.allocate(crowded, step);
        expect(id === undefined).toBe(model.size === 40);
        if (id !== undefined) expect(model.has(id)).toBe(false);
        if (id !== undefined) model.set(id, step);
      } else {
        const id = flowID(crowded.uint32());
        const [known] = random.uint32() % 2 === 0 ? [id] : model.keys();
        expect(table.release(known ?? id)).toBe(model.delete(known ?? id));
      }
      const probe = flowID(crowded.uint32());
      if (table.get(probe) !== model.get(probe) || table.size !== model.size)
        throw new Error(`differs at step ${step}`);
    }
    for (const [id, flow] of model) expect(table.get(id)).toBe(flow);
  });

  it('grows', () => {
    const random = SeededRandom.of(4);
    const table = new FlowTable<number>();
    const ids = Array.from({ length: 5000 }, (_, flow) => table.allocate(random, flow)!);
    expect(new Set(ids).size).toBe(5000);
    expect(ids.every((id, flow) => table.get(id) === flow)).toBe(true);
    expect([...table.values()].length).toBe(5000);
  });
});
