// The bounds and defaults of the ways to find services, with unit and reason: apart from lib/limits.ts, which holds what
// many parts share.

import { milliseconds, seconds } from '../../time/instant';

// ---- lookups on demand ----

/** Questions that one resolver is asked at a time; services beyond it wait in line, as many as packets may be delayed. */
export const LOOKUPS_OUTSTANDING_MAXIMUM = 128;
export const LOOKUPS_IN_LINE_MAXIMUM = 1024;
/** A resolver that has not answered by then has failed: longer than a packet that nobody repeats would wait. */
export const LOOKUP_TIMEOUT = seconds(5);
/** A failed question is asked again after so long, doubled each time, while packets wait for its answer. */
export const LOOKUP_RETRY_MINIMUM = milliseconds(250);
export const LOOKUP_RETRY_MAXIMUM = seconds(2);
/** Then what waits is dropped; who still wants to know comes again, and asks anew. */
export const LOOKUP_ATTEMPTS_MAXIMUM = 8;
/** Answers kept of one resolver, positive and negative ones each, some 500 bytes each; past it the oldest goes. */
export const LOOKUP_ANSWERS_MAXIMUM = 16_384;
/** Addresses of one answer; more are not used. */
export const LOOKUP_ADDRESSES_MAXIMUM = 64;
/** An answer is used for so long at least (what has just been asked for comes again at once), and at most. */
export const LOOKUP_LIFETIME_MINIMUM = milliseconds(100);
export const LOOKUP_LIFETIME_MAXIMUM = seconds(86_400);

// ---- partitions ----

/** Partitions of one prefix: a rule each, which a leaving instance may make move; finer than that no balance need be. */
export const PARTITIONS_MAXIMUM = 4096;

// ---- flooding of mappings ----

/** A host repeats what it offers so often; who has missed three of them forgets it. */
export const FLOOD_PERIOD = seconds(5);
export const FLOOD_LEASE = seconds(15);
/** What a sender may ask for. */
export const FLOOD_LEASE_MINIMUM = seconds(1);
export const FLOOD_LEASE_MAXIMUM = seconds(120);
/** Least time between two messages about changes: what changes meanwhile goes in one. */
export const FLOOD_HOLD_OFF = milliseconds(100);
/** Shorter prefixes are not flooded: a name that ends in `/*` has 64 bits, and nobody offers half of all names. */
export const FLOOD_PREFIX_BITS_MINIMUM = 32;
/** Services that one host floods, and that are taken of one: nine datagrams each period. */
export const FLOOD_ENTRIES_PER_SOURCE_MAXIMUM = 256;
/** Hosts that are listened to, a large segment, and all their services: some 400 bytes each. */
export const FLOOD_SOURCES_MAXIMUM = 1024;
export const FLOOD_ENTRIES_HEARD_MAXIMUM = 16_384;
/** Messages that are read in a second: of one host, several times what it needs; of all. */
export const FLOOD_MESSAGES_PER_SOURCE_AND_SECOND = 64;
export const FLOOD_MESSAGES_PER_SECOND = 2048;
/** A host that is silent is remembered so long, so that nothing that comes late brings back what it withdrew. */
export const FLOOD_SOURCE_MEMORY = seconds(60);

// ---- servd: registrations of the original ----

/** The original's intervals: a host repeats what it offers, and a router forgets what was not repeated twice. */
export const SERVD_REFRESH = seconds(20);
export const SERVD_EXPIRY = seconds(50);
/** Registrations a router keeps of original hosts, and of one of them: some 300 bytes each, and nobody proves who he is. */
export const SERVD_REGISTRATIONS_MAXIMUM = 16_384;
export const SERVD_REGISTRATIONS_PER_HOST_MAXIMUM = 1024;
