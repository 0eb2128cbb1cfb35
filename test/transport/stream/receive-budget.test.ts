import { describe, expect, it } from 'vitest';
import { RECEIVE_BULK_BYTES, RECEIVE_MEMORY_MAXIMUM, RECEIVE_SHARE_MINIMUM } from '../../../lib/limits';
import type { Instant } from '../../../lib/time/instant';
import { ReceiveBudget } from '../../../lib/transport/stream/receive-budget';
import { WirePeer } from '../wire-peer';

const QUEUE = 1_000_000;
const SHIFT = 7;

function budgetOf(queue: number): ReceiveBudget {
  const budget = new ReceiveBudget();
  budget.queue = queue;
  return budget;
}

function receiver(receiveBudget: ReceiveBudget, receiveBuffer: number | undefined = 512 * 1024): WirePeer {
  const negotiation = { localWindowShift: SHIFT, localWindow: 60_000 };
  return new WirePeer({ stream: { receiveBudget, receiveBuffer }, negotiation });
}

/** Sends 10,000 bytes, which are read at once. Returns what the receiver then says it has room for. */
function fill(peer: WirePeer, bytes = 10_000): number {
  peer.inject({ data: bytes, segments: 10 });
  peer.readAll();
  return peer.take().at(-1)!.window << SHIFT;
}

/** Sends as much as there is room for, which is read at once. Returns what there is room for then. */
function fillAll(peer: WirePeer, window: number): number {
  for (let left = window; left > 0; left -= 10_000) peer.inject({ data: Math.min(left, 10_000), segments: 10 });
  peer.readAll();
  return peer.take().at(-1)!.window << SHIFT;
}

describe('the queue that streams share', () => {
  it("is all one stream's, as far as its buffer goes", () => {
    const peer = receiver(budgetOf(QUEUE));
    let window = 0;
    for (let round = 0; round < 20; round++) window = fill(peer);
    expect(window).toBeGreaterThan(500_000);
  });

  it('is divided among those that receive much at a time, down to a minimum', () => {
    for (const count of [4, 20]) {
      const budget = budgetOf(400_000);
      const peers = Array.from({ length: count }, () => receiver(budget, 128 * 1024));
      const windows = peers.map(() => 60_000);
      // All that there is room for comes at once, twice a millisecond: the path itself holds nothing.
      for (let round = 0; round < 60; round++) {
        for (const [index, peer] of peers.entries()) {
          windows[index] = fillAll(peer, windows[index]!);
          if (round % 2 === 1) peer.advance(1);
        }
      }
      const share = Math.max(400_000 / count, RECEIVE_SHARE_MINIMUM);
      for (const window of windows) {
        expect(window).toBeLessThanOrEqual(share);
        expect(window).toBeGreaterThan(share * 0.9);
      }
    }
  });

  it('is not divided with those that receive little', () => {
    const budget = budgetOf(QUEUE);
    const [bulk, ...others] = Array.from({ length: 50 }, () => receiver(budget));
    let window = 0;
    for (let round = 0; round < 100; round++) {
      window = fill(bulk!);
      for (const other of others) fill(other, RECEIVE_BULK_BYTES / 64);
      for (const peer of [bulk!, ...others]) peer.advance(2);
    }
    expect(window).toBeGreaterThan(500_000);
  });

  it('is no bound on a path that holds more by itself', () => {
    const budget = budgetOf(QUEUE / 10);
    const peer = receiver(budget, undefined);
    let window = 60_000;
    // A window in each round trip of 50 ms, as much as there is room for.
    for (let round = 0; round < 20; round++) {
      for (let sent = 0; sent + 10_000 <= window; sent += 10_000) peer.inject({ data: 10_000, segments: 10 });
      peer.advance(50);
      peer.readAll();
      window = peer.take().at(-1)!.window << SHIFT;
    }
    expect(window).toBeGreaterThan(4 * budget.share);
  });

  it('a slice of time without traffic forgets who received', () => {
    const budget = budgetOf(QUEUE);
    budget.sliceAt(0 as Instant);
    for (let count = 0; count < 10; count++) budget.countBulk();
    expect(budget.share).toBe(QUEUE / 10);
    budget.sliceAt(60 as Instant);
    expect(budget.share).toBe(QUEUE / 10);
    budget.sliceAt(1000 as Instant);
    expect(budget.share).toBe(QUEUE);
  });
});

describe('the memory of all that waits for readers', () => {
  it('is counted, and given back by reading and by the end', () => {
    const budget = budgetOf(QUEUE);
    const [first, second] = [receiver(budget), receiver(budget)];
    first.inject({ data: 10_000, segments: 10 });
    // Behind a gap.
    second.inject({ seq: 5000, data: 3000, segments: 3 });
    expect(budget.held).toBe(13_000);
    first.readAll();
    expect(budget.held).toBe(3000);
    second.do((transport) => transport.release());
    expect(budget.held).toBe(0);
  });

  it('is bounded: no window opens, and a stream whose reader does not keep up gets nothing more', () => {
    const budget = budgetOf(QUEUE);
    const [slow, prompt] = [receiver(budget), receiver(budget)];
    slow.inject({ data: 10_000, segments: 10 });
    const before = slow.take().at(-1)!;
    // Other streams hold all there is.
    budget.held += RECEIVE_MEMORY_MAXIMUM;
    slow.inject({ data: 10_000, segments: 10 });
    expect(slow.take().at(-1)).toMatchObject({ ack: before.ack, window: before.window });
    expect(slow.transport.statistics.droppedBytes).toBe(10_000);
    for (let sent = 0; sent < 60_000; sent += 10_000) fill(prompt);
    expect(prompt.transport.statistics).toMatchObject({ bytesReceived: 60_000, droppedBytes: 0 });
    expect(fill(prompt)).toBe(0);
    // Some of it was read: all goes on.
    budget.held -= RECEIVE_MEMORY_MAXIMUM;
    expect(fill(prompt)).toBeGreaterThan(60_000);
    slow.readAll();
    slow.inject({ seq: 10_000, data: 10_000, segments: 10 });
    expect(slow.readAll().length).toBe(10_000);
  });
});
