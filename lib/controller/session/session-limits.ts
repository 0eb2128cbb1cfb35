// Every bound and default of controller sessions, with unit and reason; those of all else stand in lib/limits.ts.

import { milliseconds, seconds } from '../../time/instant';

/**
 * What a session registered is void this long after its last sign of life, and one is given so often: the death of a
 * host is seen within the lease (P43), and two heartbeats may be lost before one that lives is given up.
 */
export const SESSION_LEASE = seconds(3);
export const SESSION_HEARTBEAT = seconds(1);
/** A heartbeat unanswered for so many round trips, and this long at least, calls for a second session. */
export const SUSPICION_ROUND_TRIPS = 4;
export const SUSPICION_MINIMUM = milliseconds(300);
/** Whatever a router says of lease and heartbeat is kept within these: nobody makes a host send without a pause. */
export const SESSION_HEARTBEAT_MINIMUM = milliseconds(100);
export const SESSION_LEASE_MAXIMUM = seconds(60);
/** First and longest pause between two attempts to reach a router; each is drawn anew. */
export const SESSION_RETRY_MINIMUM = milliseconds(50);
export const SESSION_RETRY_MAXIMUM = seconds(1);
/** The longest pause where no router is configured: each attempt is a broadcast. */
export const SESSION_SEARCH_PAUSE_MAXIMUM = seconds(30);
/** Attempts to reach the router that was found before any other will do. */
export const SESSION_LOYALTY = 3;
/** First and longest time that one attempt may take: a router in the neighbourhood answers, or it is not there. */
export const SESSION_CONNECT_MINIMUM = seconds(1);
export const SESSION_CONNECT_MAXIMUM = seconds(2);
/** Hosts whose router says goodbye come back within this time: not all of them in one burst. */
export const SESSION_RETURN_SPREAD = milliseconds(200);
/** Sessions of one router. About 2 KB each, without what they register. */
export const SESSIONS_MAXIMUM = 16_384;
/** Services that one session registers, and that all register at one router, at some 500 bytes each. */
export const REGISTRATIONS_PER_SESSION_MAXIMUM = 65_536;
export const REGISTRATIONS_MAXIMUM = 1_048_576;
/** Bytes of one line of a session: the longest message is a welcome with a full path. */
export const SESSION_LINE_MAXIMUM = 1024;
/** Bytes that wait for a router's peer to read them: the answers to all it may register. Beyond it is cut off. */
export const SESSION_BACKLOG_MAXIMUM = 4_194_304;
/** A router forgets a connection that has not said hello for so long. */
export const SESSION_HELLO_TIMEOUT = seconds(2);
/** Hex digits of the random identity of a host's run: 128 bits, which nobody else has. */
export const SESSION_IDENTITY_DIGITS = 32;
/** Characters of a host's name. */
export const SESSION_NAME_MAXIMUM = 64;
/** Complaints of a router that a host passes on: each once, and no more than anybody reads. */
export const SESSION_PROBLEMS_MAXIMUM = 64;
/** Routers above one another. */
export const SESSION_PATH_MAXIMUM = 16;
/**
 * Identities whose last session has ended are remembered this long, and so many of them: a message of an older session
 * that was under way must not bring anything back.
 */
export const ENDED_SESSIONS_LIFETIME = seconds(30);
export const ENDED_SESSIONS_MAXIMUM = 16_384;
/**
 * `listen` waits this long at most for the router's acknowledgment; a router that was lost for longer is not waited for
 * at all.
 */
export const REGISTRATION_WAIT_MAXIMUM = seconds(1);
