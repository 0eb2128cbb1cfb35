// Every bound and default, with unit and reason. A queue that a peer can fill has its bound here.
// Sections follow the folders; keep them so.

import { milliseconds, seconds } from './time/instant';

// ---- wire ----

/** Smallest and largest SAL header, bytes: 12 without extensions, 255 words (§3, wire format). */
export const SAL_HEADER_MINIMUM = 12;
export const SAL_HEADER_MAXIMUM = 1020;
/** Extensions a packet may carry, padding bytes counted singly, as the original counts. */
export const EXTENSIONS_MAXIMUM = 10;
/** Addresses in a SOURCE extension, client included: bounds growth and loops (the original's 84 bytes). */
export const SOURCE_ADDRESSES_MAXIMUM = 20;

// ---- link ----

/** Well-known UDP port: the original's encapsulation server port. */
export const WELL_KNOWN_PORT = 54325;
/** IP protocol number of the raw link. */
export const IP_PROTOCOL_SERVAL = 144;

// ---- signaling ----

/** First retransmission of SYN, RSYN and FIN, then doubled; RFC 6298 asks for 1 s before a sample. */
export const CONTROL_TIMEOUT_INITIAL = seconds(1);
/** Lower bound once a round trip was measured. */
export const CONTROL_TIMEOUT_MINIMUM = milliseconds(200);
export const CONTROL_TIMEOUT_MAXIMUM = seconds(60);
/** A `connect` that nobody answers fails after this long, all retransmissions included. */
export const CONNECT_TIMEOUT = seconds(8);
/** FIN, RSYN: transmissions before the peer counts as gone. */
export const CONTROL_TRANSMISSIONS_MAXIMUM = 8;
/** How long an ended flowID stays reserved, so that a late packet finds no new flow. */
export const TIME_WAIT = seconds(10);
/** Half-open requests of one listener; further SYNs are dropped. */
export const HALF_OPEN_MAXIMUM = 512;
/** A half-open request is forgotten after this long: the original's 3 s is too short for a 3 s RTO. */
export const HALF_OPEN_TIMEOUT = seconds(6);
/** Default `backlog` of `listen`: accepted connections that wait for the application, as in node:net. */
export const BACKLOG_DEFAULT = 511;
/** Times the third ACK is repeated while nothing came back; the original never answers it. */
export const HANDSHAKE_ACK_REPEATS = 5;
/** FIN-WAIT-2: how long an end waits for the peer's FIN after its own was acknowledged and it was closed. */
export const FIN_WAIT_2 = seconds(60);
/** Flows in TIME-WAIT; beyond it the oldest are forgotten early, as net.ipv4.tcp_max_tw_buckets does. */
export const TIME_WAIT_MAXIMUM = 32_768;

// ---- stack ----

/** Rows of one link's transmit batch: about one event-loop turn's worth of trains. */
export const TRANSMIT_ROWS = 2048;
/** Hints of ICMP "port unreachable" without any sign of life before a connection counts as reset. */
export const UNREACHABLE_HINTS = 3;
/** Least time between hints that count, so that one burst of ICMP is one hint. */
export const UNREACHABLE_HINT_INTERVAL = milliseconds(50);
/** Packets waiting behind DELAY rules: for one service, for one source address, and in all. */
export const DELAYED_PER_SERVICE = 64;
export const DELAYED_PER_SOURCE = 128;
export const DELAYED_TOTAL = 1024;
/** A delayed packet that nobody released is dropped after this long. */
export const DELAY_TIMEOUT = seconds(4);
