// What a stream has counted, for whoever is curious. One object for all its parts.

export class StreamCounters {
  segmentsSent = 0;
  acknowledgmentsSent = 0;
  retransmittedBytes = 0;
  timeouts = 0;
  /** Recoveries and timeouts that proved mistaken. */
  undone = 0;
  duplicateBytes = 0;
  droppedBytes = 0;
  outOfOrderSegments = 0;
  /** Segments outside of the window, or with an impossible acknowledgment. */
  unacceptable = 0;
}

export interface StreamStatistics extends Readonly<StreamCounters> {
  readonly bytesReceived: number;
  readonly bytesAcknowledged: number;
}

export function statisticsOf(counters: StreamCounters, received: number, acknowledged: number): StreamStatistics {
  return { ...counters, bytesReceived: received, bytesAcknowledged: acknowledged };
}
