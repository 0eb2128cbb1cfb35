// A row of a transmit batch as a simulated link sends it: where to, where from, and its packets.

import { type AddressFamily, NetworkAddress } from '../wire/network-address';
import { cutTrain } from '../wire/train-cutter';
import { TRANSMIT_ROW_INTS, type TransmitBatch, TransmitField } from '../wire/transmit-batch';

export interface OutgoingPacket {
  readonly destination: NetworkAddress;
  /** `undefined`: the route chooses. */
  readonly source: NetworkAddress | undefined;
  readonly bytes: Uint8Array;
}

/** The packets of all rows, in order; they share no memory with the batch. */
export function packetsOf(batch: TransmitBatch): OutgoingPacket[] {
  const packets: OutgoingPacket[] = [];
  for (let row = 0; row < batch.count; row++) {
    const destination = addressIn(batch, row, TransmitField.destinationFamilyPort)!;
    const source = addressIn(batch, row, TransmitField.sourceFamilyPort);
    cutTrain(batch, row, SCRATCH, (packet) => packets.push({ destination, source, bytes: packet.slice() }));
  }
  return packets;
}

function addressIn(batch: TransmitBatch, row: number, field: number): NetworkAddress | undefined {
  const at = row * TRANSMIT_ROW_INTS + field;
  const { rows } = batch;
  const family = rows[at]! >>> 16;
  if (family === 0) return undefined;
  const port = rows[at]! & 0xffff;
  return NetworkAddress.fromWords(
    family as AddressFamily,
    port,
    rows[at + 1]!,
    rows[at + 2]!,
    rows[at + 3]!,
    rows[at + 4]!,
  );
}

/** Larger than any packet: rows may be larger than IP allows, and are then dropped by the network. */
const SCRATCH = new Uint8Array(1 << 18);
