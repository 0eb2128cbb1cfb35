// The host's clock: monotonic, so that leases and retransmissions do not care when somebody sets the time.

import type { Instant } from '../time/instant';

export function monotonicNow(): Instant {
  return performance.now() as Instant;
}
