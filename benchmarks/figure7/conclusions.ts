// What a recording says: seconds with what each server gave, and the figures that are judged.

import type { Recording } from './recording';
import { BIN, type Failure } from './task';

export interface Second {
  /** Since `origin`. */
  readonly at: number;
  /** Bits that the clients got. */
  readonly total: number;
  /** By server. */
  readonly servers: readonly number[];
  readonly answered: number;
  /** Jain's index of what each server gave that was to serve all the while; `undefined` in seconds of change. */
  readonly fairness: number | undefined;
  /** Of the processors: 0 to 1. */
  readonly idle: number | undefined;
  /** Bytes on the router's device. */
  readonly carried: number | undefined;
}

export interface Conclusions {
  readonly origin: number;
  readonly seconds: readonly Second[];
  /** In seconds since `origin`, with the number of servers. */
  readonly phases: readonly { readonly begin: number; readonly end: number; readonly servers: number }[];
  readonly killedAt: number;
  /** Bits a second of one server. */
  readonly oneHost: number;
  /** What each phase behind the first gave, over as many times one host's rate as it had servers. */
  readonly levels: readonly number[];
  /** How far the worst of them is from 1. */
  readonly deviation: number;
  readonly worstFairness: number;
  readonly medianFairness: number;
  /** Requests that failed before the kill. */
  readonly failed: number;
  /** All that failed, in the order in which they were begun. */
  readonly failures: readonly Failure[];
  readonly requests: number;
  /** Milliseconds from the return of `listen` to the first connection, without a round trip: the slowest join. */
  readonly firstRequest: number;
  /** Bytes on the router's device for each byte that the clients got, in seconds without a change. */
  readonly carried: number;
  readonly afterKill: {
    /** Requests that the killed server had. */
    readonly inFlight: number;
    /** Requests that failed although they were begun later, and how many milliseconds later the last of them. */
    readonly later: number;
    readonly lastLater: number;
  };
}

export function conclude(recording: Recording): Conclusions {
  const { origin, phases, killed, clients, probes } = recording;
  const seconds = secondsOf(recording);
  const [one, ...others] = phases;
  const oneHost = rateBetween(recording, one!.begin + SETTLE, one!.end);
  const levels = others.map(
    ({ begin, end, servers }) => rateBetween(recording, begin + SETTLE, end) / (servers.length * oneHost),
  );
  const fairness = seconds.flatMap((second) => second.fairness ?? []).toSorted((a, b) => a - b);
  const failures = [...clients, ...probes].flatMap((report) => report.failures);
  const before = failures.filter(({ failedAt }) => failedAt < killed.at);
  return {
    origin,
    seconds,
    phases: phases.map(({ begin, end, servers }) => {
      return { begin: (begin - origin) / 1000, end: (end - origin) / 1000, servers: servers.length };
    }),
    killedAt: (killed.at - origin) / 1000,
    oneHost,
    levels,
    deviation: Math.max(...levels.map((level) => Math.abs(level - 1))),
    worstFairness: fairness[0] ?? Number.NaN,
    medianFairness: fairness[fairness.length >> 1] ?? Number.NaN,
    failed: before.length,
    failures: failures.toSorted((a, b) => a.startedAt - b.startedAt),
    requests: clients.reduce((sum, { answered }) => sum + sumOf(answered), 0) + failures.length,
    firstRequest: slowestJoin(recording),
    carried: carriedShare(seconds),
    afterKill: afterKill(
      failures.filter(({ failedAt }) => failedAt >= killed.at),
      killed.at,
    ),
  };
}

/** Jain's index: 1 when all have the same, 1/n when one has everything. */
export function jain(values: readonly number[]): number {
  const squares = values.reduce((sum, value) => sum + value * value, 0);
  return squares === 0 ? Number.NaN : sumOf(values) ** 2 / (values.length * squares);
}

function secondsOf(recording: Recording): readonly Second[] {
  const { origin, end, clients, observed } = recording;
  const count = Math.floor((end - origin) / 1000);
  return Array.from({ length: count }, (_, at) => {
    const from = (at * 1000) / BIN;
    const within = (bins: readonly number[]): number => sumOf(bins.slice(from, from + 1000 / BIN));
    const servers = Array.from({ length: serverCount(recording) }, (__, server) =>
      sumOf(clients.map(({ bytes }) => within(bytes[server] ?? []) * 8)),
    );
    const answered = sumOf(clients.map((client) => within(client.answered)));
    const steady = steadyServers(recording, origin + at * 1000);
    const fairness = steady === undefined ? undefined : jain(steady.map((server) => servers[server] ?? 0));
    return {
      at,
      total: sumOf(servers),
      servers,
      answered,
      fairness,
      idle: observed[at]?.idle,
      carried: observed[at]?.carried,
    };
  });
}

/** Who served in all of the second that begins then; `undefined` where something changed, or there is but one. */
function steadyServers({ phases }: Recording, from: number): readonly number[] | undefined {
  const phase = phases.find(({ begin, end }) => from >= begin + SETTLE && from + 1000 <= end);
  return phase !== undefined && phase.servers.length > 1 ? phase.servers : undefined;
}

/** Bits a second that the clients got between two times, in whole bins. */
function rateBetween({ origin, clients }: Recording, begin: number, end: number): number {
  const from = Math.ceil((begin - origin) / BIN);
  const to = Math.floor((end - origin) / BIN);
  const bytes = clients.flatMap((client) => client.bytes.map((bins) => sumOf(bins.slice(from, to))));
  return (sumOf(bytes) * 8 * 1000) / ((to - from) * BIN);
}

/** Of the seconds in which nobody probes. */
function carriedShare(seconds: readonly Second[]): number {
  const steady = seconds.filter(({ fairness, carried }) => fairness !== undefined && carried !== undefined);
  return (sumOf(steady.map(({ carried = 0 }) => carried)) * 8) / sumOf(steady.map(({ total }) => total));
}

function slowestJoin({ joins, probes }: Recording): number {
  const roundTrip = Math.min(...probes.flatMap((report) => report.probes.map(({ connected }) => connected)));
  const waits = joins.map(({ listeningAt, firstConnectionAt }) => firstConnectionAt - listeningAt);
  return Math.max(...waits) - roundTrip;
}

function afterKill(failures: readonly Failure[], killedAt: number): Conclusions['afterKill'] {
  const later = failures.map(({ startedAt }) => startedAt - killedAt).filter((after) => after > 0);
  return { inFlight: failures.length - later.length, later: later.length, lastLater: Math.max(0, ...later) };
}

function serverCount({ phases }: Recording): number {
  return Math.max(...phases.flatMap(({ servers }) => servers)) + 1;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Milliseconds after a change that are not judged. */
const SETTLE = 2_000;
