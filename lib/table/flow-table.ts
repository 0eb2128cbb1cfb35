// The flow table (§4.2): from the local flowID in a packet to its flow. Open addressing in two arrays instead of a
// Map: flowIDs use all 32 bits, and numbers beyond 31 bits are objects to a Map (figures: docs/performance.md).

import { FLOWS_MAXIMUM } from '../limits';
import type { RandomSource } from '../time/random-source';
import { FLOW_ID_UNKNOWN, type FlowID, type FlowTag, flowID } from '../wire/flow-id';

const CAPACITY_INITIAL = 64;

export class FlowTable<Flow> {
  /** FlowIDs as signed integers; FLOW_ID_UNKNOWN where nothing is stored. A power of two, at most half full. */
  private ids = new Int32Array(CAPACITY_INITIAL);
  private flows: (Flow | undefined)[] = new Array(CAPACITY_INITIAL).fill(undefined);
  private count = 0;

  /** `tag`: what every flowID that is allocated here begins with. */
  constructor(
    private readonly limit: number = FLOWS_MAXIMUM,
    private readonly tag?: FlowTag,
  ) {}

  get size(): number {
    return this.count;
  }

  get(id: FlowID): Flow | undefined {
    return this.flows[this.placeOf(id | 0)];
  }

  *values(): Generator<Flow> {
    for (const flow of this.flows) if (flow !== undefined) yield flow;
  }

  /**
   * Stores the flow under a random flowID that no other has, and that `isReserved` does not claim. `undefined` when
   * the table is full.
   */
  allocate(random: RandomSource, flow: Flow, isReserved: (id: FlowID) => boolean = NONE): FlowID | undefined {
    if (this.count >= this.limit) return undefined;
    for (;;) {
      const drawn = flowID(random.uint32());
      const id = this.tag === undefined ? drawn : this.tag.mark(drawn);
      if (id === FLOW_ID_UNKNOWN || this.get(id) !== undefined || isReserved(id)) continue;
      this.store(id, flow);
      return id;
    }
  }

  /** Stores the flow under a flowID that was allocated elsewhere, and is not in this table. */
  store(id: FlowID, flow: Flow): void {
    if (this.count * 2 >= this.ids.length) this.grow();
    const place = this.placeOf(id | 0);
    this.ids[place] = id | 0;
    this.flows[place] = flow;
    this.count++;
  }

  /** Forgets the flow; its flowID may be given to another one. Whether there was one. */
  release(id: FlowID): boolean {
    const place = this.placeOf(id | 0);
    if (this.ids[place] === FLOW_ID_UNKNOWN) return false;
    this.count--;
    this.closeGap(place);
    return true;
  }

  /** Where the flowID stands, or the empty place where it would. */
  private placeOf(id: number): number {
    const mask = this.ids.length - 1;
    let place = this.home(id);
    while (this.ids[place] !== id && this.ids[place] !== FLOW_ID_UNKNOWN) place = (place + 1) & mask;
    return place;
  }

  /** We drew the stored flowIDs at random ourselves: their low bits are as good as any hash. */
  private home(id: number): number {
    return id & (this.ids.length - 1);
  }

  /** Moves followers back, so that no search meets an empty place before its end. */
  private closeGap(released: number): void {
    const mask = this.ids.length - 1;
    let gap = released;
    for (let place = (gap + 1) & mask; this.ids[place] !== FLOW_ID_UNKNOWN; place = (place + 1) & mask) {
      const fromHome = (place - this.home(this.ids[place]!)) & mask;
      if (fromHome < ((place - gap) & mask)) continue;
      this.ids[gap] = this.ids[place]!;
      this.flows[gap] = this.flows[place];
      gap = place;
    }
    this.ids[gap] = FLOW_ID_UNKNOWN;
    this.flows[gap] = undefined;
  }

  private grow(): void {
    const { ids, flows } = this;
    this.ids = new Int32Array(ids.length * 2);
    this.flows = new Array(ids.length * 2).fill(undefined);
    for (let index = 0; index < ids.length; index++) {
      const id = ids[index]!;
      if (id === FLOW_ID_UNKNOWN) continue;
      const place = this.placeOf(id);
      this.ids[place] = id;
      this.flows[place] = flows[index];
    }
  }
}

const NONE = (): boolean => false;
