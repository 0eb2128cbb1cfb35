// Where the two ends of flows are that look for each other at a service router (§4.4): a table of fixed size, found by
// what only the two ends know together, both flowIDs and both nonces. It forgets; who is forgotten asks again.

import { mixTwo } from '../../table/mix-bits';
import { after, type Instant } from '../../time/instant';
import type { RandomSource } from '../../time/random-source';
import { ADDRESS_INTS, readAddressWords, writeAddressWords } from '../../wire/address-words';
import type { ControlSequence } from '../../wire/control-extension';
import type { FlowID, FlowNonce } from '../../wire/flow-id';
import type { NetworkAddress } from '../../wire/network-address';
import { isBefore } from '../../wire/serial-number';
import { RESYNC_LIFETIME, RESYNC_PLACES, RESYNC_WAYS } from './resync-limits';

/** One end of a flow, as its RSYN names it. */
export interface FlowEnd {
  readonly ownFlowID: FlowID;
  readonly ownNonce: FlowNonce;
  readonly peerFlowID: FlowID;
  readonly peerNonce: FlowNonce;
}

export class MeetingPlaces {
  private readonly keys = new Int32Array(RESYNC_PLACES * KEY_WORDS);
  private readonly addresses = new Int32Array(RESYNC_PLACES * ADDRESS_INTS);
  private readonly numbers = new Uint32Array(RESYNC_PLACES);
  private readonly ends = new Float64Array(RESYNC_PLACES);
  /** Nobody else's knowledge: who could choose a place could push out whom he likes. */
  private readonly salt: number;
  private readonly wanted = new Int32Array(KEY_WORDS);

  constructor(random: RandomSource) {
    this.salt = random.uint32();
  }

  /** The end is at `address`, and says so in its RSYN `number`. False when a later one is known. */
  note(end: FlowEnd, number: ControlSequence, address: NetworkAddress, now: Instant): boolean {
    this.want(end.ownFlowID, end.ownNonce, end.peerFlowID, end.peerNonce);
    const known = this.find(now);
    if (known !== undefined && isBefore(number, this.numbers[known]! as ControlSequence)) return false;
    const place = known ?? this.placeForAnother(now);
    this.keys.set(this.wanted, place * KEY_WORDS);
    writeAddressWords(this.addresses, place * ADDRESS_INTS, address);
    this.numbers[place] = number;
    this.ends[place] = after(now, RESYNC_LIFETIME);
    return true;
  }

  /** Where the other end is; `undefined` when it has not asked lately. */
  peerOf(end: FlowEnd, now: Instant): NetworkAddress | undefined {
    this.want(end.peerFlowID, end.peerNonce, end.ownFlowID, end.ownNonce);
    const place = this.find(now);
    return place === undefined ? undefined : readAddressWords(this.addresses, place * ADDRESS_INTS);
  }

  private want(ownFlowID: FlowID, ownNonce: FlowNonce, peerFlowID: FlowID, peerNonce: FlowNonce): void {
    const { wanted } = this;
    wanted[0] = ownFlowID;
    wanted[1] = ownNonce.high;
    wanted[2] = ownNonce.low;
    wanted[3] = peerFlowID;
    wanted[4] = peerNonce.high;
    wanted[5] = peerNonce.low;
  }

  private find(now: Instant): number | undefined {
    const first = this.firstPlace();
    for (let place = first; place < first + RESYNC_WAYS; place++) {
      if (this.ends[place]! > now && this.isWanted(place)) return place;
    }
    return undefined;
  }

  /** One that nobody needs any more, or else one that chance finds: a flood pushes out no more than it must. */
  private placeForAnother(now: Instant): number {
    const first = this.firstPlace();
    for (let place = first; place < first + RESYNC_WAYS; place++) if (this.ends[place]! <= now) return place;
    return first + (mixTwo(this.hash(), now) & (RESYNC_WAYS - 1));
  }

  private firstPlace(): number {
    return this.hash() & (RESYNC_PLACES - RESYNC_WAYS);
  }

  private hash(): number {
    let mixed = this.salt;
    for (const word of this.wanted) mixed = mixTwo(mixed, word);
    return mixed;
  }

  private isWanted(place: number): boolean {
    let difference = 0;
    for (let word = 0; word < KEY_WORDS; word++) {
      difference |= this.keys[place * KEY_WORDS + word]! ^ this.wanted[word]!;
    }
    return difference === 0;
  }
}

/** Two flowIDs, two nonces. */
const KEY_WORDS = 6;
