// A trace: a ping that tells the way, and then one to each router on it, all at once. They are alike to the first in what
// routers without a memory choose by, so they go the same way as long as the rules along it stay as they are.

import { CONNECT_TIMEOUT } from '../limits';
import type { Ping, TraceAnswer, TraceHop } from '../sal/signaling/ping';
import { TRACE_HOP_ROUND_TRIPS, TRACE_HOP_TIMEOUT } from '../sal/trace-stops';
import type { PingOptions } from '../stack/connect-options';
import { milliseconds } from '../time/instant';
import type { ServiceID } from '../wire/service-id';
import { answerOf } from './ping-handle';

/** `start` pings, and resolves however that ends. Rejects as the first ping fails. */
export async function trace(
  start: (options: PingOptions) => Promise<Ping>,
  target: ServiceID,
  options: PingOptions,
): Promise<TraceAnswer> {
  const like = await start(options);
  const answer = answerOf(like, target);
  const patience = Math.max(TRACE_HOP_TIMEOUT, TRACE_HOP_ROUND_TRIPS * answer.roundTripTime);
  const timeout = milliseconds(Math.min(options.timeout ?? CONNECT_TIMEOUT, patience));
  const [first] = answer.routers;
  const hops = answer.routers.map(async (address, index): Promise<TraceHop> => {
    const stop = { hop: index + 1, like };
    const { stoppedAfter = null } = await start({ ...options, timeout, via: [first!], stop });
    return { address, roundTripTime: stoppedAfter };
  });
  return { ...answer, hops: await Promise.all(hops) };
}
