// The bounds of the control interface and of its client, each with unit and reason; those that other parts share stand
// in limits.ts.

import { milliseconds, seconds } from '../time/instant';

/** Bytes of a request's body: a rule takes some 300. */
export const CONTROL_BODY_MAXIMUM = 16_384;
/** Connections to one control interface; further ones are closed. */
export const CONTROL_CLIENTS_MAXIMUM = 64;
/** Bytes kept for a reader of events that does not read; then it is cut off. */
export const CONTROL_BACKLOG_MAXIMUM = 1_048_576;
/** A connection that neither sends nor reads for so long is cut off, unless it waits for events or a drain. */
export const CONTROL_SILENCE_MAXIMUM = seconds(10);
/**
 * Lines of a list that are made in one turn of the event loop: some 1.3 ms, and then the data path has its turn. Where they
 * take longer, no more than this time, which is looked at every so many lines.
 */
export const CONTROL_LINES_PER_TURN = 128;
export const CONTROL_TURN_MAXIMUM = milliseconds(2);
export const CONTROL_LINES_PER_LOOK = 16;
/** Bytes of a list that wait to be read. */
export const CONTROL_LIST_BACKLOG = 65_536;
/** Hosts of one process that have a control interface; further ones have none. */
export const CONTROL_HOSTS_MAXIMUM = 64;
/** Sockets of dead processes that are looked at when a host starts: a test suite leaves many. */
export const CONTROL_CLEARED_MAXIMUM = 128;
/** How long the client waits for a process to begin its answer: one that computes for longer is told of as stuck. */
export const CONTROL_ANSWER_TIMEOUT = seconds(5);
/** Bytes of one answer that is no list, and of one line of a list. */
export const CONTROL_ANSWER_MAXIMUM = 1_048_576;
/**
 * Flows that one request has on their way elsewhere at the same time: each is a packet at once, and what holds the event
 * loop meanwhile is some 5 ms.
 */
export const CONTROL_MOVES_AT_ONCE = 128;
/** How long a request to migrate waits for each flow: longer than a flow waits that has an address to go back to. */
export const CONTROL_MOVE_TIMEOUT = seconds(5);
