// Damaged packets: one bit turned over, or the end cut off. In UDP encapsulation the receiver's kernel finds
// the damage by the outer checksum and drops the packet; on a raw link the stack itself has to find it.

import type { RandomSource } from '../../time/random-source';
import { checkProbability, type ElementSite, type NetworkElement, type PacketSink } from '../network-element';
import type { SimulatedPacket } from '../simulated-packet';

export type Damage = 'bit' | 'truncation' | 'any';

export class Corruption implements NetworkElement {
  constructor(
    public probability: number,
    readonly damage: Damage = 'any',
  ) {
    checkProbability('probability', probability);
  }

  attach({ random, next }: ElementSite): PacketSink {
    return (packet) => {
      const spared = random.fraction() >= this.probability || packet.bytes.length === 0;
      next(spared ? packet : this.damaged(packet, random));
    };
  }

  private damaged(packet: SimulatedPacket, random: RandomSource): SimulatedPacket {
    const truncate = this.damage === 'truncation' || (this.damage === 'any' && random.fraction() < 0.5);
    const bytes = truncate ? truncated(packet.bytes, random) : withBitTurned(packet.bytes, random);
    return { ...packet, bytes, damaged: true };
  }
}

function truncated(bytes: Uint8Array, random: RandomSource): Uint8Array {
  return bytes.slice(0, random.uint32() % bytes.length);
}

function withBitTurned(bytes: Uint8Array, random: RandomSource): Uint8Array {
  const copy = bytes.slice();
  const bit = random.uint32() % (bytes.length * 8);
  copy[bit >>> 3]! ^= 1 << (bit & 7);
  return copy;
}
