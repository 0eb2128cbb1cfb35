import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../lib/time/seeded-random';
import { internetChecksum } from '../../lib/wire/internet-checksum';
import { NetworkAddress } from '../../lib/wire/network-address';
import { RECEIVED_ROW_INTS, ReceivedField, RowFlag, RowKind } from '../../lib/wire/received-batch';
import { sealCutPacket } from '../../lib/wire/train-cutter';
import { TRANSMIT_ROW_INTS, TransmitField, TransmitFlag } from '../../lib/wire/transmit-batch';
import { pattern } from '../link/rows';
import { describeWithAddon, wordsOf } from './addon';

describeWithAddon('the addon', (addon) => {
  it('has rows of the same layout', () => {
    expect(addon.rowLayout()).toEqual({
      receivedField: { ...ReceivedField },
      receivedRowInts: RECEIVED_ROW_INTS,
      rowKind: { ...RowKind },
      rowFlag: { ...RowFlag },
      transmitField: { ...TransmitField },
      transmitRowInts: TRANSMIT_ROW_INTS,
      transmitFlag: { ...TransmitFlag },
    });
  });

  describe('internetChecksum', () => {
    it.each([0, 1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 1399, 65_535])('of %i bytes, cut anywhere', (length) => {
      const bytes = pattern(length, length + 1);
      const expected = internetChecksum(bytes, 0, length);
      for (const cutAt of [0, 1, 2, 3, 8, 13, length >> 1, length - 1, length]) {
        if (cutAt < 0 || cutAt > length) continue;
        expect(addon.internetChecksum(bytes, cutAt)).toBe(expected);
      }
    });

    it('carries over from all ones', () => {
      const ones = new Uint8Array(1001).fill(0xff);
      expect(addon.internetChecksum(ones, 501)).toBe(internetChecksum(ones, 0, 1001));
    });
  });

  it.each([1, 2, 3])('seals transport checksums as lib/wire does (seed %i)', (seed) => {
    const random = SeededRandom.of(seed);
    const below = (limit: number): number => random.uint32() % limit;
    const pairs = [
      ['10.77.0.1', '10.77.0.2'],
      ['2001:db8::1', 'fd00::ffff'],
    ].map((pair) => pair.map((ip) => NetworkAddress.parse(ip, below(65_536))!));
    for (let round = 0; round < 200; round++) {
      const [source, destination] = pairs[below(2)]!;
      const packet = pattern(12 + below(100), below(1000) + 1);
      packet[8] = 3 + below(3);
      packet[9] = [6, 17, 144][below(3)]!;
      const expected = Buffer.from(packet);
      // A header longer than the packet is none of the cutter's: TypeScript gets only what is valid.
      if (packet[8]! * 4 > packet.length) continue;
      sealCutPacket(expected, source!, destination!);
      addon.sealTransportChecksum(packet, Int32Array.from(wordsOf(source!)), Int32Array.from(wordsOf(destination!)));
      expect(packet.toString('hex')).toBe(expected.toString('hex'));
    }
  });

  it('gives a UDP checksum that sums up to 0 as all ones', () => {
    const [source, destination] = ['0.0.0.0', '0.0.0.0'].map((ip) => NetworkAddress.parse(ip)!);
    // SAL header, then a UDP header whose sum with the pseudo header is all ones.
    const packet = Buffer.from('0000000000000000031100000000000000080000'.padEnd(40, '0'), 'hex');
    packet.writeUInt16BE(0xffff - 17 - 8 - 8, 12);
    const expected = Buffer.from(packet);
    sealCutPacket(expected, source!, destination!);
    addon.sealTransportChecksum(packet, Int32Array.from(wordsOf(source!)), Int32Array.from(wordsOf(destination!)));
    expect(packet.readUInt16BE(18)).toBe(0xffff);
    expect(packet).toEqual(expected);
  });

  it.each([
    ['127.0.0.1', 65_535],
    ['::1', 65_536],
  ])('knows the MTU towards %s', (ip, mtu) => {
    expect(addon.pathMtu(Int32Array.from(wordsOf(NetworkAddress.parse(ip, 54325)!)))).toBe(mtu);
  });

  it('knows no MTU where the kernel knows no way: a link-local address of no link', () => {
    expect(addon.pathMtu(Int32Array.from(wordsOf(NetworkAddress.parse('fe80::1')!)))).toBe(0);
  });
});
