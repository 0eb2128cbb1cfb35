import { describe, expect, it } from 'vitest';
import { READ_AHEAD_IDS, READ_AHEAD_RULES } from '../../lib/limits';
import { BurstReadAhead } from '../../lib/sal/burst-read-ahead';
import type { Instant } from '../../lib/time/instant';
import { SeededRandom } from '../../lib/time/seeded-random';
import { FLOW_ID_UNKNOWN, flowID } from '../../lib/wire/flow-id';
import { RECEIVED_ROW_INTS, ReceivedBatch, ReceivedField, RowKind } from '../../lib/wire/received-batch';
import { salPacketHeaderBytes, writeSalPacketHeader } from '../../lib/wire/sal-packet';
import { ServiceID, ServicePrefix } from '../../lib/wire/service-id';
import { randomID } from '../table/prefixes';
import { Wire } from './wire';

const STRIDE = 128;
const NOW = 0 as Instant;

/** A burst of datagrams, each to the service of its row. */
function burstFor(services: readonly ServiceID[]): ReceivedBatch {
  const batch = new ReceivedBatch(services.length, Buffer.alloc(services.length * STRIDE));
  for (const [row, destinationService] of services.entries()) {
    const header = { sourceFlowID: flowID(7), destinationFlowID: FLOW_ID_UNKNOWN, protocol: 17 };
    const datagram = { ...header, destinationService, sourceService: ServiceID.zero };
    writeSalPacketHeader(batch.slab, row * STRIDE, datagram);
    const at = row * RECEIVED_ROW_INTS;
    batch.rows[at + ReceivedField.sourceFamilyPort] = (4 << 16) | 4000;
    batch.rows[at + ReceivedField.sourceIp] = 0x0a000001;
    batch.rows[at + ReceivedField.offset] = row * STRIDE;
    batch.rows[at + ReceivedField.length] = salPacketHeaderBytes(datagram);
  }
  batch.count = services.length;
  return batch;
}

/** A table that says it is large, and notes for which services it was told to read ahead. */
class NotingTable {
  readonly told: string[][] = [];
  size = READ_AHEAD_RULES;

  readAhead(ids: Uint32Array, count: number): void {
    this.told.push(
      Array.from({ length: count }, (_, place) => `${ServiceID.fromWords(ids.subarray(place * 8, place * 8 + 8))}`),
    );
  }
}

function services(count: number, seed = 1): ServiceID[] {
  const random = SeededRandom.of(seed);
  return Array.from({ length: count }, () => randomID(random));
}

describe('BurstReadAhead', () => {
  it('tells a large table which services the rows are for, a group at a time', () => {
    const table = new NotingTable();
    const ahead = new BurstReadAhead(table);
    const wanted = services(READ_AHEAD_IDS + 3);
    const batch = burstFor(wanted);
    expect(ahead.read(batch, 0)).toBe(READ_AHEAD_IDS);
    expect(ahead.read(batch, READ_AHEAD_IDS)).toBe(READ_AHEAD_IDS + 3);
    expect(table.told).toEqual([wanted.slice(0, READ_AHEAD_IDS).map(String), wanted.slice(READ_AHEAD_IDS).map(String)]);
  });

  it('leaves small tables, single packets, trains and packets without a service alone', () => {
    const table = new NotingTable();
    const ahead = new BurstReadAhead(table);
    expect(ahead.read(burstFor(services(1)), 0)).toBe(1);
    const trains = burstFor(services(4));
    for (let row = 0; row < 3; row++) trains.rows[row * RECEIVED_ROW_INTS + ReceivedField.kind] = RowKind.train;
    ahead.read(trains, 0);
    const cut = burstFor(services(4));
    for (let row = 0; row < 3; row++) cut.rows[row * RECEIVED_ROW_INTS + ReceivedField.length] = 47;
    ahead.read(cut, 0);
    table.size = READ_AHEAD_RULES - 1;
    expect(ahead.read(burstFor(services(4)), 0)).toBe(4);
    expect(table.told).toEqual([]);
  });

  it('reads nothing behind the end of a slab, whatever its rows say', () => {
    const table = new NotingTable();
    const batch = burstFor(services(3));
    for (let row = 0; row < 3; row++) batch.rows[row * RECEIVED_ROW_INTS + ReceivedField.offset] = 2 * STRIDE + 100;
    expect(new BurstReadAhead(table).read(batch, 0)).toBe(3);
    expect(table.told).toEqual([]);
  });

  it('resolves each row of a burst by the rules as they are, with a table that is large', () => {
    const node = new Wire().node('10.0.0.2', 1);
    const { serviceTable, counters } = node.sal;
    const known = services(READ_AHEAD_RULES, 2);
    for (const name of known) {
      serviceTable.addRule({ action: 'drop', prefix: ServicePrefix.of(name), priority: 1, weight: 1 }, NOW);
    }
    const strangers = services(5, 3);
    node.sal.handleReceived(1, burstFor([...known.slice(0, 70), ...strangers]), NOW);
    expect(counters.value('ruleDrop')).toBe(70);
    expect(counters.value('unmatched')).toBe(5);
    expect(serviceTable.totals.packetsDropped).toBe(70);
  });
});
