// Whatever bytes arrive, the doors refuse by name or give a bounded value, and never throw; what they give
// is written to bytes that read the same. SERVAL_SEED replays a failure.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXTENSIONS_MAXIMUM, SOURCE_ADDRESSES_MAXIMUM, TOLD_ADDRESSES_MAXIMUM } from '../../lib/limits';
import { ADDRESS_EXTENSION_ADDRESSES_MAXIMUM, type AddressExtension } from '../../lib/wire/address-extension';
import { controlSequence } from '../../lib/wire/control-extension';
import { fitsEndpointSourceExtension } from '../../lib/wire/endpoint-source-extension';
import { FlowNonce, flowID } from '../../lib/wire/flow-id';
import { parseIpv4Header } from '../../lib/wire/ipv4-header';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ReceivedBatch, ReceivedField } from '../../lib/wire/received-batch';
import { sealSalHeader } from '../../lib/wire/sal-header';
import {
  parseSalPacket,
  type SalPacket,
  type SalPacketHeader,
  salPacketHeaderBytes,
  writeSalPacketHeader,
} from '../../lib/wire/sal-packet';
import { ServiceID } from '../../lib/wire/service-id';
import { parseTcpHeader } from '../../lib/wire/tcp-header';
import { SACK_BLOCKS_MAXIMUM, TcpOptions } from '../../lib/wire/tcp-options';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { parseUdpHeader } from '../../lib/wire/udp-header';
import { createWireErrorCounters, isWireError, WIRE_ERRORS } from '../../lib/wire/wire-error';
import { captureNames, readCapture, salBytesOf } from './pcap';

const seed = Number(process.env['SERVAL_SEED'] ?? 20120425);
const runs = (numRuns: number): { seed: number; numRuns: number } => ({ seed, numRuns });

const golden = captureNames.flatMap((name) => readCapture(name)).map(salBytesOf);
const anyBytes = fc.uint8Array({ maxLength: 400 });

describe('parseSalPacket', () => {
  it('survives random bytes', () => {
    fc.assert(fc.property(anyBytes, survives), runs(2000));
  });

  it('survives random bytes with a right check', () => {
    const sealed = fc.tuple(anyBytes, fc.integer({ min: 0, max: 110 })).map(([bytes, words]) => seal(bytes, words));
    fc.assert(fc.property(sealed, survives), runs(2000));
  });

  it('survives any sequence of extensions, well formed or nearly', () => {
    const extension = fc
      .tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom(0, 1, 2, 12, 20, 24, 36, 84, 255), anyBytes)
      .map(([type, length, bytes]) => Uint8Array.of(type << 4, length, ...bytes.subarray(0, Math.max(0, length - 2))));
    const packet = fc.array(extension, { maxLength: 12 }).map((list) => {
      const body = list.flatMap((bytes) => (bytes[0] === 0 ? [0] : [...bytes]));
      while (body.length % 4 !== 0) body.push(0);
      return seal(Uint8Array.from([...new Uint8Array(12), ...body]), 3 + body.length / 4);
    });
    let accepted = 0;
    fc.assert(
      fc.property(packet, (bytes) => {
        if (!isWireError(examine(bytes))) accepted++;
      }),
      runs(2000),
    );
    // The generator is worth something only if a good part gets through.
    expect(accepted).toBeGreaterThan(200);
  });

  it('survives captured packets with bytes changed, checked or sealed again', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    const mutated = fc.tuple(fc.nat(golden.length - 1), fc.array(change, { minLength: 1, maxLength: 6 }), fc.boolean());
    fc.assert(
      fc.property(mutated, ([index, changes, sealAgain]) => {
        const bytes = golden[index]!.slice(0, 200);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        if (sealAgain && bytes[8]! * 4 <= bytes.length) sealSalHeader(bytes, 0);
        examine(bytes);
      }),
      runs(4000),
    );
  });

  it('reads every header that can be written', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        const bytes = new Uint8Array(salPacketHeaderBytes(header));
        expect(writeSalPacketHeader(bytes, 0, header)).toBe(bytes.length);
        expect(parseSalPacket(bytes, 0, bytes.length)).toEqual({
          ...header,
          headerLength: bytes.length,
          transportOffset: bytes.length,
          transportLength: 0,
        });
      }),
      runs(2000),
    );
  });
});

describe('the other doors', () => {
  it('survive random bytes at any offset and length', () => {
    const options = new TcpOptions();
    fc.assert(
      fc.property(
        anyBytes,
        fc.integer({ min: -2, max: 420 }),
        fc.integer({ min: -2, max: 420 }),
        (bytes, at, length) => {
          for (const parse of [parseTcpHeader, parseUdpHeader, parseIpv4Header, parseSalPacket]) {
            const parsed = parse(bytes, at, length);
            if (isWireError(parsed)) expect(WIRE_ERRORS).toContain(parsed);
          }
          const error = options.parse(bytes, at, length);
          expect([undefined, 'tcpOptionLength']).toContain(error);
          expect(options.sackCount).toBeLessThanOrEqual(SACK_BLOCKS_MAXIMUM);
        },
      ),
      runs(2000),
    );
  });

  it('keep payloads inside of the bytes', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const tcp = parseTcpHeader(bytes, 0, bytes.length);
        if (!isWireError(tcp)) expect(tcp.payloadOffset + tcp.payloadLength).toBe(bytes.length);
        const udp = parseUdpHeader(bytes, 0, bytes.length);
        if (!isWireError(udp)) expect(udp.payloadOffset + udp.payloadLength).toBeLessThanOrEqual(bytes.length);
      }),
      runs(2000),
    );
  });
});

describe('TrainJoiner', () => {
  const address = NetworkAddress.parse('192.0.2.1', 54325)!;
  const bareTcp = golden.filter((bytes) => bytes[8] === 3 && bytes[9] === 6).map((bytes) => bytes.slice(0, 120));
  const captured = fc.constantFrom(...bareTcp);
  const disturbed = fc.tuple(captured, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, value]) => {
    const copy = bytes.slice();
    copy[at % copy.length] = value;
    return copy;
  });

  it('survives any packets, counts what it drops, and keeps rows apart and inside of the slab', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(captured, disturbed, anyBytes), { maxLength: 20 }), (packets) => {
        const counters = createWireErrorCounters();
        const joiner = new TrainJoiner(counters);
        const batch = new ReceivedBatch(20, Buffer.alloc(20 * 400));
        let offset = 0;
        let taken = 0;
        for (const packet of packets) {
          batch.slab.set(packet, offset);
          if (joiner.append(batch, address, address, 0, offset, packet.length) === undefined) taken++;
          offset += packet.length;
        }
        const dropped = Object.values(counters).reduce((sum, count) => sum + count, 0);
        expect(taken + dropped).toBe(packets.length);
        let end = 0;
        let segments = 0;
        for (let row = 0; row < batch.count; row++) {
          expect(batch.field(row, ReceivedField.offset)).toBeGreaterThanOrEqual(end);
          end = batch.field(row, ReceivedField.offset) + batch.field(row, ReceivedField.length);
          segments += batch.field(row, ReceivedField.segments);
        }
        expect(end).toBeLessThanOrEqual(offset);
        expect(segments).toBe(taken);
      }),
      runs(2000),
    );
  });
});

function survives(bytes: Uint8Array): void {
  examine(bytes);
}

/** Parses, and holds what comes out to its bounds and to writing and reading again. */
function examine(bytes: Uint8Array): ReturnType<typeof parseSalPacket> {
  const packet = parseSalPacket(bytes, 0, bytes.length);
  if (isWireError(packet)) {
    expect(WIRE_ERRORS).toContain(packet);
    return packet;
  }
  expect(packet.transportOffset + packet.transportLength).toBe(bytes.length);
  expect(packet.source?.length ?? 0).toBeLessThanOrEqual(SOURCE_ADDRESSES_MAXIMUM);
  expect(packet.addresses?.addresses.length ?? 0).toBeLessThanOrEqual(ADDRESS_EXTENSION_ADDRESSES_MAXIMUM);
  const again = new Uint8Array(1020);
  const length = writeSalPacketHeader(again, 0, packet);
  expect(length).toBeLessThanOrEqual(packet.headerLength);
  // Padding is not written again, and up to ten bytes of it may have been there.
  expect(length).toBeGreaterThanOrEqual(packet.headerLength - EXTENSIONS_MAXIMUM);
  expect(meaning(parseSalPacket(again, 0, length))).toEqual(meaning(packet));
  return packet;
}

/** A packet without what padding and payload change. */
function meaning(packet: ReturnType<typeof parseSalPacket>): unknown {
  if (isWireError(packet)) return packet;
  const { headerLength, transportOffset, transportLength, ...header }: SalPacket = packet;
  return header;
}

function seal(bytes: Uint8Array, words: number): Uint8Array {
  const sealed = bytes.slice();
  if (sealed.length < 12) return sealed;
  sealed[8] = words;
  if (words * 4 <= sealed.length) sealSalHeader(sealed, 0);
  return sealed;
}

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const anyNonce = fc.tuple(uint32, uint32).map(([high, low]) => FlowNonce.of(high, low));
const anyControl = fc.record({
  flags: fc.integer({ min: 0, max: 63 }).map((bits) => bits << 2),
  controlSequence: uint32.map(controlSequence),
  controlAck: uint32.map(controlSequence),
  detail: fc.integer({ min: 0, max: 255 }),
  nonce: anyNonce,
});
const anyService = fc.array(uint32, { minLength: 8, maxLength: 8 }).map((words) => ServiceID.fromWords(words));
const ipv4 = uint32.map((word) => NetworkAddress.fromWords(4, 0, word, 0, 0, 0));
const endpoint = fc
  .tuple(fc.boolean(), fc.integer({ min: 0, max: 0xffff }), uint32, uint32, uint32, uint32)
  .map(([isIPv4, port, w0, w1, w2, w3]) =>
    isIPv4 ? NetworkAddress.fromWords(4, port, w0, 0, 0, 0) : NetworkAddress.fromWords(6, port, w0, w1, w2, w3),
  );
const listOf = (addresses: fc.Arbitrary<NetworkAddress[]>): fc.Arbitrary<AddressExtension> =>
  fc.record({ controlSequence: uint32.map(controlSequence), controlAck: uint32.map(controlSequence), addresses });
const anyAddresses = fc.oneof(
  fc.record({ addresses: fc.constant(undefined), addressesKind: fc.constant(undefined) }),
  fc.record({
    addresses: listOf(fc.array(ipv4, { maxLength: ADDRESS_EXTENSION_ADDRESSES_MAXIMUM })),
    addressesKind: fc.constant('address' as const),
  }),
  fc.record({
    addresses: listOf(fc.array(endpoint, { maxLength: TOLD_ADDRESSES_MAXIMUM })),
    addressesKind: fc.constant('endpointAddress' as const),
  }),
);
const anySource = fc.oneof(
  fc.record({ source: fc.constant(undefined), sourceKind: fc.constant(undefined) }),
  fc.record({ source: fc.array(ipv4, { minLength: 2, maxLength: 20 }), sourceKind: fc.constant('source' as const) }),
  fc.record({
    source: fc.array(endpoint, { minLength: 1, maxLength: 20 }).filter(fitsEndpointSourceExtension),
    sourceKind: fc.constant('endpointSource' as const),
  }),
);
const anyServices = fc.oneof(
  fc.record({ destinationService: fc.constant(undefined), sourceService: fc.constant(undefined) }),
  fc.record({ destinationService: anyService, sourceService: fc.option(anyService, { nil: undefined }) }),
);
const anyHeader: fc.Arbitrary<SalPacketHeader> = fc
  .tuple(
    fc.record({
      sourceFlowID: uint32.map(flowID),
      destinationFlowID: uint32.map(flowID),
      protocol: fc.integer({ min: 0, max: 255 }),
      control: fc.option(anyControl, { nil: undefined }),
      peerNonce: fc.option(anyNonce, { nil: undefined }),
    }),
    anyServices,
    anyAddresses,
    anySource,
  )
  .map(([header, services, addresses, source]) => ({ ...header, ...services, ...addresses, ...source }));
