// Flows that have ended and rest (TIME-WAIT): their flowIDs are not given to others, and a peer whose last packet was
// not answered is answered again. Each is one row of integers, not an object: a server that ends its connections has
// ten seconds of them, and what lives that long costs the garbage collector more than the connection itself.

import { TIME_WAIT, TIME_WAIT_GRAIN, TIME_WAIT_MAXIMUM } from '../limits';
import { FlowTable } from '../table/flow-table';
import { type Instant, NEVER } from '../time/instant';
import { ADDRESS_INTS, readAddressWords, writeAddressWords } from '../wire/address-words';
import { type ControlSequence, controlSequence } from '../wire/control-extension';
import { type FlowID, FlowNonce, flowID } from '../wire/flow-id';
import type { Flow } from './flow';
import { Path } from './path';

/** What is still known of an ended flow. */
export interface EndedFlow {
  readonly localFlowID: FlowID;
  readonly remoteFlowID: FlowID;
  readonly localNonce: FlowNonce;
  readonly remoteNonce: FlowNonce;
  readonly sendNext: ControlSequence;
  readonly receiveNext: ControlSequence;
  readonly path: Path;
  readonly protocol: 6 | 17;
}

export class TimeWait {
  /** Rows by turn: row `turn % capacity` is that of the flow which ended as number `turn`. */
  private rows = new Int32Array(CAPACITY_INITIAL * ROW_INTS);
  private expiries = new Float64Array(CAPACITY_INITIAL);
  private readonly turns = new FlowTable<number>();
  /** The oldest turn that is kept, and the next one. */
  private first = 0;
  private next = 0;

  get size(): number {
    return this.turns.size;
  }

  has(id: FlowID): boolean {
    return this.turns.get(id) !== undefined;
  }

  /** Takes over from the flow table. False when the oldest one had to go for it. */
  add(flow: Flow, now: Instant): boolean {
    const isFull = this.next - this.first === TIME_WAIT_MAXIMUM;
    if (isFull) this.dropFirst();
    else if (this.next - this.first === this.capacity) this.grow();
    const place = this.next % this.capacity;
    this.expiries[place] = now + TIME_WAIT;
    this.write(place * ROW_INTS, flow);
    this.turns.store(flow.localFlowID, this.next++);
    return !isFull;
  }

  recall(id: FlowID): EndedFlow | undefined {
    const turn = this.turns.get(id);
    return turn === undefined ? undefined : this.read((turn % this.capacity) * ROW_INTS);
  }

  /** The flowID may be given to another flow from now on. */
  forget(id: FlowID): void {
    this.turns.release(id);
  }

  /** All rest equally long, so the oldest is the next to go; many go together, for the timer has a price too. */
  nextDeadline(): Instant {
    if (this.first === this.next) return NEVER;
    return (this.expiries[this.first % this.capacity]! + TIME_WAIT_GRAIN) as Instant;
  }

  handleDeadline(now: Instant): void {
    while (this.first < this.next && this.expiries[this.first % this.capacity]! <= now) this.dropFirst();
  }

  private get capacity(): number {
    return this.expiries.length;
  }

  private dropFirst(): void {
    const id = flowID(this.rows[(this.first % this.capacity) * ROW_INTS + Field.localFlowID]!);
    // One that was forgotten before may have given its flowID to another already.
    if (this.turns.get(id) === this.first) this.turns.release(id);
    this.first++;
  }

  private write(at: number, flow: Flow): void {
    const { rows } = this;
    const { control, localNonce, remoteNonce } = flow;
    const path = flow.path!;
    rows[at + Field.localFlowID] = flow.localFlowID;
    rows[at + Field.remoteFlowID] = flow.remoteFlowID;
    rows[at + Field.localNonce] = localNonce.high;
    rows[at + Field.localNonce + 1] = localNonce.low;
    rows[at + Field.remoteNonce] = remoteNonce.high;
    rows[at + Field.remoteNonce + 1] = remoteNonce.low;
    rows[at + Field.sendNext] = control.sendNext;
    rows[at + Field.receiveNext] = control.receiveNext;
    rows[at + Field.link] = path.link;
    rows[at + Field.protocol] = flow.protocol;
    writeAddressWords(rows, at + Field.remote, path.remote);
    if (path.local === undefined) rows.fill(0, at + Field.local, at + Field.local + ADDRESS_INTS);
    else writeAddressWords(rows, at + Field.local, path.local);
  }

  private read(at: number): EndedFlow {
    const { rows } = this;
    const nonce = (field: number): FlowNonce => FlowNonce.of(rows[at + field]!, rows[at + field + 1]!);
    const local = rows[at + Field.local] === 0 ? undefined : readAddressWords(rows, at + Field.local);
    return {
      localFlowID: flowID(rows[at + Field.localFlowID]!),
      remoteFlowID: flowID(rows[at + Field.remoteFlowID]!),
      localNonce: nonce(Field.localNonce),
      remoteNonce: nonce(Field.remoteNonce),
      sendNext: controlSequence(rows[at + Field.sendNext]!),
      receiveNext: controlSequence(rows[at + Field.receiveNext]!),
      path: new Path(rows[at + Field.link]!, local, readAddressWords(rows, at + Field.remote)),
      protocol: rows[at + Field.protocol] === 17 ? 17 : 6,
    };
  }

  private grow(): void {
    const { rows, expiries, capacity } = this;
    this.rows = new Int32Array(rows.length * 2);
    this.expiries = new Float64Array(expiries.length * 2);
    for (let turn = this.first; turn < this.next; turn++) {
      const from = turn % capacity;
      const to = turn % this.capacity;
      this.expiries[to] = expiries[from]!;
      this.rows.set(rows.subarray(from * ROW_INTS, (from + 1) * ROW_INTS), to * ROW_INTS);
    }
  }
}

const Field = {
  localFlowID: 0,
  remoteFlowID: 1,
  localNonce: 2,
  remoteNonce: 4,
  sendNext: 6,
  receiveNext: 7,
  link: 8,
  protocol: 9,
  remote: 10,
  local: 10 + ADDRESS_INTS,
} as const;

const ROW_INTS = 10 + 2 * ADDRESS_INTS;
/** A power of two, and so is the maximum: rows never have to be moved but to grow. */
const CAPACITY_INITIAL = 64;
