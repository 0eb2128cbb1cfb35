// What a flow has learned of its path: round trip, window, packet size. It outlives the silence between two bursts of
// traffic, which the bookkeeping of what is under way need not.

import type { Duration, Instant } from '../../time/instant';
import type { PathSize } from '../transport';
import type { CongestionControl } from './congestion/congestion-control';
import { LossDetector } from './loss-detector';
import { PathMtuDiscovery } from './path-mtu-discovery';
import { RttEstimator } from './rtt-estimator';

export interface PathKnowledge {
  readonly roundTrip: RttEstimator;
  readonly pathMtu: PathMtuDiscovery;
  /** Changes when further flows join the stream, and grow together with this one. */
  control: CongestionControl;
  readonly detector: LossDetector;
}

/** Before the first packet: what the handshake measured, where it did. */
export function unknownPath(
  size: PathSize,
  peerMaximumSegment: number,
  control: (segmentSize: number) => CongestionControl,
  handshakeRoundTrip: Duration | undefined,
  now: Instant,
): PathKnowledge {
  const roundTrip = new RttEstimator();
  if (handshakeRoundTrip !== undefined) roundTrip.sample(handshakeRoundTrip, now);
  const pathMtu = new PathMtuDiscovery(size, peerMaximumSegment, now);
  return { roundTrip, pathMtu, control: control(pathMtu.segmentSize), detector: new LossDetector() };
}
