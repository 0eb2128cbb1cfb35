// Round trip, window and retransmissions of a stream while it runs, as its socket's flows tell them. A connection
// that has ended has no flows: what was seen last stays.

import type { Socket } from '../../index';
import type { StreamReport } from './end-report';
import type { LaneSnapshot } from './lane';

export class FlowSamples {
  private retransmittedBytes = 0;
  private roundTrip: number | undefined;
  private congestionWindow = 0;
  private congestionWindowMaximum = 0;
  private minimum = Number.POSITIVE_INFINITY;
  private maximum = 0;
  private sum = 0;
  private count = 0;

  constructor(private readonly socket: Pick<Socket, 'flows'>) {}

  sample(): void {
    const { flows } = this.socket;
    if (flows.length === 0) return;
    this.retransmittedBytes = flows.reduce((sum, flow) => sum + flow.retransmittedBytes, 0);
    this.congestionWindow = Math.round(flows.reduce((sum, flow) => sum + flow.congestionWindow, 0));
    this.congestionWindowMaximum = Math.max(this.congestionWindowMaximum, this.congestionWindow);
    const trips = flows.map((flow) => flow.roundTripTime).filter((trip) => trip !== undefined);
    if (trips.length > 0) this.addRoundTrip(Math.min(...trips));
  }

  snapshot(): Pick<LaneSnapshot, 'retransmittedBytes' | 'roundTrip' | 'congestionWindow'> {
    const { retransmittedBytes, roundTrip, congestionWindow } = this;
    return { retransmittedBytes, congestionWindow, ...(roundTrip === undefined ? {} : { roundTrip }) };
  }

  report(): Partial<StreamReport> {
    const { retransmittedBytes, congestionWindowMaximum, minimum, maximum, sum, count } = this;
    const trips =
      count === 0 ? {} : { roundTripMinimum: minimum, roundTripMean: sum / count, roundTripMaximum: maximum };
    return { retransmittedBytes, congestionWindowMaximum, ...trips };
  }

  private addRoundTrip(roundTrip: number): void {
    this.roundTrip = roundTrip;
    this.minimum = Math.min(this.minimum, roundTrip);
    this.maximum = Math.max(this.maximum, roundTrip);
    this.sum += roundTrip;
    this.count++;
  }
}
