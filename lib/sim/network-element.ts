// One property of one direction of a path: a delay, a loss, a rate ... An element is a description that may
// be used in many places; `attach` makes what it remembers about one of them. Settings that are public
// fields may be changed while the simulation runs.

import type { RandomSource } from '../time/random-source';
import type { SimulatedClock } from './clock';
import type { SimulatedPacket } from './simulated-packet';

export type PacketSink = (packet: SimulatedPacket) => void;

export interface NetworkElement {
  /** Puts the element before `site.next`; what is given to the returned sink goes through it. */
  attach(site: ElementSite): PacketSink;
}

/** Where an element stands, and all it may use. */
export interface ElementSite {
  readonly clock: SimulatedClock;
  /** Chance of this place alone. */
  readonly random: RandomSource;
  readonly next: PacketSink;
  /** Tells the trace that the packet ends here. */
  dropped(packet: SimulatedPacket, reason: string): void;
  /** Sends the sender the network's word that the packet was larger than `mtu`. */
  packetTooBig(packet: SimulatedPacket, mtu: number): void;
}

/** The sink of `elements` in their order, and then `site.next`. `randomOf` gives each its own chance. */
export function chain(
  elements: readonly NetworkElement[],
  site: Omit<ElementSite, 'random'>,
  randomOf: () => RandomSource,
): PacketSink {
  let next = site.next;
  for (const element of [...elements].reverse()) next = element.attach({ ...site, next, random: randomOf() });
  return next;
}

/** Throws unless `value` is a probability. */
export function checkProbability(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be from 0 to 1, not ${value}`);
}
