// SYNs that are to stop at a router on their way, so that a client learns how far that is (docs/protocol.md, Trace). The
// router refuses them as it refuses what nobody has: its RST is shorter than any SYN. Those who do not stop them - the
// original, a raw link between - give themselves away by the next one, which then is not for us to answer.

import { seconds } from '../time/instant';
import { ENDPOINT_SOURCE_STOP } from '../wire/endpoint-source-extension';
import type { SalPacket } from '../wire/sal-packet';

/** SYNs that a router answers so in the interval: some people who look for a fault, and no work worth causing. */
export const TRACE_ANSWERS_MAXIMUM = 100;
export const TRACE_ANSWERS_INTERVAL = seconds(1);

/** How long a trace waits for a router, milliseconds and round trips to the instance: the longer of the two. */
export const TRACE_HOP_TIMEOUT = seconds(1);
export const TRACE_HOP_ROUND_TRIPS = 4;

/** `here`: this router is the one that is meant. `beyond`: it was one before, which did not know. */
export type TraceStop = 'none' | 'here' | 'beyond';

/** For a router that would pass the packet on: its entry would stand at this place of the list. */
export function stopOf({ control, source, sourceFlags = 0 }: SalPacket): TraceStop {
  const stop = sourceFlags & ENDPOINT_SOURCE_STOP;
  if (stop === 0 || control === undefined || source === undefined || source.length < stop) return 'none';
  return source.length === stop ? 'here' : 'beyond';
}
