// Every bound and default, with unit and reason. A queue that a peer can fill has its bound here.
// Sections follow the folders; keep them so. Those of `serval perf` alone stand in cli/perf/perf-limits.ts,
// those of the control interface in control/control-limits.ts.
// Long because it is one list, each entry with its reason.

import { milliseconds, seconds } from './time/instant';

// ---- wire ----

/** Smallest and largest SAL header, bytes: 12 without extensions, 255 words (§3, wire format). */
export const SAL_HEADER_MINIMUM = 12;
export const SAL_HEADER_MAXIMUM = 1020;
/** Extensions a packet may carry, padding bytes counted singly, as the original counts. */
export const EXTENSIONS_MAXIMUM = 10;
/** Addresses in a SOURCE extension, client included: bounds growth and loops (the original's 84 bytes). */
export const SOURCE_ADDRESSES_MAXIMUM = 20;
/** Headers of packets without CONTROL, and addresses, that are known again without being read anew; powers of two. */
export const HEADERS_KEPT = 64;
export const ADDRESSES_KEPT = 256;
/** Payload that is copied into one transmit batch: four super-packets of datagrams, and little enough for a cache. */
export const COPIED_BYTES_MAXIMUM = 262_144;

/** Addresses in one ENDPOINT_ADDRESS extension: 12 of IPv6 fit behind its length byte; more interfaces than most hosts have. */
export const TOLD_ADDRESSES_MAXIMUM = 12;

/**
 * Leading bits that the flowIDs of one process share where its link hears the packets of others. A foreign flow has
 * them by chance one time in 256; 24 random bits are left, 16 times what the largest flow table needs.
 */
export const FLOW_TAG_BITS = 8;

// ---- link ----

/** Well-known UDP port: the original's encapsulation server port. */
export const WELL_KNOWN_PORT = 54325;
/** IP protocol number of the raw link. */
export const IP_PROTOCOL_SERVAL = 144;
/** Bytes a link keeps of what the kernel did not take at once; past it packets are dropped, as a network does. */
export const TRANSMIT_QUEUE_MAXIMUM = 4 * 1024 * 1024;
/** Path MTUs that the routing table told are believed so long, and for so many destinations, some 100 bytes each. */
export const MTU_CACHE_LIFETIME = seconds(1);
export const MTU_CACHE_ENTRIES_MAXIMUM = 1024;
/** How often interfaces are looked at where the system does not tell of changes. */
export const INTERFACE_POLL_INTERVAL = seconds(1);

/**
 * Longest time the event loop polls after traffic before it sleeps, microseconds (`spin`). Waking a sleeping
 * processor takes some 25 us each way: who waits longer than for both saves less than he spends.
 */
export const SPIN_MAXIMUM = 50;

// ---- table ----

/**
 * Weight in the tables of an instance that asks for `weight: 1`: the original's. Fractions of it are what an instance
 * under load asks for.
 */
export const INSTANCE_WEIGHT = 1024;
/** Flows of one stack; past it connects fail and SYNs are dropped. 2^20 flows are a table of 24 MB. */
export const FLOWS_MAXIMUM = 1_048_576;
/** Rules of one prefix: the first packet after a change looks at each of them. Past it a FORWARD, DELAY or DROP rule is refused. */
export const RULES_PER_PREFIX_MAXIMUM = 4096;
/** Sets of rules that are kept for the next packet, a power of two: 8 MB at most, when all are of the largest size. */
export const TARGET_SETS_KEPT = 128;
/** Rules in all, at some 170 bytes each. Local sockets always get their DEMUX rule. */
export const SERVICE_RULES_MAXIMUM = 4_194_304;
/** First packets of a burst that are looked up side by side: what they touch, some 400 bytes each, fits a near cache. */
export const READ_AHEAD_IDS = 32;
/** From so many rules on it pays: fewer stay in a processor's caches. */
export const READ_AHEAD_RULES = 32_768;

// ---- signaling ----

/**
 * First retransmission of SYN, RSYN and FIN before a round trip was measured, then doubled. RFC 6298 asks for
 * 1 s so as not to repeat data in vain; a SYN repeated in vain costs one small packet, and one that waits 1 s
 * holds up a client whose instance has just died.
 */
export const CONTROL_TIMEOUT_INITIAL = milliseconds(300);
/** Lower bound once a round trip was measured. */
export const CONTROL_TIMEOUT_MINIMUM = milliseconds(200);
export const CONTROL_TIMEOUT_MAXIMUM = seconds(60);
/** A `connect` that nobody answers fails after this long, all retransmissions included. */
export const CONNECT_TIMEOUT = seconds(8);
/**
 * A `connect` that is refused is tried again at once, so often in all: who answers every SYN with RST makes us send
 * no more. Each attempt gets another instance while there is one.
 */
export const CONNECT_ATTEMPTS_MAXIMUM = 16;
/**
 * Who refuses again, behind a router, is all that the router has now: it is asked this often more, after a pause in
 * which an instance that starts anew can have registered; and so are those that are full, where all are.
 */
export const CONNECT_REPEATS_MAXIMUM = 2;
export const CONNECT_REPEAT_PAUSE = milliseconds(50);
/**
 * A broadcast that some refuse is repeated until it was sent so often, with this pause: then those who might accept are
 * not there. Where one packet of twenty is lost, one is missed in ten thousand times.
 */
export const CONNECT_BROADCASTS = 4;
export const CONNECT_BROADCAST_PAUSE = milliseconds(300);
/**
 * SYNs that a router which relays answers remembers, 60 bytes each, a power of two: 2,000 connects a second. Any other
 * stack remembers those of processes of its machine, whose router may relay.
 */
export const RELAYED_SYNS = 16_384;
export const RELAYED_SYNS_OF_MEMBERS = 2048;
/** As long as a connect lasts. */
export const RELAY_LIFETIME = seconds(8);
/** A TCP header with all its options: an answer to a first packet has no data. */
export const RELAY_TRANSPORT_BYTES_MAXIMUM = 60;
/** FIN, RSYN: transmissions before the peer counts as gone. */
export const CONTROL_TRANSMISSIONS_MAXIMUM = 8;
/** How long an ended flowID stays reserved, so that a late packet finds no new flow. */
export const TIME_WAIT = seconds(10);
/**
 * Half-open requests of one listener; further SYNs are dropped, unless the oldest request has waited for its third
 * ACK so long that another may have its place: after a flood of forged SYNs a client gets in with one of its next.
 * Room for the burst that gathers while a busy client or server is held up for a second; about 1 KB each.
 */
export const HALF_OPEN_MAXIMUM = 4096;
export const HALF_OPEN_GRACE = seconds(1);
/** A further flow that is not answered by then is given up, and tried again after a pause. */
export const JOIN_TIMEOUT = seconds(4);
/** Further flows that a connection begins by itself in that time, whatever addresses the peer tells of. */
export const JOINS_PER_TIMEOUT = 12;
/** The pause, doubled each time; and the longest. */
export const JOIN_PAUSE = seconds(10);
export const JOIN_PAUSE_MAXIMUM = seconds(120);
/** A list of addresses that the peer has not acknowledged is told again after so long, then doubled, so often. */
export const ADDRESSES_REPEAT = milliseconds(300);
export const ADDRESSES_REPEATS_MAXIMUM = 6;
/** That a further flow was closed on purpose is said again after so long, then doubled, so often. */
export const CLOSED_FLOW_REPEAT = milliseconds(200);
export const CLOSED_FLOW_REPEATS = 3;
/** Ways on which flows were closed on purpose that a connection remembers: each address of two full lists once. */
export const CLOSED_WAYS_MAXIMUM = 24;
/** Trains of copies that a flow has under way at most, where every byte goes by every flow. */
export const COPIES_MAXIMUM = 64;
/** A half-open request is forgotten after this long: time for seven of the third ACKs, on a path that loses a quarter of them. */
export const HALF_OPEN_TIMEOUT = seconds(20);
/**
 * How long a listener that has been closed waits for the third ACKs of those it has answered: time for some repeats
 * of one that was lost. What has not come by then is reset.
 */
export const LISTENER_FINISH_TIMEOUT = seconds(2);
/** Default `backlog` of `listen`: accepted connections that wait for the application, as in node:net. */
export const BACKLOG_DEFAULT = 511;
/**
 * Times the third ACK is repeated, each after twice the time, while nothing came back: without it the server has
 * no connection. The original never answers it, so an idle connection to one costs this many small packets.
 */
export const HANDSHAKE_ACK_REPEATS = 8;
/**
 * FIN-WAIT-2: how long an end that was closed waits for the peer's FIN, from the peer's last packet on. Longer
 * than the longest retransmission timeout, or a peer whose last acknowledgment was lost finds nobody.
 */
export const FIN_WAIT_2 = seconds(75);
/** The same in all: a peer that says something from time to time does not hold the flow of a closed socket for ever. */
export const FIN_WAIT_2_MAXIMUM = seconds(600);
/** Ended flowIDs are released so many milliseconds later at most: one timer for all that end in the meantime. */
export const TIME_WAIT_GRAIN = milliseconds(250);
/**
 * Flows in TIME-WAIT; beyond it the oldest are forgotten early, as net.ipv4.tcp_max_tw_buckets does. A power of two;
 * about 100 bytes each.
 */
export const TIME_WAIT_MAXIMUM = 32_768;

/** Pauses between RSYNs, or RSYN-ACKs: two round trips, at least this; behind the first few doubled up to the maximum. */
export const MIGRATION_TIMEOUT_MINIMUM = milliseconds(50);
export const MIGRATION_TIMEOUT_MAXIMUM = seconds(2);
export const MIGRATION_EAGER_TRANSMISSIONS = 4;
/** Without an answer so long a flow goes back to a path that is there; one whose path is gone asks for another. */
export const MIGRATION_ANSWER_TIMEOUT = seconds(3);
export const MIGRATION_SILENCE = seconds(1);
/** A flow whose old path is gone, and that nobody answers, ends after this long: as a stream whose data nobody acknowledges. */
export const MIGRATION_LIFETIME = seconds(120);
/** How long a peer that said RSYN has to answer from there, before the path that was goes on. */
export const MIGRATION_CONFIRM_TIMEOUT = seconds(5);
/** What was under way on the path before is taken for so long; what still comes from there has its sender asked. */
export const MIGRATION_GRACE = seconds(1);
/** Addresses that one RSYN, and copies of it, may have come from. */
export const MIGRATION_CANDIDATES_MAXIMUM = 4;
/** Bytes to an address where nobody has shown to be, for each byte from there (RFC 9000 8.1). */
export const MIGRATION_AMPLIFICATION = 3;
/** Numbers left out, at random below this, so that a RSYN is a challenge: a guess is right once in so many times. */
export const MIGRATION_SKIP = 1 << 16;
/** Least time between two challenges of one flow, doubled with each that nobody answers: who sends from anywhere makes us ask. */
export const CHALLENGE_INTERVAL = milliseconds(100);
export const CHALLENGE_INTERVAL_MAXIMUM = seconds(60);
export const CHALLENGE_TRANSMISSIONS_MAXIMUM = 3;
/** From an interface's change until flows move: an address whose properties change goes, and comes again at once. */
export const AUTOMATIC_MIGRATION_SETTLE = milliseconds(2);
/** Retransmission timeouts in a row, of a stream, after which its path counts as silent. */
export const SILENT_TIMEOUTS = 2;

// ---- stack ----

/** Rows of one link's transmit batch: about one event-loop turn's worth of trains. */
export const TRANSMIT_ROWS = 2048;
/** Payload that all flows together hand to the links at a time: some sixteen super-packets, a quarter of a millisecond. */
export const TRANSMIT_BYTES_MAXIMUM = 1_048_576;
/** Hints of ICMP "port unreachable" without any sign of life before a connection counts as reset. */
export const UNREACHABLE_HINTS = 3;
/** A peer that moves has so long to say so, after the first hint that it is not where it was. */
export const UNREACHABLE_MOVE_GRACE = seconds(2);
/** Between hints that count: one burst of ICMP is one hint. */
export const UNREACHABLE_HINT_INTERVAL = milliseconds(50);
/**
 * A next hop that refuses SYNs by ICMP is asked again this often, and for this long: it may be restarting, which takes a
 * process of Node a second and more on a busy machine. Shorter than a lease, within which a router's hosts are back.
 */
export const UNREACHABLE_RETRY = milliseconds(100);
export const UNREACHABLE_GRACE = seconds(2.5);
/** Failures of instances that controllers are told of, in an interval: each makes them look at a rule or two. */
export const INSTANCE_FAILURES_MAXIMUM = 64;
export const INSTANCE_FAILURES_INTERVAL = milliseconds(100);
/** Instances that are asked at the same time whether they take connections. */
export const PROBES_MAXIMUM = 64;
/** First packets passed on, or sent, that are remembered for what comes of them; a power of two. About 50 KB. */
export const RECENT_HOPS = 1024;
/** Packets waiting behind DELAY rules: for one service, for one source address, and in all. */
export const DELAYED_PER_SERVICE = 64;
export const DELAYED_PER_SOURCE = 128;
export const DELAYED_TOTAL = 1024;
/** A delayed packet that nobody released is dropped after this long. */
export const DELAY_TIMEOUT = seconds(4);

// ---- resolver ----

/** A file of services, bytes: some 200,000 services. */
export const SERVICE_FILE_BYTES_MAXIMUM = 33_554_432;
/** How often a file of services is looked at for changes. */
export const SERVICE_FILE_POLL_INTERVAL = seconds(1);
/** Its answers hold so long by default: a change withdraws them earlier. And what it does not name does not exist so long. */
export const SERVICE_FILE_LIFETIME_DEFAULT = seconds(60);
export const SERVICE_FILE_NEGATIVE_LIFETIME_DEFAULT = seconds(5);
/** Past so many changed entries at a time all answers are withdrawn at once, instead of each. */
export const SERVICE_FILE_CHANGES_MAXIMUM = 64;

// ---- controller ----

/** How long an instance has to answer a probe: three SYNs, and the longest round trip there is. */
export const OUTLIER_PROBE_TIMEOUT = seconds(1);
/** Instances that are suspected, passed over, or were lately: the oldest news is forgotten. About 300 bytes each. */
export const OUTLIERS_MAXIMUM = 4096;
/** An instance that has answered a probe is not asked again for so long, whatever is said of it. */
export const OUTLIER_PROBE_INTERVAL = seconds(1);
/**
 * In such an interval a router asks instances of so many services, because clients ask again of whom it does not know
 * more, and of each service so many: all in turn.
 */
export const OUTLIER_SERVICES_MAXIMUM = 32;
export const OUTLIER_PROBES_PER_SERVICE = 8;
/** How long an instance is passed over: the first time, and at most; each time that it fails again is twice as long. */
export const OUTLIER_EJECTION_FIRST = seconds(1);
export const OUTLIER_EJECTION_MAXIMUM = seconds(30);
/** Who did well for so long begins again with the first time. */
export const OUTLIER_MEMORY = seconds(60);
/**
 * Share of a prefix's instances that may be passed over at the same time; one may always, where there are two. Each
 * was asked before: more than most of them fail together only when it is us who are cut off.
 */
export const OUTLIER_SHARE_MAXIMUM = 0.8;
/**
 * Who has not answered a probe for so long is passed over until it does: several round trips of a site, and less than a
 * client waits for an answer to its SYN. Of a prefix so many at most are passed over for no more than that.
 */
export const OUTLIER_SUSPICION = milliseconds(50);
export const OUTLIER_SUSPICION_SHARE = 0.5;
/** Slow start: how long an instance's weight grows, and in how many steps. */
export const SLOW_START_STEPS = 10;
export const SLOW_START_MAXIMUM = seconds(3600);
/** Rules whose weights grow at the same time; further ones begin with their whole weight. */
export const SLOW_STARTS_MAXIMUM = 4096;

// ---- stream ----

/**
 * Times closer than this are the same, milliseconds: sums of fractions are rounded, and a timer that is armed for
 * the rest of such a difference is due at once, for ever.
 */
export const CLOCK_GRANULARITY = 0.001;

/**
 * Bytes a connection takes from its application before the peer acknowledged them, at least; it grows with the
 * path. Small on slow paths: what is accepted counts as written, and servers close what is idle after a write.
 */
export const SEND_BUFFER_DEFAULT = 262_144;
export const SEND_BUFFER_MINIMUM = 4096;
export const SEND_BUFFER_MAXIMUM = 16_777_216;
/**
 * Receive window once a quarter of it has been received, bytes; then it follows what the application reads in a round
 * trip. Before, it is four times of what was received: a sender doubles what it sends, and one that sends little needs
 * less.
 */
export const RECEIVE_BUFFER_DEFAULT = 262_144;
export const RECEIVE_BUFFER_MINIMUM = 4096;
/** Bytes one peer can make a connection hold: 1 Gbit/s over 50 ms. */
export const RECEIVE_BUFFER_MAXIMUM = 6_291_456;
/**
 * Bytes that all streams of a host may hold for their readers. Beyond it no window opens, and what comes for a stream
 * that holds some already is dropped: the peer sends it again.
 */
export const RECEIVE_MEMORY_MAXIMUM = 268_435_456;
/**
 * Bytes that may be under way to all streams that receive much, on paths that hold little themselves: what the kernel
 * queues while the process computes. A quarter of the link's receive buffer, which counts more than payload.
 */
export const RECEIVE_QUEUE_DEFAULT = 4_194_304;
export const RECEIVE_QUEUE_PART = 4;
/** A stream's part of it is this much at least, and two of its segments. */
export const RECEIVE_SHARE_MINIMUM = 32_768;
/** A stream receives much when so many bytes arrive in 50 ms. */
export const RECEIVE_BULK_BYTES = 16_384;
/** One held chunk for so many bytes of buffer: tiny segments must not cost more memory than large ones. */
export const BUFFER_BYTES_PER_CHUNK = 512;
/** Gaps in what was received; a segment that would open one more is dropped. */
export const REASSEMBLY_RUNS_MAXIMUM = 512;
/** Blocks of send buffers kept for reuse, bytes of each size. */
export const POOLED_BLOCK_BYTES_MAXIMUM = 16_777_216;
/** Flows that carry one stream (§4.4). The kernel's MPTCP takes eight as well. */
export const FLOWS_PER_STREAM_MAXIMUM = 8;
/** Records of sent trains of one flow; a SACK that would split one more is rounded inward. */
export const SENT_RECORDS_MAXIMUM = 16_384;
/** Header and payload of all packets of one train: UDP GSO takes 65,507 bytes and 64 packets at most. */
export const TRAIN_BYTES_MAXIMUM = 65_000;
export const TRAIN_SEGMENTS_MAXIMUM = 64;
/** Payload that leaves one flow in one turn, so that others and the acknowledgments have theirs. */
export const BURST_BYTES_MAXIMUM = 262_144;
/** Segments sent before the first acknowledgment (RFC 6928). */
export const INITIAL_WINDOW_SEGMENTS = 10;
/** Upper bound of a congestion window, bytes: what the largest send buffer can fill. */
export const CONGESTION_WINDOW_MAXIMUM = 16_777_216;
/** RFC 6298: before a sample; the floor is that of every stack in use, below the RFC's 1 s. */
export const RETRANSMISSION_TIMEOUT_INITIAL = seconds(1);
export const RETRANSMISSION_TIMEOUT_MINIMUM = milliseconds(200);
export const RETRANSMISSION_TIMEOUT_MAXIMUM = seconds(60);
/** Without acknowledgment of data for this long a connection has timed out (RFC 9293 3.8.3: R2 >= 100 s). */
export const USER_TIMEOUT_DEFAULT = seconds(120);
/** RFC 5482: lower and upper bound of what `setUserTimeout` takes. */
export const USER_TIMEOUT_MINIMUM = milliseconds(1);
export const USER_TIMEOUT_MAXIMUM = seconds(86_400);
/** How long an acknowledgment may wait for data or a second segment; RFC 9293 allows 500 ms. */
export const ACKNOWLEDGMENT_DELAY = milliseconds(40);
/** How long a peer is thought to delay one: the tail loss probe of a single segment waits for it. */
export const PEER_ACKNOWLEDGMENT_DELAY = milliseconds(50);
/** Acknowledgments that answer unacceptable segments (RFC 5961 7): so many in one interval. */
export const CHALLENGE_ACKS_MAXIMUM = 10;
export const CHALLENGE_ACK_INTERVAL = seconds(1);
/**
 * A stream that carried nothing for so long gives back the memory that traffic needs; some microseconds and objects
 * when it goes on. Longer than the pauses of a conversation, shorter than idle connections gather.
 */
export const STREAM_REST_DELAY = seconds(10);
/** Silence before the first keepalive probe, time between probes, probes without answer until the end. */
export const KEEP_ALIVE_DELAY_DEFAULT = seconds(7200);
export const KEEP_ALIVE_INTERVAL = seconds(75);
export const KEEP_ALIVE_PROBES = 9;
/** Zero-window probes: at the retransmission timeout, doubled up to this. */
export const PERSIST_INTERVAL_MAXIMUM = seconds(60);
/** Payload of a segment: the largest that leaves room for headers in one UDP packet. */
export const SEGMENT_BYTES_MAXIMUM = 64_900;
/** Below this a peer's MSS or a packet-too-big message is an attack on our processor. */
export const SEGMENT_BYTES_MINIMUM = 48;
/** RFC 8899 MIN_PLPMTU behind the SAL header: a 576-byte IPv4 packet less IP, UDP and SAL header. */
export const PATH_SIZE_MINIMUM = 536;
/** RFC 8899 MAX_PROBES, and the time until a smaller path is searched again (PMTU_RAISE_TIMER). */
export const PATH_PROBES_MAXIMUM = 3;
export const PATH_RAISE_INTERVAL = seconds(600);
/** The search for the path's size ends when it is known within so many bytes. */
export const PATH_SEARCH_GRAIN = 16;

// ---- datagram ----

/** Peers connected to one datagram socket; past it the one that was silent longest is reset. About 1 KB each. */
export const DATAGRAM_PEERS_MAXIMUM = 4096;

/** Datagrams of one socket that wait for the application, and their bytes; beyond it they are dropped. */
export const DATAGRAM_QUEUE_MAXIMUM = 1024;
export const DATAGRAM_QUEUE_BYTES_MAXIMUM = 1_048_576;

// ---- host ----

/** Bytes of one line between a process and the holder of its host; a registration takes about 160. */
export const REGISTRY_LINE_MAXIMUM = 1024;
/** Processes of one host that register with its holder. */
export const REGISTRY_MEMBERS_MAXIMUM = 4096;
/** Services one process registers: some 6 MB that a member can make the holder remember. */
export const REGISTRATIONS_PER_MEMBER_MAXIMUM = 16_384;
/** Bytes the holder keeps for a member that does not read; then it is cut off (and comes back). */
export const REGISTRY_BACKLOG_MAXIMUM = 1_048_576;
/** A connection to the holder that says nothing for this long is closed. */
export const REGISTRY_HELLO_TIMEOUT = seconds(2);
/**
 * How often the holder asks each process of its host for a sign of life, and how many of these beats may pass without
 * one: after 2 to 2.5 s its event loop counts as stuck, and no first packet goes there until it answers. Longer than a
 * garbage collection or a busy moment takes, shorter than clients wait.
 */
export const HEARTBEAT_INTERVAL = milliseconds(500);
export const HEARTBEAT_BEATS = 4;
/** First and longest pause between two attempts to become holder or member; each is drawn anew. */
export const REGISTRY_RETRY_MINIMUM = milliseconds(4);
export const REGISTRY_RETRY_MAXIMUM = milliseconds(500);
/**
 * A holder that took over keeps first packets for services that nobody has registered yet this long: the others come
 * back within tens of milliseconds, on a machine that is busy later.
 */
export const REGISTRY_SETTLE = milliseconds(400);
/** When a holder makes room for a service router, the others leave its place alone for so long. */
export const REGISTRY_YIELD_PAUSE = milliseconds(100);
/** A service router that cannot have the place within so long fails: another router has it, or it is stuck. */
export const ROUTER_PLACE_TIMEOUT = seconds(2);
/** Without a holder for this long a process goes on alone: first packets wait no longer. */
export const REGISTRY_SEARCH_MAXIMUM = seconds(1);
/** From a process's end to `peerGone`: what it sent last is read before its connections fail. */
export const PEER_GONE_GRACE = milliseconds(20);
/** IP packet that every path carries: RFC 8899's BASE_PLPMTU of 1,200 bytes in IPv6 and UDP. */
export const BASE_PACKET_BYTES = 1248;

// ---- socket ----

/** Names whose serviceIDs are remembered, and the longest of them in characters: bounds memory to about 1 MB. */
export const NAME_CACHE_ENTRIES = 1024;
export const NAME_CACHE_TEXT_MAXIMUM = 256;
/** Largest `weight` of a listening socket; 1 is the usual one, and fractions are for smaller machines. */
export const WEIGHT_MAXIMUM = 65_535;
/** Steps in which a reported load lowers the weight: what changes less is not worth telling every router. */
export const LOAD_STEPS = 16;
/**
 * A server that withdrew with `maxConnections` comes back when this part of them has ended, one at least: each time
 * every router hears of it.
 */
export const READMISSION_PART = 0.1;
/**
 * A drain takes so long at least: until every router has heard of it, first packets arrive that want to be refused, so that
 * they find another instance. A few round trips.
 */
export const DRAIN_MINIMUM = milliseconds(100);
/** How often a server that closes looks for HTTP connections that have become idle, to end them. */
export const IDLE_CHECK_INTERVAL = milliseconds(100);
/**
 * How long a draining server leaves idle HTTP connections alone: a client that is busy sends its next request meanwhile,
 * and the answer tells it to go elsewhere. Ending them at once would meet requests under way.
 */
export const IDLE_GRACE = seconds(1);
/** 'close' of a stream that was ended waits this long at most for the acknowledgment: some retransmissions. */
export const LINGER = seconds(2);

// ---- driver ----

/** Rounds of events and transmissions in one turn, and payload sent in it, before the event loop gets its turn. */
export const DRAIN_ROUNDS = 16;
export const DRAIN_BYTES_MAXIMUM = 4_194_304;
/**
 * How long what a turn produces waits for more of the same turn: a few times what a send costs. A super-packet is the
 * cheaper the fuller it is, but its receiver could have been at work meanwhile.
 */
export const TRANSMIT_DELAY_MAXIMUM = milliseconds(0.02);

// ---- host ----

/**
 * How often the holder tries again to bind the well-known port when another program has it: soon at first, for that may be
 * its predecessor, whose sockets are closed one by one; each pause is twice as long, and from the longest on it is told.
 */
export const RETRY_WELL_KNOWN_PORT_MINIMUM = milliseconds(10);
export const RETRY_WELL_KNOWN_PORT = seconds(2);
