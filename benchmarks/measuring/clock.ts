// The machine's monotonic clock, the same in all its processes and namespaces.

/** Milliseconds. */
export function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
