// What one flow has sent and not seen acknowledged: a list of records, one a train, split where a SACK or a
// retransmission takes part of it (RFC 2018, RFC 6675). It counts what is in flight; it decides nothing.
// Long because splitting and marking share the counts that must stay right in every step.
//
// Positions are bytes of the stream since the first, as plain numbers that never wrap; the wire's 32 bits end at
// `Subflow`. Several flows of one stream share its positions (§4.4): what others carry is missing in this list.

import { CLOCK_GRANULARITY, SENT_RECORDS_MAXIMUM } from '../../limits';
import type { Instant } from '../../time/instant';
import type { Delivery } from './delivery';
import { NO_RECORD, RecordFlag, type RecordPool } from './record-pool';

const { selected, lost, retransmitted, probe } = RecordFlag;

export class Scoreboard {
  readonly pool: RecordPool;
  /** SND.UNA of the stream, and the end of what this flow sent last, as positions. */
  acknowledged: number;
  next: number;
  /** Bytes reported by SACK above `acknowledged`, and bytes that wait to be sent again. */
  selectedBytes = 0;
  lostBytes = 0;
  /** Highest position known to be with the peer. */
  forward: number;
  private head: number = NO_RECORD;
  private tail: number = NO_RECORD;
  private count = 0;
  /** Of all records. */
  private bytes = 0;
  /** End of the highest retransmission: above it records are in the order they were sent. */
  private retransmittedTo: number;

  /** Everything before `position` was acknowledged. */
  constructor(pool: RecordPool, position = 0) {
    this.pool = pool;
    this.acknowledged = position;
    this.next = position;
    this.forward = position;
    this.retransmittedTo = position;
  }

  /** Bytes that are thought to be in the network (RFC 6675 "pipe"). */
  get inFlight(): number {
    return this.bytes - this.selectedBytes - this.lostBytes;
  }

  get isEmpty(): boolean {
    return this.head === NO_RECORD;
  }

  /** Something was sent here that is not known to be with the peer. */
  get isOutstanding(): boolean {
    return this.bytes > this.selectedBytes;
  }

  get firstRecord(): number {
    return this.head;
  }

  get lastRecord(): number {
    return this.tail;
  }

  /** Behind everything that is known to be with the peer, as far as this flow carried it. */
  get deliveredTo(): number {
    const { pool } = this;
    for (let index = this.head; index !== NO_RECORD; index = pool.next[index]!) {
      if ((pool.flags[index]! & selected) === 0) return pool.start[index]!;
    }
    return Math.max(this.next, this.acknowledged);
  }

  /** Records a train just sent: `length` positions from `start` on, which lies behind all others. */
  append(length: number, start: number, segmentSize: number, flags: number, now: Instant): void {
    this.link(this.tail, this.create(length, start, segmentSize, flags, now));
    this.next = start + length;
  }

  /** Records that `length` positions from `start` on were sent again here, which another flow had carried first. */
  adopt(length: number, start: number, segmentSize: number, now: Instant): void {
    const { pool } = this;
    let before = this.tail;
    while (before !== NO_RECORD && pool.start[before]! > start) before = pool.previous[before]!;
    this.link(before, this.create(length, start, segmentSize, retransmitted, now));
    this.next = Math.max(this.next, start + length);
    this.retransmittedTo = Math.max(this.retransmittedTo, start + length);
  }

  /** How many of `length` positions from `start` on are no record here; none when the first one is. */
  freeLength(start: number, length: number): number {
    const index = this.find(start);
    if (index === NO_RECORD) return length;
    return Math.min(Math.max(this.pool.start[index]! - start, 0), length);
  }

  /** How many of `length` positions from `start` on the record there holds already. */
  heldLength(start: number, length: number): number {
    const index = this.find(start);
    if (index === NO_RECORD || this.pool.start[index]! > start) return 0;
    return Math.min(this.pool.end[index]! - start, length);
  }

  /** The first `length` bytes of a record are another flow's matter now. */
  give(index: number, length: number): void {
    const { pool } = this;
    const end = Math.min(pool.start[index]! + length, pool.end[index]!);
    if (end < pool.end[index]!) this.split(index, end);
    const given = pool.end[index]! - pool.start[index]!;
    if ((pool.flags[index]! & lost) !== 0) this.lostBytes -= given;
    this.bytes -= given;
    this.remove(index);
  }

  /** Whether one more train may be recorded. */
  get hasRoom(): boolean {
    return this.count < SENT_RECORDS_MAXIMUM;
  }

  /** The peer has everything before `to`. */
  acknowledge(to: number, delivery: Delivery): void {
    const pool = this.pool;
    while (this.head !== NO_RECORD && pool.start[this.head]! < to) {
      const index = this.head;
      const end = Math.min(pool.end[index]!, to);
      this.deliver(index, pool.start[index]!, end, delivery, true);
      if ((pool.flags[index]! & selected) !== 0) this.selectedBytes -= end - pool.start[index]!;
      this.bytes -= end - pool.start[index]!;
      if (end === pool.end[index]) this.remove(index);
      else pool.start[index] = end;
    }
    if (to > this.acknowledged) this.acknowledged = to;
    if (to > this.forward) this.forward = to;
  }

  /** The peer reports [start, end) by SACK. */
  select(start: number, end: number, delivery: Delivery): void {
    const pool = this.pool;
    let index = this.find(start);
    while (index !== NO_RECORD && pool.start[index]! < end) {
      if ((pool.flags[index]! & selected) === 0) {
        const part = this.isolate(index, Math.max(start, pool.start[index]!), Math.min(end, pool.end[index]!));
        if (part !== NO_RECORD) index = this.markSelected(part, delivery);
      }
      index = pool.next[index]!;
    }
  }

  /** To be called when all blocks of one acknowledgment were taken: reordering is judged against the one before. */
  raiseForward(to: number): void {
    if (to > this.forward) this.forward = to;
  }

  /**
   * RACK (RFC 8985 6.2 step 5): what left before the newest delivered transmission and is older than
   * `patience` is lost. Returns the longest wait of those that may yet become so, 0 when there are none.
   */
  markOlder(sentAt: number, end: number, patience: number, now: Instant, delivery: Delivery): number {
    // Without a hole and without a retransmission everything left was sent after what was delivered.
    if (this.selectedBytes === 0 && this.acknowledged >= this.retransmittedTo) return 0;
    const pool = this.pool;
    let wait = 0;
    for (let index = this.head; index !== NO_RECORD; index = pool.next[index]!) {
      if ((pool.flags[index]! & (selected | lost)) !== 0) continue;
      const at = pool.sentAt[index]!;
      if (at > sentAt || (at === sentAt && pool.end[index]! > end)) continue;
      const remaining = at + patience - now;
      if (remaining <= CLOCK_GRANULARITY) this.markLost(index, delivery);
      else if (remaining > wait) wait = remaining;
    }
    return wait;
  }

  /** The first `length` bytes count as lost, whatever else is known: a peer without SACK reported a gap. */
  markFirst(length: number, delivery: Delivery): void {
    const index = this.head;
    if (index === NO_RECORD || (this.pool.flags[index]! & (selected | lost)) !== 0) return;
    const start = this.pool.start[index]!;
    const part = this.isolate(index, start, Math.min(start + length, this.pool.end[index]!));
    this.markLost(part === NO_RECORD ? index : part, delivery);
  }

  /** Everything the peer has not reported counts as lost. */
  markAll(delivery: Delivery): void {
    for (let index = this.head; index !== NO_RECORD; index = this.pool.next[index]!) {
      if ((this.pool.flags[index]! & (selected | lost)) === 0) this.markLost(index, delivery);
    }
  }

  /** What left in segments larger than `segmentSize` counts as lost: the path does not carry them. */
  markLarger(segmentSize: number, delivery: Delivery): void {
    const pool = this.pool;
    for (let index = this.head; index !== NO_RECORD; index = pool.next[index]!) {
      if (pool.segmentSize[index]! > segmentSize && (pool.flags[index]! & (selected | lost)) === 0) {
        this.markLost(index, delivery);
      }
    }
  }

  /** The peer discarded what it had reported (RFC 2018 8), or may have: SACKs so far count for nothing. */
  forgetSelections(): void {
    for (let index = this.head; index !== NO_RECORD; index = this.pool.next[index]!) {
      this.pool.flags[index]! &= ~selected;
    }
    this.selectedBytes = 0;
  }

  /** What counted as lost and was not sent again is under way after all. */
  forgetLosses(): void {
    for (let index = this.head; index !== NO_RECORD; index = this.pool.next[index]!) this.pool.flags[index]! &= ~lost;
    this.lostBytes = 0;
  }

  /** Nothing sent so far gives a round-trip sample or a sign of reordering: the path changed (§4.4). */
  forgetTimes(): void {
    for (let index = this.head; index !== NO_RECORD; index = this.pool.next[index]!) {
      this.pool.flags[index]! |= retransmitted;
    }
    this.retransmittedTo = this.next;
  }

  /** Whether what comes next in order was reported by SACK, which no honest acknowledgment leaves so. */
  get isReneged(): boolean {
    const { head, pool } = this;
    return head !== NO_RECORD && (pool.flags[head]! & selected) !== 0 && pool.start[head] === this.acknowledged;
  }

  /** The lowest lost record from `from` on (or from the first), with neighbours of the same fate joined to it. */
  findLost(from: number, limit: number): number {
    const pool = this.pool;
    let index = from === NO_RECORD ? this.head : from;
    while (index !== NO_RECORD && (pool.flags[index]! & lost) === 0) index = pool.next[index]!;
    if (index === NO_RECORD) return NO_RECORD;
    for (let following = pool.next[index]!; following !== NO_RECORD; following = pool.next[index]!) {
      if (pool.flags[following] !== pool.flags[index] || pool.start[following] !== pool.end[index]) break;
      if (pool.end[following]! - pool.start[index]! > limit) break;
      this.absorb(index);
    }
    return index;
  }

  /** The first `length` bytes of record `index` were sent again now. Returns what may be left of it. */
  resend(index: number, length: number, segmentSize: number, now: Instant): number {
    const pool = this.pool;
    const end = Math.min(pool.start[index]! + length, pool.end[index]!);
    if (end < pool.end[index]!) this.split(index, end);
    if ((pool.flags[index]! & lost) !== 0) this.lostBytes -= end - pool.start[index]!;
    pool.flags[index] = (pool.flags[index]! & ~(lost | probe)) | retransmitted;
    pool.sentAt[index] = now;
    pool.segmentSize[index] = segmentSize;
    if (end > this.retransmittedTo) this.retransmittedTo = end;
    return pool.next[index]!;
  }

  /** Cuts the last `length` bytes of the last record off, so that they can be sent again alone. */
  isolateLast(length: number): number {
    const index = this.tail;
    if (index === NO_RECORD) return NO_RECORD;
    const at = this.pool.end[index]! - length;
    if (at > this.pool.start[index]!) this.split(index, at);
    return this.tail;
  }

  /** Gives all that is lost to the scoreboard of another flow, where it is lost as well, unless that has it already. */
  moveLost(to: Scoreboard): void {
    const { pool } = this;
    for (let index = this.head; index !== NO_RECORD; index = pool.next[index]!) {
      if ((pool.flags[index]! & lost) !== 0) to.inherit(pool.start[index]!, pool.end[index]!, pool.segmentSize[index]!);
    }
  }

  private inherit(start: number, end: number, segmentSize: number): void {
    for (let at = start; at < end; ) {
      const held = this.heldLength(at, end - at);
      if (held === 0) {
        const length = this.freeLength(at, end - at);
        this.adopt(length, at, segmentSize, LONG_AGO);
        this.pool.flags[this.find(at)]! |= lost;
        this.lostBytes += length;
        at += length;
      } else at += held;
    }
  }

  clear(): void {
    while (this.head !== NO_RECORD) this.remove(this.head);
    this.bytes = 0;
    this.selectedBytes = 0;
    this.lostBytes = 0;
  }

  /** Returns the record that `index` is part of afterwards: neighbours that are selected too are joined. */
  private markSelected(index: number, delivery: Delivery): number {
    const pool = this.pool;
    this.deliver(index, pool.start[index]!, pool.end[index]!, delivery, false);
    pool.flags[index] = (pool.flags[index]! & ~lost) | selected;
    this.selectedBytes += pool.end[index]! - pool.start[index]!;
    const following = pool.next[index]!;
    if (this.isSelectedBehind(index, following)) this.absorb(index);
    const before = pool.previous[index]!;
    if (!this.isSelectedBehind(before, index)) return index;
    this.absorb(before);
    return before;
  }

  /** Whether `first` and `second` follow each other without a gap, and the peer has reported both. */
  private isSelectedBehind(first: number, second: number): boolean {
    const { pool } = this;
    if (first === NO_RECORD || second === NO_RECORD || pool.start[second] !== pool.end[first]) return false;
    return (pool.flags[first]! & pool.flags[second]! & selected) !== 0;
  }

  private markLost(index: number, delivery: Delivery): void {
    const pool = this.pool;
    const length = pool.end[index]! - pool.start[index]!;
    this.lostBytes += length;
    if ((pool.flags[index]! & probe) !== 0) delivery.probeLost = true;
    else delivery.lostBytes += length;
    pool.flags[index]! |= lost;
  }

  /** Notes what the arrival of [start, end) of a record tells. */
  private deliver(index: number, start: number, end: number, delivery: Delivery, cumulative: boolean): void {
    const pool = this.pool;
    const flags = pool.flags[index]!;
    if ((flags & selected) !== 0) return;
    const length = end - start;
    delivery.bytes += length;
    if (cumulative) delivery.acknowledgedBytes += length;
    if ((flags & lost) !== 0) this.lostBytes -= length;
    const again = (flags & retransmitted) !== 0;
    if (again) delivery.anyRetransmitted = true;
    else {
      if (end < this.forward) delivery.reordered = true;
      if ((flags & lost) !== 0) delivery.revivedBytes += length;
      if (pool.sentAt[index]! > delivery.sampleSentAt) delivery.sampleSentAt = pool.sentAt[index]!;
      if ((flags & probe) !== 0 && end === pool.end[index]) delivery.probeSize = pool.segmentSize[index]!;
    }
    const at = pool.sentAt[index]!;
    if (at > delivery.newestSentAt || (at === delivery.newestSentAt && end > delivery.newestEnd)) {
      delivery.newestSentAt = at;
      delivery.newestEnd = end;
      delivery.newestRetransmitted = again;
    }
  }

  /** Cuts records so that one is exactly [start, end) of `index`; none when there is no room for that. */
  private isolate(index: number, start: number, end: number): number {
    let part = index;
    if (start > this.pool.start[part]!) {
      if (!this.hasRoom) return NO_RECORD;
      part = this.split(part, start);
    }
    if (end < this.pool.end[part]!) {
      if (!this.hasRoom) return NO_RECORD;
      this.split(part, end);
    }
    return part;
  }

  private create(length: number, start: number, segmentSize: number, flags: number, now: Instant): number {
    const index = this.pool.allocate();
    const { pool } = this;
    pool.start[index] = start;
    pool.end[index] = start + length;
    pool.sentAt[index] = now;
    pool.segmentSize[index] = segmentSize;
    pool.flags[index] = flags;
    this.bytes += length;
    return index;
  }

  /** Puts record `index` behind `before`, or first. */
  private link(before: number, index: number): void {
    const { pool } = this;
    const following = before === NO_RECORD ? this.head : pool.next[before]!;
    pool.next[index] = following;
    pool.previous[index] = before;
    if (before === NO_RECORD) this.head = index;
    else pool.next[before] = index;
    if (following === NO_RECORD) this.tail = index;
    else pool.previous[following] = index;
    this.count++;
  }

  /** Cuts record `index` at position `at` and returns the later part. */
  private split(index: number, at: number): number {
    const part = this.pool.allocate();
    const pool = this.pool;
    pool.start[part] = at;
    pool.end[part] = pool.end[index]!;
    pool.sentAt[part] = pool.sentAt[index]!;
    pool.segmentSize[part] = pool.segmentSize[index]!;
    pool.flags[part] = pool.flags[index]!;
    pool.end[index] = at;
    this.link(index, part);
    return part;
  }

  /** Joins the record after `index` to it. */
  private absorb(index: number): void {
    const following = this.pool.next[index]!;
    this.pool.end[index] = this.pool.end[following]!;
    this.remove(following);
  }

  private remove(index: number): void {
    const pool = this.pool;
    const before = pool.previous[index]!;
    const following = pool.next[index]!;
    if (before === NO_RECORD) this.head = following;
    else pool.next[before] = following;
    if (following === NO_RECORD) this.tail = before;
    else pool.previous[following] = before;
    pool.free(index);
    this.count--;
  }

  /** The record that holds `position`, or the first after it. */
  private find(position: number): number {
    const pool = this.pool;
    if (this.next - position < position - this.acknowledged) {
      let index = this.tail;
      while (index !== NO_RECORD && pool.start[index]! > position) index = pool.previous[index]!;
      if (index === NO_RECORD) return this.head;
      return pool.end[index]! <= position ? pool.next[index]! : index;
    }
    let index = this.head;
    while (index !== NO_RECORD && pool.end[index]! <= position) index = pool.next[index]!;
    return index;
  }
}

const LONG_AGO = 0 as Instant;
