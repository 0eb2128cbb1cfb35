// The bounds and defaults of `serval perf`, with unit and reason: those of lib/limits.ts that no other part needs.

import { milliseconds, seconds } from '../../time/instant';

/** Bytes of one JSON message between client and server: the results of 128 streams take some 40 KB. */
export const PERF_MESSAGE_MAXIMUM = 65_536;
/** Messages of one test: a sign of life a second for the longest test, and some. */
export const PERF_MESSAGES_MAXIMUM = 8192;
/** Tests that one server carries out at the same time: more would measure each other. */
export const PERF_TESTS_MAXIMUM = 8;
/** Connections to a server that have not said yet what they are for, and how long they may take to say it. */
export const PERF_PENDING_MAXIMUM = 1024;
export const PERF_SETUP_TIMEOUT = seconds(10);
/** Streams of one test, as with iperf3. */
export const PERF_STREAMS_MAXIMUM = 128;
/** Seconds of one test: nobody makes a server send longer. */
export const PERF_SECONDS_MINIMUM = 0.1;
export const PERF_SECONDS_MAXIMUM = 3600;
export const PERF_SECONDS_DEFAULT = 10;
/** Seconds of one interval of the client's report. */
export const PERF_INTERVAL_MINIMUM = 0.1;
export const PERF_INTERVAL_MAXIMUM = 60;
export const PERF_INTERVAL_DEFAULT = 1;
/** Intervals a report keeps; past it their lines are still printed: bounds memory to some 10 MB. */
export const PERF_INTERVALS_MAXIMUM = 36_000;
/** Bytes to send in all streams together. */
export const PERF_BYTES_MAXIMUM = 1e15;
/** Bits a second of one stream, and of all streams together: the largest path a server should fill with datagrams. */
export const PERF_RATE_MINIMUM = 1000;
export const PERF_RATE_MAXIMUM = 10e9;
/** Of datagrams where nobody asks for more: shows loss within a second, and harms no network of today. */
export const PERF_DATAGRAM_RATE_DEFAULT = 10e6;
/** Bytes of one write to a stream. */
export const PERF_WRITE_DEFAULT = 131_072;
export const PERF_WRITE_MAXIMUM = 1_048_576;
/** Bytes of a datagram: what every path carries; at least its header; at most one packet. */
export const PERF_DATAGRAM_DEFAULT = 1200;
export const PERF_DATAGRAM_MINIMUM = 36;
export const PERF_DATAGRAM_MAXIMUM = 64_900;
/** Datagrams that leave in one turn of the event loop: a late timer is made up for in pieces. */
export const PERF_BURST_MAXIMUM = 64;
/** What a paced sender is behind by more than this was not sent, and is not made up for. */
export const PERF_BACKLOG_MAXIMUM = milliseconds(100);
/** Sequence numbers behind the highest within which a duplicate is told from a late datagram; a power of two. */
export const PERF_SEQUENCE_WINDOW = 65_536;
/** A sign of life so often; whoever is silent for longer has gone, and nothing more is sent to it. */
export const PERF_ALIVE_INTERVAL = seconds(1);
export const PERF_SILENCE_MAXIMUM = seconds(10);
/** From the end of sending until the last byte must have arrived: a send buffer of a slow path. */
export const PERF_DRAIN_TIMEOUT = seconds(10);
/** From the sender's last word until a datagram that has not arrived counts as lost. */
export const PERF_DATAGRAM_GRACE = milliseconds(500);
/** How long an interrupted client waits for the server's figures. */
export const PERF_INTERRUPT_GRACE = seconds(2);
/** Round trip, window and retransmissions are looked at so often. */
export const PERF_SAMPLE_INTERVAL = milliseconds(100);
/** Characters of a text from the peer that are shown. */
export const PERF_TEXT_MAXIMUM = 200;
