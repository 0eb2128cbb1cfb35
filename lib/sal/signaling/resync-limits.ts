// The bounds of a resynchronization through a service router (§4.4), with unit and reason; those of a move itself stand in
// limits.ts.

import { seconds } from '../../time/instant';

/**
 * Ends of flows of which a router remembers where they are: 56 bytes each, taken when the first one asks. As many as
 * ask in a lifetime at 2,000 a second; past it a new one takes the place of another, which asks again. A power of two.
 */
export const RESYNC_PLACES = 16_384;
/** Places that an end may have: who would push one out has to hit the same few. */
export const RESYNC_WAYS = 4;
/** How long a router remembers one: four of the longest pauses between two RSYNs, so that three may be lost. */
export const RESYNC_LIFETIME = seconds(8);
/** RSYNs that a router takes from one IPv4 address, or IPv6 /64, in the interval: who has more flows moves on later. */
export const RESYNC_SOURCE_MAXIMUM = 512;
export const RESYNC_SOURCE_INTERVAL = seconds(1);
/** Counters of those, 8 bytes each; sources that meet in one share it. A power of two. */
export const RESYNC_SOURCES = 4096;

/** Routers that a flow remembers: the first one of its SYN, which both ends know, and the last, which is the server's. */
export const FLOW_ROUTERS_MAXIMUM = 2;
/** Lists of them that flows share, a power of two: most flows of a host come through the same few. */
export const ROUTER_LISTS = 64;
