// A router receives first packets in bursts, and each asks a service table that no cache holds. Before a burst is
// handled row by row, the table is told which services are coming, so that it waits for memory once for many.
// It is a guess and changes nothing: rows are parsed, checked and resolved afterwards, one by one.

import { READ_AHEAD_IDS, READ_AHEAD_RULES } from '../limits';
import type { ServiceTable } from '../table/service-table';
import { type ReceivedBatch, ReceivedField, RowKind } from '../wire/received-batch';
import { peekServiceID } from '../wire/service-extension';

const ID_WORDS = 8;

export class BurstReadAhead {
  private readonly ids = new Uint32Array(READ_AHEAD_IDS * ID_WORDS);

  constructor(private readonly table: Pick<ServiceTable, 'size' | 'readAhead'>) {}

  /** Looks at the rows from `row` on, and returns the first one that it did not look at. */
  read(batch: ReceivedBatch, row: number): number {
    if (this.table.size < READ_AHEAD_RULES) return batch.count;
    let count = 0;
    let next = row;
    for (; next < batch.count && count < READ_AHEAD_IDS; next++) if (this.take(batch, next, count)) count++;
    if (count > 1) this.table.readAhead(this.ids, count);
    return next;
  }

  private take(batch: ReceivedBatch, row: number, place: number): boolean {
    if (batch.kind(row) !== RowKind.packet) return false;
    const offset = batch.field(row, ReceivedField.offset);
    return peekServiceID(batch.slab, offset, batch.field(row, ReceivedField.length), this.ids, place * ID_WORDS);
  }
}
