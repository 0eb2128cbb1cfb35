import { describe, expect, it } from 'vitest';
import { NetworkAddress } from '../../lib/wire/network-address';
import { ReceivedBatch, ReceivedField } from '../../lib/wire/received-batch';
import { cutTrain, sealCutPacket } from '../../lib/wire/train-cutter';
import { TrainJoiner } from '../../lib/wire/train-joiner';
import { createWireErrorCounters } from '../../lib/wire/wire-error';
import { hexBytes } from './bytes';
import { describeJoiner, local, type PlacedPacket, transmitBatchOf } from './train-conformance';
import { cutVectors } from './train-vectors';

const peer = NetworkAddress.parse('192.0.2.1', 54325)!;

describeJoiner('TrainJoiner', (packets) => {
  const counters = createWireErrorCounters();
  return { batch: join(new TrainJoiner(counters), packets, 0), drops: counters };
});

describeJoiner('TrainJoiner, with gaps between the packets', (packets) => {
  const counters = createWireErrorCounters();
  return { batch: join(new TrainJoiner(counters), packets, 100), drops: counters };
});

describe('TrainJoiner', () => {
  it('joins what the cutter cut', () => {
    const vector = cutVectors[0]!;
    const packets: PlacedPacket[] = [];
    cutTrain(transmitBatchOf(vector), 0, new Uint8Array(2048), (packet) => packets.push(from(packet.slice())));
    const batch = join(new TrainJoiner(createWireErrorCounters()), packets, 0);
    expect(batch.count).toBe(1);
    expect(batch.field(0, ReceivedField.segments)).toBe(3);
    const offset = batch.field(0, ReceivedField.offset);
    const payload = batch.slab.subarray(offset, offset + batch.field(0, ReceivedField.length));
    expect(payload.toString('hex')).toBe(vector.pieces.join(''));
  });

  it('leaves nothing in a row of what stood there before', () => {
    const batch = new ReceivedBatch(1, Buffer.alloc(64));
    batch.slab.set(hexBytes('0a0000020b0000030311e7e9 0000000000080000'));
    batch.rows.fill(-1);
    new TrainJoiner(createWireErrorCounters()).append(batch, peer, local, 0, 0, 20);
    const { tcpFlags, optionsOffset, optionsLength, sequence, window, segmentSize } = ReceivedField;
    for (const field of [tcpFlags, optionsOffset, optionsLength, sequence, window, segmentSize]) {
      expect(batch.field(0, field)).toBe(0);
    }
  });

  it('verifies the TCP checksum on a raw link', () => {
    const packets: PlacedPacket[] = [];
    cutTrain(transmitBatchOf(cutVectors[1]!), 0, new Uint8Array(2048), (packet) => {
      sealCutPacket(packet, peer, local);
      packets.push(from(packet.slice()));
    });
    packets[1]!.bytes[39]! ^= 1;
    const counters = createWireErrorCounters();
    const batch = join(new TrainJoiner(counters, { transportChecksums: true }), packets, 0);
    expect(batch.count).toBe(1);
    expect(counters.badTransportChecksum).toBe(1);
  });

  it('drops bytes that are not in the slab', () => {
    const counters = createWireErrorCounters();
    const batch = new ReceivedBatch(1, Buffer.alloc(40));
    expect(new TrainJoiner(counters).append(batch, peer, local, 0, 20, 32)).toBe('truncated');
    expect(counters.truncated).toBe(1);
    expect(batch.count).toBe(0);
  });

  it('takes a full batch for a mistake of the link', () => {
    const joiner = new TrainJoiner(createWireErrorCounters());
    expect(() => joiner.append(new ReceivedBatch(0, Buffer.alloc(40)), peer, local, 0, 0, 32)).toThrow('room');
  });
});

function from(bytes: Uint8Array): PlacedPacket {
  return { source: peer, local, rowFlags: 0, bytes };
}

function join(joiner: TrainJoiner, packets: readonly PlacedPacket[], gap: number): ReceivedBatch {
  const batch = new ReceivedBatch(packets.length, Buffer.alloc(4096, 0xcc));
  let offset = 0;
  for (const packet of packets) {
    batch.slab.set(packet.bytes, offset);
    joiner.append(batch, packet.source, packet.local, packet.rowFlags, offset, packet.bytes.length);
    offset += packet.bytes.length + gap;
  }
  return batch;
}
