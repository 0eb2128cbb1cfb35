// What the reader knows again must be what the door itself says of the same bytes, whatever came in between.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { flowID } from '../../lib/wire/flow-id';
import { parseSalPacket, type SalPacket, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { SalPacketReader } from '../../lib/wire/sal-packet-reader';
import { ServiceID } from '../../lib/wire/service-id';
import { isWireError } from '../../lib/wire/wire-error';
import { captureNames, readCapture, salBytesOf } from './pcap';

const seed = Number(process.env['SERVAL_SEED'] ?? 20120425);

it('reads what the door reads: captured packets again and again, cut, changed, at any offset', () => {
  const golden = captureNames.flatMap((name) => readCapture(name)).map(salBytesOf);
  const reader = new SalPacketReader();
  const slab = new Uint8Array(4096);
  const seen = new Set<SalPacket>();
  let known = 0;
  const step = fc.record({
    packet: fc.oneof(fc.nat(3), fc.nat(golden.length - 1)),
    at: fc.nat(1000),
    cut: fc.option(fc.nat(200), { freq: 2 }),
    change: fc.option(fc.tuple(fc.nat(120), fc.integer({ min: 0, max: 255 })), { freq: 2 }),
  });
  const property = fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
    for (const { packet, at, cut, change } of steps) {
      const bytes = golden[packet]!.slice(0, 300);
      if (change !== null) bytes[change[0] % bytes.length] = change[1];
      slab.set(bytes, at);
      const length = Math.min(bytes.length, cut ?? bytes.length);
      const read = reader.read(slab, at, length);
      expect(read).toEqual(parseSalPacket(slab, at, length));
      if (isWireError(read)) continue;
      if (seen.has(read)) known++;
      seen.add(read);
    }
  });
  fc.assert(property, { seed, numRuns: 1000 });
  // Worth something only if the reader often knew.
  expect(known).toBeGreaterThan(500);
});

it('gives the same serviceIDs for the same header, on whatever slab', () => {
  const reader = new SalPacketReader();
  const first = reader.read(datagram(1, 100), 0, 184) as SalPacket;
  const { destinationService, sourceService } = first;
  const second = reader.read(Buffer.concat([Buffer.alloc(9), datagram(1, 50)]), 9, 134) as SalPacket;
  expect(second.destinationService).toBe(destinationService);
  expect(second.sourceService).toBe(sourceService);
  expect([second.transportOffset, second.transportLength]).toEqual([93, 50]);
});

it('tells headers apart that share a place', () => {
  const reader = new SalPacketReader();
  for (let round = 0; round < 2; round++) {
    for (let source = 1; source < 1000; source++) {
      const packet = reader.read(datagram(source, 8), 0, 92) as SalPacket;
      expect(packet.sourceFlowID).toBe(source);
    }
  }
});

it('keeps no control packet: signaling keeps what it read', () => {
  const bytes = capturedControl();
  const reader = new SalPacketReader();
  expect(reader.read(bytes, 0, bytes.length)).not.toBe(reader.read(bytes, 0, bytes.length));
});

it('refuses a known header without all of its bytes', () => {
  const reader = new SalPacketReader();
  const bytes = datagram(1, 8);
  expect(isWireError(reader.read(bytes, 0, 92))).toBe(false);
  for (let length = 0; length < 84; length++) expect(reader.read(bytes, 0, length)).toBe('truncated');
  expect(reader.read(bytes, 1, 92)).toBe('truncated');
});

function datagram(source: number, payload: number): Uint8Array {
  const bytes = new Uint8Array(84 + payload);
  writeSalPacketHeader(bytes, 0, {
    sourceFlowID: flowID(source),
    destinationFlowID: flowID(0),
    protocol: 17,
    destinationService: ServiceID.fromHex('5e'.repeat(32))!,
    sourceService: ServiceID.fromHex('c1'.repeat(32))!,
  });
  return bytes;
}

/** The first captured packet with a CONTROL extension. */
function capturedControl(): Uint8Array {
  for (const bytes of captureNames.flatMap((name) => readCapture(name)).map(salBytesOf)) {
    const packet = parseSalPacket(bytes, 0, bytes.length);
    if (!isWireError(packet) && packet.control !== undefined) return bytes;
  }
  throw new Error('no capture has a control packet');
}
