// Points in time and spans of it, in milliseconds with fraction. Below the sans-IO line nobody reads a
// clock: an `Instant` always comes in as the argument `now`.

declare const instantBrand: unique symbol;
declare const durationBrand: unique symbol;

/** A point on the driver's monotonic clock, in milliseconds. */
export type Instant = number & { readonly [instantBrand]: true };

/** A span of time, in milliseconds. */
export type Duration = number & { readonly [durationBrand]: true };

/** The instant that never comes: the deadline of a timer that is not armed. */
export const NEVER = Number.POSITIVE_INFINITY as Instant;

export function milliseconds(count: number): Duration {
  return count as Duration;
}

export function seconds(count: number): Duration {
  return (count * 1000) as Duration;
}

export function after(instant: Instant, duration: Duration): Instant {
  return (instant + duration) as Instant;
}

export function elapsed(since: Instant, now: Instant): Duration {
  return (now - since) as Duration;
}

export function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}
