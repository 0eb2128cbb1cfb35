// What is sent through the router: unconnected datagrams of one client, each to another service, and the prefixes that
// the router has for them. Sender, router and receiver make the same from the same numbers.

import type { ForwardRule } from '../../lib/table/service-rule';
import { SeededRandom } from '../../lib/time/seeded-random';
import { flowID } from '../../lib/wire/flow-id';
import type { NetworkAddress } from '../../lib/wire/network-address';
import { writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { UDP_HEADER_BYTES, writeUdpHeader } from '../../lib/wire/udp-header';

/** Services that are asked for in turn: more than any cache of headers keeps, and 64 for each call of the sender. */
export const SERVICES = 4096;
/** SAL header, two SERVICE extensions and the UDP header. */
export const DATAGRAM_HEADER_BYTES = 12 + 2 * 36 + UDP_HEADER_BYTES;

/** Prefix `index` of a table: half of them as long as names are, the others anything from 24 on. */
export function prefixAt(index: number): ServicePrefix {
  const random = SeededRandom.of(index + 1);
  const bits = random.uint32() % 2 === 0 ? 64 * ((random.uint32() % 4) + 1) : 24 + (random.uint32() % 233);
  return ServicePrefix.of(ServiceID.fromWords(words(random)), bits);
}

/** A rule for each prefix; next hop by next hop in turn. */
export function* rulesOf(prefixes: number, hops: readonly NetworkAddress[], link: number): Generator<ForwardRule> {
  const terms = { action: 'forward', priority: 10, weight: 1, link, broadcast: false, scope: 'network' } as const;
  for (let index = 0; index < prefixes; index++) {
    yield { ...terms, prefix: prefixAt(index), address: hops[index % hops.length]! };
  }
}

/** Service `index` of those asked for, in a table of so many prefixes: spread over all of the table. */
export function serviceAt(index: number, prefixes: number): ServiceID {
  const place = prefixes <= SERVICES ? index % prefixes : Math.floor((index * prefixes) / SERVICES);
  const { base, bits } = prefixAt(place);
  const behind = words(SeededRandom.of(1_000_000_007 + index));
  return ServiceID.fromWords(base.words.map((word, at) => mixed(word, behind[at]!, bits - at * 32)));
}

/** One packet for each service, of `payload` bytes that begin with its number. */
export function packetsFor(prefixes: number, payload: number): Buffer {
  const size = DATAGRAM_HEADER_BYTES + payload;
  const bytes = Buffer.alloc(SERVICES * size);
  const sourceService = ServiceID.fromHex('c1'.repeat(32))!;
  for (let index = 0; index < SERVICES; index++) {
    let at = index * size;
    at += writeSalPacketHeader(bytes, at, {
      sourceFlowID: flowID(1),
      destinationFlowID: flowID(0),
      protocol: 17,
      destinationService: serviceAt(index, prefixes),
      sourceService,
    });
    at += writeUdpHeader(bytes, at, payload);
    writePayload(bytes.subarray(at, at + payload), index);
  }
  return bytes;
}

/** The number of the packet; `undefined` when these are not its bytes. */
export function readPayload(bytes: Uint8Array): number | undefined {
  const index = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(0);
  const expected = Buffer.alloc(bytes.length);
  writePayload(expected, index);
  return index < SERVICES && expected.equals(bytes) ? index : undefined;
}

function writePayload(target: Buffer, index: number): void {
  for (let at = 4; at < target.length; at++) target[at] = index * 31 + at * 7;
  target.writeUInt32BE(index, 0);
}

function words(random: SeededRandom): Uint32Array {
  return Uint32Array.from({ length: 8 }, () => random.uint32());
}

/** The first `bits` bits of one, the rest of the other. */
function mixed(word: number, rest: number, bits: number): number {
  const mask = bits <= 0 ? 0 : bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
  return ((word & mask) | (rest & ~mask)) >>> 0;
}
