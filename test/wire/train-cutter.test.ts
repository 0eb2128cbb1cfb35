import { describe, expect, it } from 'vitest';
import { NetworkAddress } from '../../lib/wire/network-address';
import { cutTrain, packetCount, packetLength, sealCutPacket, writePacket } from '../../lib/wire/train-cutter';
import { hasValidTransportChecksum } from '../../lib/wire/transport-checksum';
import { describeCutter, transmitBatchOf } from './train-conformance';
import { cutVectors } from './train-vectors';

describeCutter('cutTrain', (batch) => {
  const packets: Uint8Array[] = [];
  cutTrain(batch, 0, new Uint8Array(2048), (packet) => packets.push(packet.slice()));
  return packets;
});

describe('writePacket', () => {
  it.each(cutVectors)('writes any packet alone, without touching its neighbours: $name', (vector) => {
    const batch = transmitBatchOf(vector);
    expect(packetCount(batch, 0)).toBe(vector.packets.length);
    for (const index of vector.packets.keys()) {
      const length = packetLength(batch, 0, index);
      const target = new Uint8Array(length + 8).fill(0xdd);
      expect(writePacket(batch, 0, index, target, 4)).toBe(length);
      const expected = vector.packets[index]!.replaceAll(' ', '');
      expect(Buffer.from(target).toString('hex')).toBe(`dddddddd${expected}dddddddd`);
    }
  });
});

describe('sealCutPacket', () => {
  it.each(cutVectors)('gives each packet the checksum that a raw link needs: $name', (vector) => {
    const source = NetworkAddress.parse('10.77.0.1')!;
    const destination = NetworkAddress.parse('10.77.0.2')!;
    cutTrain(transmitBatchOf(vector), 0, new Uint8Array(2048), (packet) => {
      const at = packet[8]! * 4;
      const length = packet.length - at;
      expect(hasValidTransportChecksum(packet, at, length, 6, source, destination)).toBe(false);
      sealCutPacket(packet, source, destination);
      expect(hasValidTransportChecksum(packet, at, length, 6, source, destination)).toBe(true);
    });
  });
});
