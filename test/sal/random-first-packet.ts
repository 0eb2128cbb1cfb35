// First packets as peers may send them, good and bad: with lists of any length, damaged, cut off, with flags of all kinds.

import type { SeededRandom } from '../../lib/time/seeded-random';
import { ControlFlag, controlSequence } from '../../lib/wire/control-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { NetworkAddress } from '../../lib/wire/network-address';
import { type SalPacketHeader, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID } from '../../lib/wire/service-id';
import { type Packet, SERVICE } from './wire';

export const ROUTER = '10.0.9.9';
export const serviceOf = (index: number): ServiceID => ServiceID.fromHex((0x10 + index).toString(16).repeat(32))!;

const ADDRESSES = [
  '10.0.0.1',
  '192.0.2.77',
  'fd00::1',
  '0.0.0.0',
  '::',
  '127.0.0.1',
  '224.0.0.1',
  ROUTER,
  '::ffff:10.0.0.1',
];

const ANSWERS = [ControlFlag.fin, ControlFlag.syn | ControlFlag.ack, ControlFlag.rst | ControlFlag.ack];

export class RandomFirstPackets {
  constructor(private readonly random: SeededRandom) {}

  private address(): NetworkAddress {
    return NetworkAddress.parse(this.pick(ADDRESSES), this.pick([4000, 4000, 4001, 0]))!;
  }

  private header(): SalPacketHeader {
    const isSyn = this.below(2) === 0;
    const flags = this.pick([ControlFlag.syn, ControlFlag.syn, ControlFlag.syn | ControlFlag.rsyn, ...ANSWERS]);
    const sourceLength = this.pick([0, 0, 1, 2, 3, 11, 12, 19, 20]);
    const source = Array.from({ length: sourceLength }, () => this.address());
    const nonce = FlowNonce.of(this.random.uint32(), this.random.uint32());
    const control = {
      flags,
      controlSequence: controlSequence(this.below(100)),
      controlAck: controlSequence(0),
      detail: this.pick([0, 0, 0, 1]),
      nonce,
    };
    return {
      sourceFlowID: flowID(this.random.uint32()),
      destinationFlowID: flowID(this.pick([0, 0, 0, 5])),
      protocol: this.pick([6, 17, 17, 1]),
      ...(isSyn ? { control } : {}),
      destinationService: this.pick([serviceOf(0), serviceOf(1), serviceOf(2), serviceOf(3), serviceOf(9), SERVICE]),
      ...(isSyn ? {} : { sourceService: serviceOf(7) }),
      ...(sourceLength === 0
        ? {}
        : {
            source,
            sourceFlags: this.pick([0, 0x80, 0x40, 0xe0, 0x81, 0x83, 0x9f]),
            sourceKind: 'endpointSource' as const,
          }),
    };
  }

  /** `undefined` when what was drawn cannot be written. */
  next(): Packet | undefined {
    const bytes = Buffer.alloc(2500);
    let length: number;
    try {
      length = writeSalPacketHeader(bytes, 0, this.header());
    } catch {
      return undefined; // a list of IPv6 addresses that is too long to write
    }
    const payload = this.pick([0, 2, 8, 57, 255, 256, 257, 1400]);
    for (let at = 0; at < payload; at++) bytes[length + at] = at * 7;
    // Some are damaged, and a damaged one may have a right checksum.
    if (this.below(8) === 0) bytes[this.below(length)]! ^= 1 << this.below(8);
    if (this.below(8) === 0) reseal(bytes, length);
    const cut = this.below(16) === 0 ? this.below(length + payload) : 0;
    const from = this.address();
    return {
      from,
      to: NetworkAddress.parse(ROUTER, 4000)!,
      bytes: Buffer.from(bytes.subarray(0, length + payload - cut)),
    };
  }

  private below(count: number): number {
    return this.random.uint32() % count;
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

function reseal(bytes: Buffer, length: number): void {
  bytes.writeUInt16BE(0, 10);
  let sum = 0;
  for (let at = 0; at < length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  bytes.writeUInt16BE(~sum & 0xffff, 10);
}
