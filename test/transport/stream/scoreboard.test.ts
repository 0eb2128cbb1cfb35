import { describe, expect, it } from 'vitest';
import type { Instant } from '../../../lib/time/instant';
import { SeededRandom } from '../../../lib/time/seeded-random';
import { Delivery } from '../../../lib/transport/stream/delivery';
import { NO_RECORD, RecordPool } from '../../../lib/transport/stream/record-pool';
import { Scoreboard } from '../../../lib/transport/stream/scoreboard';

const at = (time: number): Instant => time as Instant;

/** One entry a byte: what the scoreboard should know, without any cleverness. */
interface Byte {
  selected: boolean;
  lost: boolean;
  again: boolean;
  sentAt: number;
}

describe('Scoreboard', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('agrees with a list of bytes over random histories, seed %i', (seed) => {
    const random = SeededRandom.of(seed);
    const below = (bound: number): number => Math.floor(random.fraction() * bound);
    const pool = new RecordPool();
    const scoreboard = new Scoreboard(pool);
    const delivery = new Delivery();
    const bytes: Byte[] = [];
    let acknowledged = 0;
    for (let now = 1; now < 600; now++) {
      delivery.clear();
      let delivered = 0;
      const deliver = (index: number): void => {
        if (!bytes[index]!.selected) delivered++;
      };
      const action = below(10);
      if (action < 4 && bytes.length - acknowledged < 300) {
        const length = 1 + below(60);
        scoreboard.append(length, bytes.length, 10, 0, at(now));
        for (let count = 0; count < length; count++)
          bytes.push({ selected: false, lost: false, again: false, sentAt: now });
      } else if (action < 6) {
        const to = acknowledged + below(Math.min(40, bytes.length - acknowledged + 1));
        for (let index = acknowledged; index < to; index++) deliver(index);
        scoreboard.acknowledge(to, delivery);
        acknowledged = to;
      } else if (action < 8 && bytes.length > acknowledged) {
        const start = acknowledged + below(bytes.length - acknowledged);
        const end = Math.min(bytes.length, start + 1 + below(40));
        for (let index = start; index < end; index++) {
          deliver(index);
          bytes[index] = { ...bytes[index]!, selected: true, lost: false };
        }
        scoreboard.select(start, end, delivery);
      } else if (action === 8) {
        const patience = below(30);
        // The newest transmission that counts as delivered is the one of now: everything is older.
        scoreboard.markOlder(now, Number.POSITIVE_INFINITY, patience, at(now), delivery);
        const looks = bytes.some((byte, index) => index >= acknowledged && (byte.selected || byte.again));
        for (let index = acknowledged; index < bytes.length && looks; index++) {
          const byte = bytes[index]!;
          if (!byte.selected && byte.sentAt + patience <= now) byte.lost = true;
        }
      } else {
        const record = scoreboard.findLost(NO_RECORD, 50);
        if (record !== NO_RECORD) {
          const start = pool.start[record]!;
          const length = Math.min(1 + below(50), pool.end[record]! - start);
          expect(start).toBe(bytes.findIndex((byte, index) => index >= acknowledged && byte.lost));
          scoreboard.resend(record, length, 10, at(now));
          for (let index = start; index < start + length; index++) {
            bytes[index] = { ...bytes[index]!, lost: false, again: true, sentAt: now };
          }
        }
      }
      const outstanding = bytes.slice(acknowledged);
      const state = {
        delivered: delivery.bytes,
        selected: scoreboard.selectedBytes,
        lost: scoreboard.lostBytes,
        inFlight: scoreboard.inFlight,
      };
      const lost = outstanding.filter((byte) => byte.lost).length;
      const selected = outstanding.filter((byte) => byte.selected).length;
      expect(state).toEqual({ delivered, selected, lost, inFlight: outstanding.length - lost - selected });
    }
    scoreboard.clear();
    expect(pool.used).toBe(0);
  });

  it('joins neighbours that were reported: a window full of gaps costs no more than its gaps', () => {
    const pool = new RecordPool();
    const scoreboard = new Scoreboard(pool);
    const delivery = new Delivery();
    for (let train = 0; train < 10; train++) scoreboard.append(64_000, train * 64_000, 1000, 0, at(train));
    for (let segment = 1; segment < 640; segment++) {
      if (segment % 64 !== 0) scoreboard.select(segment * 1000, segment * 1000 + 1000, delivery);
    }
    expect(pool.used).toBe(20);
  });
});
