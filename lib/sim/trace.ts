// What happened on the network, for the moment when a story fails: the last packets, each with its way and
// one line of what it says. Nothing is formatted before it is asked for.

import type { Instant } from '../time/instant';
import { summarize } from './packet-summary';
import { ipLength, type SimulatedPacket } from './simulated-packet';

export interface TraceEntry {
  readonly at: Instant;
  readonly event: 'sent' | 'received' | 'dropped' | 'note';
  /** Host where it happened, empty for the network. */
  readonly host: string;
  readonly packet: SimulatedPacket | undefined;
  /** Why it was dropped; the text of a note. */
  readonly text: string;
}

export class Trace {
  private readonly ring: TraceEntry[] = [];
  private next = 0;
  private readonly totals = new Map<string, number>();

  constructor(readonly capacity = TRACE_CAPACITY) {}

  add(entry: TraceEntry): void {
    this.ring[this.next] = entry;
    this.next = (this.next + 1) % this.capacity;
    const key = entry.event === 'dropped' ? `dropped: ${entry.text}` : entry.event;
    this.totals.set(key, (this.totals.get(key) ?? 0) + 1);
  }

  /** How often each thing happened: 'sent', 'received', 'dropped: lost' and so on. */
  get counts(): ReadonlyMap<string, number> {
    return this.totals;
  }

  /** The entries that are still there, oldest first. */
  get entries(): readonly TraceEntry[] {
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)];
  }

  /** The last `most` entries, one a line. */
  format(most = this.capacity): string {
    return this.entries.slice(-most).map(formatEntry).join('\n');
  }
}

function formatEntry({ at, event, host, packet, text }: TraceEntry): string {
  const head = `${at.toFixed(3).padStart(12)} ${host.padEnd(6)} ${event.padEnd(8)}`;
  if (packet === undefined) return `${head} ${text}`;
  const way = `#${packet.serial} ${packet.source} > ${packet.destination} ${ipLength(packet)}B`;
  return `${head} ${way} ${summarize(packet)}${text === '' ? '' : ` (${text})`}`;
}

const TRACE_CAPACITY = 1000;
